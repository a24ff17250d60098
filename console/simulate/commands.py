"""The command that plays the network server."""

import re
import sys
from contextlib import suppress

import click

from console.parameters import MAX_PORT, finite
from console.simulate.server import Plan, send


def _address(_ctx: click.Context, _param: click.Parameter, value: str) -> tuple[str, int]:
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
def simulate(
    connect: tuple[str, int], devices: int, rate: float, count: int | None, lose: float
) -> None:
    """Play the network server: send plausible frames to the bridge, and take its downlinks.

    The devices join first. It uses both layouts of frames, and sends keep-alives. It joins and
    splits frames as TCP may. A moment after a downlink has come it says that it was sent, and a
    moment later, if it is confirmed, that the device has acknowledged it.

    \b
    Example:
      lora-bridge simulate --devices 20 --rate 50 --count 1000
    """
    sent, answers = 0, None

    def progress(added: int) -> None:
        nonlocal sent
        sent += added
        if sys.stderr.isatty():
            of = f" of {count}" if count else ""
            click.echo(f"\r{sent}{of} frames sent ", nl=False, err=True)

    with suppress(KeyboardInterrupt):  # without --count, the way to end it
        answers = send(Plan(*connect, devices, rate, count, lose), progress)
    if sys.stderr.isatty():
        click.echo(err=True)
    said = f" downlinks={answers.taken} lost={answers.lost}" if answers else ""
    click.echo(f"sent={sent} devices={devices}{said}")
