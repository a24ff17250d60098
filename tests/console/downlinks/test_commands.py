"""`send` refuses what cannot be sent before it asks AWS for anything."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from console.cli import cli
from contract.downlinks import BadRequestError

CODEC = "function encodeDownlink({data}) { return {bytes: [1], fPort: data.port}; }"


@pytest.fixture(autouse=True)
def _no_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lead whoever asks AWS to nobody."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")


@pytest.fixture
def codec(tmp_path: Path) -> str:
    """Return a codec's file, which names the port that it is told."""
    path = tmp_path / "sensor.js"
    path.write_text(CODEC)
    return str(path)


def send(*arguments: str) -> Result:
    """Run ``send``."""
    return CliRunner().invoke(cli, ["send", "a/d", *arguments])


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((), "give the bytes, or both --codec and --json"),
        (("01", "--codec", "sensor.js", "--json", "{}"), "give the bytes, or both"),
        (("--codec", "sensor.js"), "give the bytes, or both"),
        (("01",), "say on which FPort: --port"),
        (("--port", "224", "01"), "224 is not in the range 1<=x<=223"),
        (("--port", "1", "01!"), "neither hexadecimal nor base64"),
        (("--port", "1", "01", "--expires", "tomorrow"), "neither ISO 8601 nor a time such as"),
        (("--port", "1", "01", "--expires", "2020-01-01"), "2020-01-01T00:00:00.000000Z is over"),
        (("--port", "1", "01", "--wait", "60"), "'60' is no time such as 60s or 2m"),
        (("--port", "1", "01", "--wait", "0s"), "'0s' is no time such as"),
    ],
)
def test_what_is_typed_wrong(arguments: tuple[str, ...], problem: str) -> None:
    """It is one line that says what to do."""
    done = send(*arguments)
    assert problem in done.stderr
    assert done.exit_code == 2


@pytest.mark.parametrize("arguments", [("01", "--id", "a b"), ("00" * 243,), ("01", "--id", "")])
def test_what_a_bridge_would_refuse(arguments: tuple[str, ...]) -> None:
    """The bridge's own rules are asked first."""
    done = send("--port", "1", *arguments)
    assert isinstance(done.exception, BadRequestError)


def test_a_codec_that_names_no_port(codec: str) -> None:
    """Nobody sends to a port that nobody has named."""
    done = send("--codec", codec, "--json", "{}")
    assert f"{codec} names no FPort: say it with --port" in done.stderr
