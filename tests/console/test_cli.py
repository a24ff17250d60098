"""The command line explains itself, and ends in one line where a person made a mistake."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from console.cli import cli
from lab.commands_page import PAGE, commands_of
from lab.rig.certificates import make_certificates

BY_NAME = commands_of(cli)
COMMANDS = sorted(BY_NAME)
PARTS = [
    f"{name} {part}"
    for name, command in BY_NAME.items()
    if isinstance(command, click.Group)
    for part in command.commands
]


def lora_bridge(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run ``python -m console`` as a person would."""
    command = [sys.executable, "-m", "console", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)


def test_the_commands() -> None:
    """These are the commands, and docs/commands.md has each of them."""
    assert [
        *("check", "codec-test", "decode", "devices", "encode", "enroll", "errors"),
        *("events", "history", "keygen", "redecode", "refused", "rejected", "replay", "rotate"),
        *("run", "send", "simulate", "web"),
    ] == COMMANDS
    assert [
        *("errors list", "errors redrive", "errors show"),
        *("refused drop", "refused list", "refused retry", "refused show"),
        *("rejected drop", "rejected list", "rejected retry", "rejected show"),
        *("rotate begin", "rotate finish", "rotate switch"),
    ] == sorted(PARTS)
    documented = PAGE.read_text()
    for command in COMMANDS + PARTS:
        assert f"## lora-bridge {command}\n" in documented


def test_the_bridge_carries_no_other_command() -> None:
    """``lora-bridge run`` loads neither the libraries of AWS's other services nor a command's."""
    looking = (
        "import sys\nfrom console.cli import main\n"
        "try:\n    main()\nfinally:\n    print(*sys.modules)"
    )
    command = [sys.executable, "-c", looking, "run", "--config", "absent.toml"]
    loaded = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
    assert "bridge.service" in loaded
    assert [each for each in loaded if each in {"boto3", "botocore", "cryptography"}] == []
    assert [each for each in loaded if each.startswith("console.")] == [
        *("console.interrupt", "console.cli"),
    ]


@pytest.mark.parametrize("command", COMMANDS + PARTS)
def test_help_says_what_and_shows_an_example(command: str) -> None:
    """Every command has a help with an example that names it."""
    shown = CliRunner().invoke(cli, [*command.split(), "--help"])
    assert shown.exit_code == 0
    assert re.search(rf"Example:\n +lora-bridge {command}", shown.output)
    name, _, part = command.partition(" ")
    found = BY_NAME[name]
    if part and isinstance(found, click.Group):
        found = found.commands[part]
    for option in found.params:
        if isinstance(option, click.Option):
            assert option.opts[-1] in shown.output


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["keygen"],
        ["keygen", "--name", "a/b"],
        ["history", "device-alone"],
        ["history", "a/d", "--since", "yesterday"],
        ["history", "a/d", "--limit", "0"],
        ["history", "a/d", "--format", "xml"],
        ["history", "a/d", "--format", "parquet"],
        ["history", "a/d", "--plot", "t", "--output", "t.gif"],
        ["history", "a/d", "--follow"],
        ["history", "a/d", "--follow", "--name", "reader", "--plot", "t"],
        ["history", "a/d", "--follow", "--name", "reader", "--output", "x"],
        ["history", "a/d", "--follow", "--name", "reader", "--since", "1d"],
        ["history", "a/d", "--follow", "--name", "reader", "--until", "1d"],
        ["devices", "--since", "yesterday"],
        ["devices", "--silent", "--since", "1d"],
        ["devices", "--intervals", "intervals.toml"],
        ["errors", "list", "--limit", "0"],
        ["errors", "show"],
        ["errors", "nonsense"],
        ["rejected", "show"],
        ["rejected", "show", "x"],
        ["rejected", "drop"],
        ["rejected", "drop", "1", "--all"],
        ["replay", "a/d", "--topic-prefix", "lora/replay"],
        ["replay", "a/d", "--since", "1d"],
        ["replay", "a/d", "--since", "1d", "--topic-prefix", "lora"],
        ["replay", "a/d", "--since", "1d", "--topic-prefix", "p", "--rate", "101"],
        ["replay", "a/d", "--since", "1d", "--topic-prefix", "p", "--rate", "nan"],
        ["replay", "a/d", "--since", "5m", "--until", "10m", "--topic-prefix", "p"],
        ["simulate", "--connect", "nowhere"],
        ["simulate", "--connect", "host:99999"],
        ["simulate", "--rate", "0"],
        ["simulate", "--rate", "nan"],
        ["simulate", "--rate", "inf"],
        ["history", "/x"],
        ["history", "a/d", "--since", "5m", "--until", "10m"],
        ["events", "a/d", "--since", "5m", "--until", "10m"],
        ["redecode", "a/d", "--since", "5m", "--until", "10m"],
        ["enroll", "--name", "x", "--endpoint", "https://x"],
        ["enroll", "--name", "x", "--root-ca", "none.pem"],
        ["enroll", "--name", "x", "--port", "0"],
    ],
)
def test_usage_errors_exit_2(arguments: list[str]) -> None:
    """A command line that cannot be understood says why and exits 2."""
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 2
    assert "Error: " in done.output


def test_expected_failures_are_one_line(tmp_path: Path) -> None:
    """What a person can cause is one line on standard error and exit 1, no traceback."""
    first = lora_bridge("keygen", "--name", "h1", folder=tmp_path)
    again = lora_bridge("keygen", "--name", "h1", folder=tmp_path)
    missing = lora_bridge("run", "--config", "none.toml", folder=tmp_path)
    assert first.returncode == 0
    for failed in (again, missing):
        assert failed.returncode == 1
        assert failed.stdout == ""
        assert re.fullmatch(r"lora-bridge: .+\n", failed.stderr)


def configuration(certificate: str, key: str, root_ca: str) -> str:
    """Return a configuration that names these files."""
    return (
        f'[aws]\nendpoint = "localhost"\nclient_id = "h"\ncertificate = "{certificate}"\n'
        f'private_key = "{key}"\nroot_ca = "{root_ca}"\n'
        '[[listen]]\nport = 0\n[spool]\npath = "spool.db"\n'
    )


def test_run_with_a_certificate_that_is_missing(tmp_path: Path) -> None:
    """A configuration that names a missing file says which one and what writes it."""
    (tmp_path / "bridge.toml").write_text(configuration("h.pem", "h.key", "ca.pem"))
    failed = lora_bridge("run", folder=tmp_path)
    assert failed.returncode == 1
    assert failed.stderr == "lora-bridge: h.pem: no such file: see 'lora-bridge enroll --help'\n"


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_run_with_a_certificate_that_is_no_file(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    """A configuration that names a folder or a pipe says so in its only line, at once."""
    make(tmp_path / "h.pem")
    (tmp_path / "bridge.toml").write_text(configuration("h.pem", "h.key", "ca.pem"))
    failed = lora_bridge("run", folder=tmp_path)
    assert failed.returncode == 1
    assert failed.stderr == ("lora-bridge: h.pem: not a file: see 'lora-bridge enroll --help'\n")


@pytest.mark.parametrize(
    "files",
    [
        ("client.pem", "server.key", "ca.pem"),
        ("junk", "client.key", "ca.pem"),
        ("client.pem", "junk", "ca.pem"),
        ("client.pem", "client.key", "junk"),
    ],
)
def test_run_with_files_that_do_not_fit(tmp_path: Path, files: tuple[str, str, str]) -> None:
    """A key of another certificate, or a file that is no PEM, is one line that names them."""
    make_certificates(tmp_path)
    (tmp_path / "junk").write_text("junk")
    (tmp_path / "bridge.toml").write_text(configuration(*files))
    failed = lora_bridge("run", folder=tmp_path)
    assert failed.returncode == 1
    assert failed.stderr.startswith(f"lora-bridge: cannot use {', '.join(files)}: ")
    assert failed.stderr.count("\n") == 1


def test_output_that_cannot_be_written(tmp_path: Path) -> None:
    """A full disk under the output is one line, no traceback."""
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "console", "keygen", "--name", "h"]
        failed = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, cwd=tmp_path, check=False
        )
    assert failed.returncode == 1
    assert failed.stderr == "lora-bridge: cannot write: No space left on device\n"


def test_aws_without_credentials_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command that needs AWS says so in one line when there are no credentials."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    failed = lora_bridge("history", "a/d", folder=tmp_path)
    assert failed.returncode == 1
    assert failed.stderr == "lora-bridge: AWS: Unable to locate credentials\n"
