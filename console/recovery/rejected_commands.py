"""The commands of the rejected frames: see what the bridge could not use, and retry it."""

import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import click

from bridge.commands import config_option
from console.parameters import format_option
from contract.errors import BridgeError

# The modules behind the commands are imported when a command runs, see console/show/commands.py.
# ruff: noqa: PLC0415

_AT_ONCE = 500  # frames; the bridge waits so long
_LOOK_EVERY = 0.1  # seconds
_PATIENCE = 5.0  # seconds without any progress, after which no bridge is at work

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
    from console.show.tables import Format, render_records

    with _spool(config_path) as spool:
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
    from console.show.tables import render_whole

    with _spool(config_path) as spool:
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
    from bridge.spool.rejected import ask, listed

    with _spool(config_path) as spool:
        numbers = _chosen(spool, ids)
        _in_steps(spool, ask, numbers)
        waiting = _wait(spool, set(numbers))
        read = set(numbers) - waiting
        left = [each for each in listed(spool) if each.id in read]
    for each in left:
        click.echo(f"left {each.id}: {each.reason}", err=True)
    if waiting:
        click.echo("no bridge reads them now: start it, or wait until its spool has room", err=True)
    retried = len(numbers) - len(left) - len(waiting)
    click.echo(f"retried={retried} left={len(left)} waiting={len(waiting)}")
    sys.exit(1 if left or waiting else 0)


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
    from bridge.spool.rejected import drop

    if bool(ids) == everything:
        raise click.UsageError("give the ids, or --all")
    with _spool(config_path) as spool:
        numbers = _chosen(spool, ids)
        _in_steps(spool, drop, numbers)
    click.echo(f"dropped={len(numbers)}")


@contextmanager
def _spool(config_path: Path) -> Iterator[sqlite3.Connection]:
    """Open the spool that a configuration names, beside the bridge."""
    from bridge.config import load
    from bridge.spool import file

    path = load(config_path).spool.path
    try:
        if not path.exists():
            raise BridgeError(f"{path}: no such file: the bridge makes it when it starts")
        with closing(file.join(path)) as spool:
            yield spool
    except sqlite3.Error as error:
        raise BridgeError(f"{path}: cannot use the spool: {error}") from None
    except PermissionError:
        raise BridgeError(f"{path}: run this as the bridge's user") from None


def _chosen(spool: sqlite3.Connection, ids: Sequence[int]) -> list[int]:
    """Return the ids, all there are if none is given."""
    from bridge.spool.rejected import listed

    there = [each.id for each in listed(spool)]
    missing = set(ids).difference(there)
    if missing:
        raise BridgeError(f"there is no rejected frame {min(missing)}")
    return list(dict.fromkeys(ids)) or there


def _in_steps(
    spool: sqlite3.Connection,
    work: Callable[[sqlite3.Connection, Sequence[int]], None],
    numbers: Sequence[int],
) -> None:
    for start in range(0, len(numbers), _AT_ONCE):
        spool.execute("BEGIN IMMEDIATE")
        work(spool, numbers[start : start + _AT_ONCE])
        spool.execute("COMMIT")


def _wait(spool: sqlite3.Connection, numbers: set[int]) -> set[int]:
    """Wait while a bridge reads frames; return the numbers of those that it does not."""
    from bridge.spool.rejected import waiting

    left = numbers & waiting(spool)
    changed = time.monotonic()
    hidden = not sys.stderr.isatty()
    with click.progressbar(length=len(left), hidden=hidden, file=sys.stderr) as bar:
        while left and time.monotonic() - changed < _PATIENCE:
            time.sleep(_LOOK_EVERY)
            before, left = left, numbers & waiting(spool)
            if len(left) < len(before):
                bar.update(len(before) - len(left))
                changed = time.monotonic()
    return left
