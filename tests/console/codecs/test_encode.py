"""`encode` makes the bytes of a downlink on this machine, and sends nothing."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from console.cli import cli

CODEC = """
function encodeDownlink({data, fPort, variables}) {
  if (!data.interval) throw "no interval";
  return {
    bytes: [Number(variables.id || 1), data.interval / 256, data.interval % 256],
    fPort: fPort === 7 ? 8 : undefined,
    warnings: data.interval < 60 ? ["\\x9b is short"] : [],
  };
}
"""


@pytest.fixture
def codec(tmp_path: Path) -> str:
    """Return a codec's file."""
    path = tmp_path / "sensor.js"
    path.write_text(CODEC)
    return str(path)


def run(*arguments: str) -> Result:
    """Run ``encode``."""
    return CliRunner().invoke(cli, ["encode", *arguments])


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ((), "port=1 hex=010258 base64=AQJY\n"),
        (("--port", "10"), "port=10 hex=010258 base64=AQJY\n"),
        (("--port", "7"), "port=8 hex=010258 base64=AQJY\n"),
        (("--variable", "id=255"), "port=1 hex=ff0258 base64=/wJY\n"),
    ],
)
def test_the_bytes_are_printed(codec: str, options: tuple[str, ...], line: str) -> None:
    """One line has the port, the codec's before the one asked for, and the bytes in both forms."""
    done = run("--codec", codec, *options, '{"interval":600}')
    assert (done.stdout, done.exit_code) == (line, 0)


def test_warnings(codec: str) -> None:
    """They go to standard error, or into the JSON, and neither speaks to a terminal."""
    done = run("--codec", codec, '{"interval":30}')
    assert done.stdout == "port=1 hex=01001e base64=AQAe\n"
    assert done.stderr == "warning: \\x9b is short\n"
    done = run("--codec", codec, "--format", "json", '{"interval":30}')
    assert "\x9b" not in done.stdout
    assert json.loads(done.stdout) == {
        "port": 1,
        "hex": "01001e",
        "base64": "AQAe",
        "warnings": ["\x9b is short"],
    }


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("{}", "sensor.js: exception: no interval"),
        ('{"interval":70000}', "sensor.js: bad_result: bytes[1] is no number from 0 to 255: 273.4"),
        ('{"interval":600', '{"interval":600 is not a JSON object: '),
        ("[600]", "[600] is not a JSON object: Expected `object`, got `array`"),
        ("600 " * 100, "600 600 "),
        ("[" * 100_000, "is not a JSON object: "),
        ('{"a":' * 5_000 + "1" + "}" * 5_000, "is not a JSON object: "),
    ],
)
def test_what_cannot_be_encoded(codec: str, data: str, words: str) -> None:
    """It is one line, and the exit status is 1."""
    done = run("--codec", codec, data)
    assert (done.stdout, done.exit_code) == ("", 1)
    assert words in str(done.exception)
    assert len(str(done.exception)) < 300


def test_a_codec_that_cannot_be_read(codec: str) -> None:
    """It is named."""
    assert f"{codec}x: cannot read the codec: " in str(run("--codec", codec + "x", "{}").exception)


@pytest.mark.parametrize("port", ["0", "224", "x"])
def test_a_port_that_no_downlink_has(codec: str, port: str) -> None:
    """0 is for MAC commands, 224 for tests."""
    assert run("--codec", codec, "--port", port, "{}").exit_code == 2
