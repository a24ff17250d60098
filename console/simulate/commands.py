"""The command that plays the network server."""

import re
import sys
from contextlib import suppress
from pathlib import Path

import click
from click.core import ParameterSource

from bridge.config import Broker
from console.parameters import MAX_PORT, finite
from console.simulate.answers import Answers
from console.simulate.chirpstack_queue import Queues
from console.simulate.chirpstack_server import play
from console.simulate.plan import Plan
from console.simulate.server import send


def _address(
    _ctx: click.Context, _param: click.Parameter, value: str | None
) -> tuple[str, int] | None:
    if value is None:
        return None
    host, _, port = value.rpartition(":")
    if not (host and re.fullmatch(r"[0-9]{1,5}", port) and 0 < int(port) <= MAX_PORT):
        raise click.BadParameter(f"{value!r} is not HOST:PORT with a port from 1 to {MAX_PORT}")
    return host.strip("[]"), int(port)  # [::1]:6500 is how IPv6 is written


@click.command()
@click.option(
    "--connect",
    callback=_address,
    default="127.0.0.1:6500",
    metavar="HOST:PORT",
    show_default=True,
    help="Where the bridge listens.",
)
@click.option(
    "--chirpstack",
    callback=_address,
    metavar="HOST:PORT",
    help="Play ChirpStack instead, at this MQTT broker.",
)
@click.option("--username", metavar="NAME", help="User name for the broker, if it wants one.")
@click.option(
    "--password-file",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    metavar="FILE",
    help="A file with the user's password in its first line.",
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
@click.option("--count", type=click.IntRange(1), help="How many frames; without it, until Ctrl-C.")
@click.option(
    "--lose",
    type=click.FloatRange(0, 1),
    callback=finite,
    default=0.0,
    show_default=True,
    help="The share of downlinks that are never answered.",
)
def simulate(  # noqa: PLR0913  # a parameter for each option
    *,
    connect: tuple[str, int],
    chirpstack: tuple[str, int] | None,
    username: str | None,
    password_file: Path | None,
    devices: int,
    rate: float,
    count: int | None,
    lose: float,
) -> None:
    """Play the network server: send plausible frames to the bridge, and take its downlinks.

    The devices join first. It uses both layouts of frames, and sends keep-alives, and now and then
    a device's status. It joins and splits frames as TCP may. A moment after a downlink has come it
    says that it was sent, and a moment later, if it is confirmed, that the device has acknowledged
    it.

    With --chirpstack it publishes events of every kind, as ChirpStack v4 does in JSON. A device
    gets a downlink after its next uplink. With the uplink after that it acknowledges it, if it is
    confirmed. Uplinks that the broker has acknowledged count as sent.

    \b
    Example:
      lora-bridge simulate --devices 20 --rate 50 --count 1000
      lora-bridge simulate --chirpstack 127.0.0.1:1883 --count 100
    """
    typed = click.get_current_context().get_parameter_source("connect")
    if chirpstack and typed is ParameterSource.COMMANDLINE:
        raise click.UsageError("both --connect and --chirpstack: leave one out")
    broker = _broker(chirpstack, username, password_file)
    plan = Plan(devices, rate, count, lose)
    sent = 0
    downlinks: Answers | Queues | None = None

    def progress(added: int) -> None:
        nonlocal sent
        sent += added
        if sys.stderr.isatty():
            of = f" of {count}" if count else ""
            click.echo(f"\r{sent}{of} frames sent ", nl=False, err=True)

    with suppress(KeyboardInterrupt):  # without --count, the way to end it
        downlinks = play(broker, plan, progress) if broker else send(connect, plan, progress)
    if sys.stderr.isatty():
        click.echo(err=True)
    said = f" downlinks={downlinks.taken} lost={downlinks.lost}" if downlinks else ""
    click.echo(f"sent={sent} devices={devices}{said}")


def _broker(
    address: tuple[str, int] | None, username: str | None, password_file: Path | None
) -> Broker | None:
    if address is None:
        if username or password_file:
            raise click.UsageError("--username and --password-file are for --chirpstack")
        return None
    if password_file and not username:
        raise click.UsageError("--password-file needs --username")
    host, port = address
    return Broker(host=host, port=port, username=username, password_file=password_file)
