"""The command that sends a downlink."""

import random
import sys
import time
from pathlib import Path

import click

from console.codecs.commands import engine, parse_payload, variables_option
from console.parameters import deployment_option, device_argument
from console.show.columns import text
from contract.deployment import Deployment
from contract.downlinks import MAX_PORT, Request
from contract.errors import BridgeError
from contract.names import EventType
from contract.times import format_time, parse_span, parse_time

# The modules behind the commands are imported when a command runs: --help stays quick, and a
# command needs no library that it does not use.
# ruff: noqa: PLC0415

_SECOND = 1_000_000  # microseconds


def _now() -> int:
    return time.time_ns() // 1000


def _expiry(_ctx: click.Context, _param: click.Parameter, value: str | None) -> int | None:
    """Read a time to come: microseconds since 1970."""
    if value is None:
        return None
    now, span = _now(), parse_span(value)
    at = parse_time(value) if span is None else now + span
    if at is None:
        raise click.BadParameter(f"{value!r} is neither ISO 8601 nor a time such as 45m, 2h or 7d")
    if at <= now:
        raise click.BadParameter(f"{format_time(at)} is over")
    return at


def _seconds(_ctx: click.Context, _param: click.Parameter, value: str | None) -> float | None:
    if value is None:
        return None
    span = parse_span(value)
    if not span:
        raise click.BadParameter(f"{value!r} is no time such as 60s or 2m")
    return span / _SECOND


@click.command()
@click.argument("device", callback=device_argument)
@click.argument("data", metavar="[HEX|BASE64]", required=False)
@click.option("--port", type=click.IntRange(1, MAX_PORT), help="The FPort.")
@click.option("--base64", is_flag=True, help="Read the bytes as base64, whatever they look like.")
@click.option(
    "--codec",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Make the bytes with the codec in this JavaScript file; needs --json.",
)
@click.option("--json", "command", metavar="JSON", help="The object that the codec encodes.")
@variables_option
@click.option("--confirmed", is_flag=True, help="The device has to acknowledge it.")
@click.option(
    "--immediate",
    is_flag=True,
    help="Ask the network server to send it at once, to a device of class C.",
)
@click.option(
    "--expires",
    callback=_expiry,
    metavar="T",
    help="When it is of no more use: in 45m, 2h, 7d, or ISO 8601.  [default: the bridge's]",
)
@click.option("--id", "request_id", metavar="ID", help="Your name for it.  [default: a fresh one]")
@click.option(
    "--wait",
    callback=_seconds,
    metavar="TIME",
    help="Show what becomes of it, for so long: 60s, 2m.",
)
@deployment_option
def send(  # noqa: PLR0913  # a parameter for each option
    *,
    device: str,
    data: str | None,
    port: int | None,
    base64: bool,
    codec: Path | None,
    command: str | None,
    variables: dict[str, str],
    confirmed: bool,
    immediate: bool,
    expires: int | None,
    request_id: str | None,
    wait: float | None,
    deployment: Deployment,
) -> None:
    """Send a downlink to a device.

    DEVICE is APPEUI/MOTEEUI. The bytes are hexadecimal, or base64 if they cannot be hexadecimal.
    With --codec and --json, a codec makes them, and may name the port.

    The request is published to AWS IoT. The bridge that has the device's application takes it, and
    tells each step as an event. A device has each id once: the same id again is not sent again.

    --wait shows each state, with its time and the milliseconds since the request, by the clocks of
    both hosts. The exit status is then 0 if the device has acknowledged it or, unless it is
    confirmed, if it was sent; otherwise 1.

    Needs AWS credentials that are allowed iot:Publish on topic/lora/APPEUI/MOTEEUI/down. --wait
    also needs them to read the LoraStore stack (cloudformation:DescribeStacks), and to use
    dynamodb:Query on its table.

    \b
    Example:
      lora-bridge send 37817737f13/9372163 --port 10 010f --confirmed --wait 60s
      lora-bridge send 37817737f13/9372163 --codec sensor.js --json '{"interval":600}' --port 10
    """
    from console.downlinks.request import fresh_id, payload
    from console.downlinks.sending import publish
    from console.store.history import table_name

    if (codec is None) != (command is None) or (codec is None) == (data is None):
        raise click.UsageError("give the bytes, or both --codec and --json")
    if codec is not None and command is not None:
        port, content = _encoded(codec, command, port, variables)
    elif port is None:
        raise click.UsageError("say on which FPort: --port")
    else:
        content = _bytes(data or "", base64=base64)
    name = fresh_id(random.SystemRandom()) if request_id is None else request_id
    request = Request(name, port, content, confirmed, immediate, expires)
    wanted = payload(request, _now())
    table = "" if wait is None else table_name(deployment)  # before anything is sent
    asked = _now()
    publish(deployment.request_topic(device), wanted)
    click.echo(f"id={name}")
    if wait is None:
        look = f"lora-bridge events {device} --type {EventType.DOWNLINK} --since 10m"
        click.echo(f"to see what becomes of it: {look}", err=True)
    else:
        _follow(table, device, request, asked, wait)


def _encoded(
    codec: Path, command: str, port: int | None, variables: dict[str, str]
) -> tuple[int, bytes]:
    """Return the port and the bytes that a codec makes of an object."""
    with engine():
        from console.codecs.encoding import encode_json
    encoded = encode_json(codec, command, port, variables)
    if not encoded.port_named:
        raise click.UsageError(f"{codec} names no FPort: say it with --port")
    for warning in encoded.warnings:
        click.echo(text(f"warning: {warning}"), err=True)
    return encoded.port, encoded.data


def _bytes(data: str, *, base64: bool) -> bytes:
    try:
        return parse_payload(data, base64=base64)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _follow(table: str, device: str, request: Request, asked: int, wait: float) -> None:
    """Show what becomes of a downlink, and end with the status that says whether it is good."""
    from console.downlinks.sending import watch
    from console.downlinks.trace import MEANINGS, Trace

    trace = Trace(request.id, confirmed=request.confirmed)
    for step in watch(table, device, trace, asked, wait):
        click.echo(text(step.line(asked)))
    if trace.last is None:
        raise BridgeError(
            f"no bridge has accepted it in {wait:g} s: is one with [downlinks] running and ready,"
            f" and has it ever had an uplink of application {device.partition('/')[0]}?"
        )
    verdict = f"{trace.last}: {MEANINGS[trace.last]}"
    if not trace.ended:
        raise BridgeError(f"no end in {wait:g} s, it is {verdict}")
    click.echo(verdict)
    sys.exit(0 if trace.is_good else 1)
