"""The commands of the rejected frames: see what the bridge could not use, and retry it."""

import sys
from pathlib import Path

import click

from bridge.commands import config_option
from console.parameters import format_option
from contract.errors import BridgeError

# The modules behind the commands are imported when a command runs, see console/show/commands.py.
# ruff: noqa: PLC0415

_LAYOUT = "{:>6} {:27} {:15} {:20} {:>6} {}"
_ID = click.IntRange(0, 2**63 - 1)  # SQLite's
_ids = click.argument("ids", metavar="[ID]...", nargs=-1, type=_ID)


@click.group()
def rejected() -> None:
    """Show the frames that the bridge could not use, and have them read again.

    The spool keeps them: for each reason, as many as max_rejected in bridge.toml allows. When
    there are more, the oldest leave. If a frame was too long or cut off, only its beginning is
    kept. Of a flood, only some frames are kept.

    Run these commands on the bridge's host, as a user who may write the spool. The bridge may be
    running or not.

    \b
    Example:
      lora-bridge rejected list
      lora-bridge rejected show 17
      lora-bridge rejected retry
    """


@rejected.command("list")
@config_option
@format_option
def list_rejected(config_path: Path, form: str) -> None:
    """List the rejected frames, the oldest first.

    For each it prints the id, when and where it came, the reason, its length, and how it begins.

    \b
    Example:
      lora-bridge rejected list --config /etc/lora-bridge/bridge.toml
    """
    from bridge.spool.rejected import ListedFrame, listed
    from console.recovery.spool_file import opened
    from console.show.tables import Format, render_records

    with opened(config_path) as spool:
        frames = listed(spool)
    for each in render_records(frames, ListedFrame, _LAYOUT, Format(form)):
        click.echo(each)


@rejected.command()
@click.argument("number", metavar="ID", type=_ID)
@config_option
def show(number: int, config_path: Path) -> None:
    """Show a rejected frame whole, as JSON.

    The field is "frame" or, if the frame is not UTF-8, "base64".

    \b
    Example:
      lora-bridge rejected show 17 | jq -r .frame
    """
    from bridge.spool.rejected import details, found
    from console.recovery.spool_file import opened
    from console.show.tables import render_whole

    with opened(config_path) as spool:
        frame = found(spool, number)
    if frame is None:
        raise BridgeError(f"there is no rejected frame {number}")
    click.echo(render_whole(details(number, frame)))


@rejected.command()
@_ids
@config_option
def retry(ids: tuple[int, ...], config_path: Path) -> None:
    """Have the bridge read rejected frames again.

    Without an ID, it reads all of them again. If the bridge now accepts a frame, it publishes the
    uplink with the time of its receipt, and the frame leaves this list. Otherwise the frame stays,
    and this command names it with the reason.

    Restart the bridge first if you changed its configuration. If the bridge is not running, it
    reads the frames when it starts. The exit status is 1 if any frame stays or waits.

    \b
    Example:
      lora-bridge rejected retry
    """
    from bridge.spool import rejected as kept
    from console.recovery import spool_file

    no_bridge = "no bridge reads them now: start it, or wait until its spool has room"
    done = spool_file.retry(config_path, kept, ids, "rejected frame", no_bridge)
    sys.exit(0 if done else 1)


@rejected.command("drop")
@_ids
@click.option("--all", "everything", is_flag=True, help="Remove all of them.")
@config_option
def drop_rejected(ids: tuple[int, ...], *, everything: bool, config_path: Path) -> None:
    """Remove rejected frames. Nobody can get them back.

    \b
    Example:
      lora-bridge rejected drop 17 18
    """
    from bridge.spool import rejected as kept
    from console.recovery import spool_file

    spool_file.drop(config_path, kept, ids, "rejected frame", everything=everything)
