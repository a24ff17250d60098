"""The commands of the refused messages: see what AWS IoT did not accept, and retry it."""

import sys
from pathlib import Path

import click

from bridge.commands import config_option
from console.parameters import format_option
from contract.errors import BridgeError

# The modules behind the commands are imported when a command runs, see console/show/commands.py.
# ruff: noqa: PLC0415

_LAYOUT = "{:>8} {:27} {:28} {:>5} {:>6} {:17} {}"
_ID = click.IntRange(0, 2**63 - 1)  # SQLite's
_ids = click.argument("ids", metavar="[ID]...", nargs=-1, type=_ID)


@click.group()
def refused() -> None:
    """Show the messages that AWS IoT refused, and retry them.

    The spool keeps them, as many as max_refused in bridge.toml allows. When there are more, the
    oldest leave. The bridge itself retries one message of each topic from time to time. When AWS
    IoT accepts one, the others of its topic follow. Some messages would be refused each time: the
    bridge retries those when you ask for it, never by itself.

    Run these commands on the bridge's host, as a user who may write the spool. The bridge may be
    running or not.

    \b
    Example:
      lora-bridge refused list
      lora-bridge refused show 17
      lora-bridge refused retry
    """


@refused.command("list")
@config_option
@format_option
def list_refused(config_path: Path, form: str) -> None:
    """List the refused messages, the oldest first.

    For each it prints the id, the time, the device, the seqno, the length, when the bridge tries
    it again, and the reason.

    \b
    Example:
      lora-bridge refused list --config /etc/lora-bridge/bridge.toml
    """
    from bridge.spool.refused import ListedMessage, listed
    from console.recovery.spool_file import opened
    from console.show.tables import Format, render_records

    with opened(config_path) as spool:
        messages = listed(spool)
    for each in render_records(messages, ListedMessage, _LAYOUT, Format(form)):
        click.echo(each)


@refused.command()
@click.argument("number", metavar="ID", type=_ID)
@config_option
def show(number: int, config_path: Path) -> None:
    """Show a refused message whole, as JSON.

    \b
    Example:
      lora-bridge refused show 17 | jq .payload
    """
    from bridge.spool.refused import details
    from console.recovery.spool_file import opened
    from console.show.tables import render_whole

    with opened(config_path) as spool:
        found = details(spool, number)
    if found is None:
        raise BridgeError(f"there is no refused message {number}")
    click.echo(render_whole(found))


@refused.command()
@_ids
@config_option
def retry(ids: tuple[int, ...], config_path: Path) -> None:
    """Have the bridge publish refused messages again, now.

    Without an ID, it publishes all of them again. A message that AWS IoT accepts leaves this list.
    Otherwise it stays, and this command names it with the reason. If the bridge is not running,
    it does this when it starts. The exit status is 1 if any message stays or waits.

    \b
    Example:
      lora-bridge refused retry 17
    """
    from bridge.spool import refused as kept
    from console.recovery import spool_file

    no_bridge = "no bridge tries them now: start it, or see whether it is connected"
    done = spool_file.retry(config_path, kept, ids, "refused message", no_bridge)
    sys.exit(0 if done else 1)


@refused.command("drop")
@_ids
@click.option("--all", "everything", is_flag=True, help="Remove all of them.")
@config_option
def drop_refused(ids: tuple[int, ...], *, everything: bool, config_path: Path) -> None:
    """Remove refused messages. Nobody can get them back.

    \b
    Example:
      lora-bridge refused drop 17 18
    """
    from bridge.spool import refused as kept
    from console.recovery import spool_file

    spool_file.drop(config_path, kept, ids, "refused message", everything=everything)
