"""The command that has stored uplinks decoded again."""

import re
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

import click

from console.interrupt import INTERRUPTED, interruptible
from console.parameters import deployment_option, device_argument, finite, period, point
from contract.deployment import Deployment
from contract.eui import EUI_PATTERN, one_case

# The modules behind the command are imported when it runs, see console/show/commands.py.
# ruff: noqa: PLC0415

if TYPE_CHECKING:
    from console.recovery.redecode import Decoder

_RATE = 200.0
_MAX_RATE = 1000.0
"""Writes a second that a partition takes, and all uplinks of a device are in one ("Best practices
for partition keys", Amazon DynamoDB Developer Guide)."""
_LONGEST = 310  # seconds for which the function may be silent: longer than it may take


def _target(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """Read ``APPEUI/MOTEEUI``, or an AppEUI."""
    if "/" in value:
        return device_argument(ctx, param, value)
    if not re.fullmatch(EUI_PATTERN, value):
        raise click.BadParameter(f"{value!r} is neither APPEUI/MOTEEUI nor APPEUI")
    return one_case(value)


@click.command()
@click.argument("target", metavar="DEVICE|APPLICATION", callback=_target)
@click.option(
    "--since", callback=point, metavar="T", help="ISO 8601, or an age: 45s, 30m, 2h, 7d, 3w."
)
@click.option(
    "--until", callback=point, metavar="T", help="The same form as --since.  [default: now]"
)
@click.option(
    "--rate",
    type=click.FloatRange(0, _MAX_RATE, min_open=True),
    callback=finite,
    default=_RATE,
    show_default=True,
    help="Readings a second that are written, at most.",
)
@deployment_option
def redecode(
    target: str, since: int | None, until: int | None, rate: float, deployment: Deployment
) -> None:
    """Decode stored uplinks again.

    Use it after an outage, or for a codec that was added or mended: deploy the codec first.
    DEVICE is APPEUI/MOTEEUI. APPLICATION is an APPEUI, and stands for all its devices. Without
    --since it begins with the oldest uplinks.

    The deployed decoder decodes them, with the codecs that it has. What a row had from an earlier
    codec is replaced. A row that has what the codec says now is not written again. So repeating
    the command goes on where it stopped. A row without a codec stays as it is. No reading is
    published.

    The last line counts what became of the uplinks. The exit status is 1 if AWS did not store
    some readings: they are "left", and a repetition stores them.

    Needs AWS credentials of an operator: cloudformation:DescribeStacks on the LoraStore stack,
    dynamodb:Query on its table, and on its table of devices for an application, and
    lambda:InvokeFunction on its function. They need no right to write.

    \b
    Example:
      lora-bridge redecode 37817737f13/9372163 --since 7d
      lora-bridge redecode 37817737f13
    """
    import boto3

    from console.deployment import aws_errors, stack_outputs
    from console.recovery.redecode import decode_again, devices_of, stored
    from contract.names import (
        DECODER_OUTPUT,
        DEVICES_OUTPUT,
        PARTITION_KEY,
        SORT_KEY,
        TABLE_OUTPUT,
    )
    from contract.redecoding import Outcome

    begin, end = period(since, until, time.time_ns() // 1000)
    counts: Counter[Outcome] = Counter()
    hidden = not sys.stderr.isatty()
    with aws_errors(), interruptible() as ended:
        table, devices, function = stack_outputs(
            deployment.store_stack, TABLE_OUTPUT, DEVICES_OUTPUT, DECODER_OUTPUT
        )
        found = devices_of(devices, target, begin)
        uplinks = stored(boto3.client("dynamodb"), table, found, begin, end)
        try:
            for item, outcome in decode_again(uplinks, _decoder(function), rate, ended):
                counts[outcome] += 1
                if not hidden:
                    at = f"{item[PARTITION_KEY].get('S')} {item[SORT_KEY].get('S')}"
                    click.echo(f"\r{counts.total()} looked at, up to {at} ", nl=False, err=True)
        finally:
            if counts and not hidden:
                click.echo(err=True)
            click.echo(" ".join(f"{each.name.lower()}={counts[each]}" for each in Outcome))
    if ended.is_set():
        click.echo("not all: run it again, it goes on where it stopped", err=True)
        sys.exit(INTERRUPTED)
    if not counts:
        click.echo(f"no uplinks of {target} between these times", err=True)
    if counts[Outcome.LEFT]:
        click.echo("run it again for what is left; the decoder's log has the reason", err=True)
    sys.exit(1 if counts[Outcome.LEFT] else 0)


def _decoder(function: str) -> "Decoder":
    import boto3
    from botocore.config import Config

    from console.recovery.redecode import decoder

    return decoder(boto3.client("lambda", config=Config(read_timeout=_LONGEST)), function)
