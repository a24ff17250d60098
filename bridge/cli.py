"""The command line: each command is a few lines around the module that does its work."""

import asyncio
import os
import re
import sys
from contextlib import suppress
from pathlib import Path

import click

from bridge.check.command import check
from bridge.keys.rotate_commands import rotate
from bridge.parameters import MAX_PORT, config_option, endpoint_options, finite, identity_options
from bridge.reading.commands import devices, history
from bridge.recovery.error_commands import errors
from bridge.recovery.rejected_commands import rejected
from bridge.recovery.replay_command import replay
from codec.commands import codec_test, decode
from contract.errors import BridgeError
from contract.names import IdentityKind

# The modules behind the commands are imported when a command runs: --help stays quick, and a
# command needs no library that it does not use.
# ruff: noqa: PLC0415


def _address(_ctx: click.Context, _param: click.Parameter, value: str) -> tuple[str, int]:
    host, _, port = value.rpartition(":")
    if not (host and re.fullmatch(r"[0-9]{1,5}", port) and 0 < int(port) <= MAX_PORT):
        raise click.BadParameter(f"{value!r} is not HOST:PORT with a port from 1 to {MAX_PORT}")
    return host.strip("[]"), int(port)  # [::1]:6500 is how IPv6 is written


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="lora-bridge")
def cli() -> None:
    """Make AWS IoT the backend of a LoRaWAN network.

    \b
    Example, on the network server's host:
      lora-bridge keygen --name network-host-1
      (deploy with network-host-1.csr)
      lora-bridge enroll --name network-host-1
      lora-bridge run --config bridge.toml
    """


@cli.command()
@identity_options
def keygen(name: str, folder: Path) -> None:
    """Make a private key and a certificate request (CSR).

    Writes NAME.key (EC P-256, mode 0600) and NAME.csr. The key never leaves this host;
    the CSR goes to where 'cdk deploy' runs. Existing files are never overwritten.

    \b
    Example:
      lora-bridge keygen --name network-host-1 --dir /etc/lora-bridge
    """
    from bridge.keys.keygen import make_key_and_csr

    key, csr = make_key_and_csr(name, folder)
    click.echo(f"{key}: the private key, for this host only")
    click.echo(f"{csr}: the certificate request, to deploy with")


@cli.command()
@identity_options
@endpoint_options
def enroll(name: str, folder: Path, endpoint: str | None, port: int, root_ca: Path | None) -> None:
    """Fetch the certificate after 'cdk deploy'.

    Writes NAME.pem and, for a bridge, bridge.toml (an existing one is kept). Needs AWS
    credentials that may read CloudFormation stacks and AWS IoT certificates and endpoints.

    \b
    Example:
      lora-bridge enroll --name network-host-1 --dir /etc/lora-bridge
    """
    from bridge.keys.enroll import Endpoint, find_endpoint
    from bridge.keys.enroll import enroll as fetch

    where = Endpoint(endpoint or find_endpoint(), port, root_ca.resolve() if root_ca else None)
    enrolled = fetch(name, folder, where)
    click.echo(f"{enrolled.certificate}: the certificate of {enrolled.kind} {name}")
    if enrolled.configuration_written:
        click.echo(f"{enrolled.configuration}: ready for 'lora-bridge run'")
    elif enrolled.kind is IdentityKind.BRIDGE:
        click.echo(f"{enrolled.configuration}: exists and was kept")
    else:
        click.echo(f"subscribe to {where.host}:{port} as client {name}, for example to 'lora/#'")


@cli.command()
@config_option
@click.option(
    "--log-format",
    type=click.Choice(["human", "json"]),
    help="Lines for people, or JSON; for people on a terminal, else JSON, by default.",
)
@click.option(
    "--log-level",
    type=click.Choice(["error", "warning", "info", "debug"]),
    default="info",
    show_default=True,
    help="What is said; debug follows each uplink, with its payload.",
)
def run(config_path: Path, log_format: str | None, log_level: str) -> None:
    """Forward the network server's frames to AWS IoT.

    Runs until SIGTERM or SIGINT. Every frame goes to the disk as it is published, and stays
    there until AWS IoT has acknowledged it. Logs go to standard error.

    \b
    Example:
      lora-bridge run --config /etc/lora-bridge/bridge.toml
    """
    from bridge.config import load
    from bridge.logs import LogFormat, LogLevel, log_to_stderr
    from bridge.service import serve

    log_to_stderr(LogFormat(log_format) if log_format else None, LogLevel(log_level))
    asyncio.run(serve(load(config_path)))


@cli.command()
@click.option(
    "--connect",
    callback=_address,
    default="127.0.0.1:6500",
    metavar="HOST:PORT",
    show_default=True,
    help="Where the bridge listens.",
)
@click.option(
    "--devices", type=click.IntRange(1), default=10, show_default=True, help="How many devices."
)
@click.option(
    "--rate",
    type=click.FloatRange(0, min_open=True),
    callback=finite,
    default=10.0,
    show_default=True,
    help="Frames a second.",
)
@click.option("--count", type=click.IntRange(1), help="Frames in all; otherwise without end.")
def simulate(connect: tuple[str, int], devices: int, rate: float, count: int | None) -> None:
    """Play the network server: send plausible frames to the bridge.

    Both layouts of the frames are used, with keep-alives, and frames are joined and split
    as TCP does.

    \b
    Example:
      lora-bridge simulate --devices 20 --rate 50 --count 1000
    """
    from bridge.simulate import Plan, simulate

    sent = 0

    def progress(added: int) -> None:
        nonlocal sent
        sent += added
        if sys.stderr.isatty():
            click.echo(f"\r{sent} of {count or 'endless'} frames sent ", nl=False, err=True)

    with suppress(KeyboardInterrupt):  # without --count, the way to end it
        simulate(Plan(*connect, devices, rate, count), progress)
    if sys.stderr.isatty():
        click.echo(err=True)
    click.echo(f"sent={sent} devices={devices}")


for command in (history, devices, check, errors, rejected, replay, rotate, decode, codec_test):
    cli.add_command(command)


def main() -> None:
    """Run the command line; what a person can cause ends in one line and exit status 1."""
    try:
        cli(prog_name="lora-bridge")
    except BridgeError as error:
        sys.exit(f"lora-bridge: {error}")
    except OSError as error:  # of writing the output; what is left of it would fail once more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(f"lora-bridge: cannot write: {error.strerror}")
