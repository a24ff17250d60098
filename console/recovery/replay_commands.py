"""The command that publishes the history of a device again."""

import sys
import time

import click

from console.interrupt import INTERRUPTED, interruptible
from console.parameters import deployment_option, device_argument, finite, period, point
from contract.deployment import Deployment

# The modules behind the command are imported when it runs, see console/show/commands.py.
# ruff: noqa: PLC0415

_RATE = 50.0
_MAX_RATE = 100.0
"""Messages a second that one connection takes ("AWS IoT Core quotas", publish requests)."""


def _prefix(ctx: click.Context, _param: click.Parameter, value: str) -> str:
    from console.recovery.replay import check_prefix

    try:
        return check_prefix(ctx.params["deployment"], value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command()
@click.argument("device", callback=device_argument)
@click.option(
    "--since",
    required=True,
    callback=point,
    metavar="T",
    help="ISO 8601, or an age: 45s, 30m, 2h, 7d, 3w.",
)
@click.option(
    "--until", callback=point, metavar="T", help="The same form as --since.  [default: now]"
)
@click.option(
    "--topic-prefix",
    "prefix",
    required=True,
    callback=_prefix,
    metavar="P",
    help="Publish on P/APPEUI/MOTEEUI.",
)
@click.option(
    "--rate",
    type=click.FloatRange(0, _MAX_RATE, min_open=True),
    callback=finite,
    default=_RATE,
    show_default=True,
    help="Messages a second at most.",
)
@deployment_option
def replay(  # a parameter for each option
    *,
    device: str,
    since: int,
    until: int | None,
    prefix: str,
    rate: float,
    deployment: Deployment,
) -> None:
    """Publish the stored uplinks of a device again, oldest first.

    DEVICE is APPEUI/MOTEEUI. Each uplink is published with its old payload, at QoS 1. So
    subscribers may get one twice. P may be anything but 'lora': there the rule would store the
    uplinks again. Consumers may subscribe below lora/, for example to lora/replay.

    AWS IoT sends 100 messages a second on one connection. The default rate leaves half of that to
    live uplinks. Ctrl-C ends the command, and it then says from where to go on. Needs AWS
    credentials of an operator: they must be allowed to read the LoraStore stack, to use
    dynamodb:Query on its table, and iot:Publish on topic/P/APPEUI/MOTEEUI.

    \b
    Example:
      lora-bridge replay 37817737f13/9372163 --since 2h --topic-prefix lora/replay
    """
    import boto3

    from console.deployment import aws_errors
    from console.recovery.replay import publish_again, publisher, stored
    from console.store.history import table_name
    from contract.names import SORT_KEY

    _, latest = period(since, until, time.time_ns() // 1000)
    published, last = 0, None
    with aws_errors(), interruptible() as ended:
        uplinks = stored(table_name(deployment), device, since, latest)
        publish = publisher(boto3.client("iot-data"), prefix)
        try:
            for row in publish_again(uplinks, publish, rate, ended):
                published, last = published + 1, row[SORT_KEY]
                if sys.stderr.isatty():
                    click.echo(f"\r{published} published, up to {last} ", nl=False, err=True)
        finally:
            if published and sys.stderr.isatty():
                click.echo(err=True)
            click.echo(f"published={published}" + (f" last={last}" if last else ""))
    if ended.is_set():
        if last:
            click.echo(f"to go on: --since {last}", err=True)
        sys.exit(INTERRUPTED)
    if not published:
        click.echo(f"no uplinks of {device} between these times", err=True)
