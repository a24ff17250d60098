"""The commands of the error queue: see what the rule could not store, and store it."""

import sys
from contextlib import closing
from typing import TYPE_CHECKING

import click

from console.interrupt import INTERRUPTED, interruptible
from console.parameters import deployment_option, format_option
from contract.deployment import Deployment
from contract.errors import BridgeError

# The modules behind the commands are imported when a command runs: --help stays quick, and a
# command needs no library that it does not use.
# ruff: noqa: PLC0415

if TYPE_CHECKING:
    from console.recovery.failures import Failure

_LAYOUT = "{:8.8} {:27} {:28} {:>5} {}"  # the beginning of the id tells it from others
_most = click.option(
    "--limit",
    type=click.IntRange(1),
    default=1000,
    metavar="N",
    show_default=True,
    help="Look at N messages at most.",
)


@click.group()
def errors() -> None:
    """Show what the AWS IoT rule could not store, and store it.

    The error queue of the LoraStore stack keeps it for 14 days. Needs AWS credentials that may
    read that stack. Each command says what else it needs.

    \b
    Example:
      lora-bridge errors list
      lora-bridge errors show 5fd8a1c2
      lora-bridge errors redrive
    """


@errors.command("list")
@_most
@format_option
@deployment_option
def list_errors(limit: int, form: str, deployment: Deployment) -> None:
    """List what is in the error queue, the newest first.

    For each message it prints the beginning of the id, when it failed, the device, the seqno and
    the reason. While this command looks, SQS hides the messages from other commands: for half a
    minute at most, or for a minute if it is killed. Needs sqs:ReceiveMessage,
    sqs:ChangeMessageVisibility and sqs:GetQueueAttributes.

    \b
    Example:
      lora-bridge errors list --format csv
    """
    from console.recovery.failures import ListedFailure, listed
    from console.show.tables import Format, render_records

    found = map(listed, _look(deployment, limit))
    for each in render_records(found, ListedFailure, _LAYOUT, Format(form)):
        click.echo(each)


@errors.command()
@click.argument("message_id", metavar="ID")
@_most
@deployment_option
def show(message_id: str, limit: int, deployment: Deployment) -> None:
    """Show a message of the error queue whole, as JSON.

    ID is the id in the list, or a beginning of it that no other message shares. The payload is
    what was published. This needs what 'errors list' needs, and hides messages as it does.

    \b
    Example:
      lora-bridge errors show 5fd8a1c2 | jq .payload
    """
    from console.recovery.failures import details
    from console.show.tables import render_whole

    found = [each for each in _look(deployment, limit) if each.id.startswith(message_id)]
    if not found:
        raise BridgeError(f"no message seen has an id that begins with {message_id}")
    if len(found) > 1:
        names = ", ".join(each.id for each in found[:3])
        raise BridgeError(f"{len(found)} messages begin with {message_id}: {names}")
    click.echo(render_whole(details(found[0])))


def _look(deployment: Deployment, limit: int) -> "list[Failure]":
    """Look into the queue, and say how much of it was seen."""
    from console.deployment import aws_errors
    from console.recovery.error_queue import deployed_queue

    with aws_errors():
        queue = deployed_queue(deployment)
        depth = queue.depth()
        length = min(limit, depth.waiting)
        hidden = not sys.stderr.isatty()
        with click.progressbar(length=length, hidden=hidden, file=sys.stderr) as bar:
            found = queue.look(limit, bar.update)
    total = depth.waiting + depth.held
    beyond = f" of about {total}" if total > len(found) else ""
    held = f", {depth.held} hidden by another command" if depth.held else ""
    click.echo(f"looked at {len(found)}{beyond} messages{held}", err=True)
    return found


@errors.command()
@deployment_option
def redrive(deployment: Deployment) -> None:
    """Store what is in the error queue, and remove it from there.

    Each message becomes the row that the rule would have stored. A row that exists already stays
    as it is. A message leaves the queue only when its row is in the table: you may interrupt this
    command, repeat it, or run it twice at once. It names each message that it cannot store, with
    the reason. Such a message stays in the queue. "hidden" counts messages that another command
    hides, or one that was killed: run it again for those. The exit status is 1 if any message is
    left or hidden. No uplink is published again. The decoder publishes the readings, if it is set
    to.

    Ctrl-C ends the command after the messages at hand. If it is killed, SQS hides the messages
    that it held for up to five minutes. Needs sqs:ReceiveMessage, sqs:DeleteMessage,
    sqs:ChangeMessageVisibility and sqs:GetQueueAttributes on the queue, and dynamodb:PutItem on
    the table.

    \b
    Example:
      lora-bridge errors redrive
    """
    from console.deployment import aws_errors
    from console.recovery.error_queue import deployed_queue
    from console.recovery.redrive import deployed_store, hidden_by_others, store_failures
    from console.show.columns import text

    redriven = 0
    left: list[str] = []
    hidden = not sys.stderr.isatty()
    with aws_errors(), interruptible() as ended:
        queue, store = deployed_queue(deployment), deployed_store(deployment)
        before = queue.depth()
        length = before.waiting
        try:
            with (
                closing(store_failures(queue, store, ended.is_set)) as results,
                click.progressbar(results, length=length, hidden=hidden, file=sys.stderr) as seen,
            ):
                for failure, reason in seen:
                    if reason is None:
                        redriven += 1
                    else:
                        device = failure.device or "no device"
                        left.append(f"left {failure.id}: {text(device)}: {text(reason)}")
        finally:
            for each in left:
                click.echo(each, err=True)
            others = hidden_by_others(before, queue.depth())
            click.echo(f"redriven={redriven} left={len(left)} hidden={others}")
    if ended.is_set():
        sys.exit(INTERRUPTED)
    if others:
        click.echo("another command hides some, for five minutes at most: run this again", err=True)
    sys.exit(1 if left or others else 0)
