"""`simulate` plays one network server, and says which options are of which."""

import pytest
from click.testing import CliRunner

from console.cli import cli


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["--connect=127.0.0.1:6500", "--chirpstack=127.0.0.1:1883"],
            "both --connect and --chirpstack: leave one out",
        ),
        (["--chirpstack=nowhere"], "is not HOST:PORT"),
        (["--username=ns"], "--username and --password-file are for --chirpstack"),
        (
            ["--chirpstack=127.0.0.1:1883", f"--password-file={__file__}"],
            "--password-file needs --username",
        ),
        (["--chirpstack=127.0.0.1:1883", "--password-file=none"], "does not exist"),
    ],
)
def test_what_does_not_go_together(options: list[str], said: str) -> None:
    """Each is a wrong use of the command, with the reason."""
    done = CliRunner().invoke(cli, ["simulate", *options])
    assert done.exit_code == 2
    assert said in done.output


def test_no_broker() -> None:
    """A broker that does not run is one clear error."""
    done = CliRunner().invoke(cli, ["simulate", "--chirpstack=127.0.0.1:1"])
    assert "no connection to the broker 127.0.0.1:1: " in str(done.exception)
    assert str(done.exception).endswith("is it running?")
