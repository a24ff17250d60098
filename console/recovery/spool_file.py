"""Works on the bridge's spool beside the bridge, in steps that it does not feel."""

import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

import click

from bridge.config import load
from bridge.spool import file
from contract.errors import BridgeError

_AT_ONCE = 500  # rows; the bridge waits so long
_LOOK_EVERY = 0.1  # seconds
_PATIENCE = 5.0  # seconds without any progress, after which no bridge is at work


class Row(Protocol):
    """One row of a list, in one line."""

    @property
    def id(self) -> int:
        """Its number."""

    @property
    def why(self) -> str:
        """Why it is kept, and whose it is if that is known."""


class Kept(Protocol):
    """What the bridge keeps for a person: a module of bridge/spool, refused.py or rejected.py."""

    def listed(self, spool: sqlite3.Connection, /) -> Sequence[Row]:
        """Return all rows, the oldest first."""

    def ask(self, spool: sqlite3.Connection, numbers: Sequence[int], /) -> None:
        """Ask the bridge to retry rows."""

    def waiting(self, spool: sqlite3.Connection, /) -> set[int]:
        """Return the numbers of the rows that it is asked to retry."""

    def drop(self, spool: sqlite3.Connection, numbers: Sequence[int], /) -> None:
        """Remove rows."""


@contextmanager
def opened(config_path: Path) -> Iterator[sqlite3.Connection]:
    """Open the spool that a configuration names, beside the bridge.

    Raises:
        BridgeError: it is not there, or cannot be used.

    """
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


def retry(config_path: Path, kept: Kept, ids: Sequence[int], kind: str, no_bridge: str) -> bool:
    """Have the bridge retry rows, all if no id is given; say what came of it.

    Returns:
        Whether none stays or waits.

    Raises:
        BridgeError: one is not there, or the spool cannot be used.

    """
    with opened(config_path) as spool:
        numbers = _chosen(kept.listed(spool), ids, kind)
        _in_steps(spool, kept.ask, numbers)
        not_tried = _wait(lambda: kept.waiting(spool), set(numbers))
        tried = set(numbers) - not_tried
        left = [each for each in kept.listed(spool) if each.id in tried]
    for each in left:
        click.echo(f"left {each.id}: {each.why}", err=True)
    if not_tried:
        click.echo(no_bridge, err=True)
    retried = len(tried) - len(left)
    click.echo(f"retried={retried} left={len(left)} waiting={len(not_tried)}")
    return not left and not not_tried


def drop(config_path: Path, kept: Kept, ids: Sequence[int], kind: str, *, everything: bool) -> None:
    """Remove rows, and say how many.

    Raises:
        BridgeError: one is not there, or the spool cannot be used.
        click.UsageError: neither ids nor all of them were asked for, or both.

    """
    if bool(ids) == everything:
        raise click.UsageError("give the ids, or --all")
    with opened(config_path) as spool:
        numbers = _chosen(kept.listed(spool), ids, kind)
        _in_steps(spool, kept.drop, numbers)
    click.echo(f"dropped={len(numbers)}")


def _chosen(rows: Sequence[Row], ids: Sequence[int], kind: str) -> list[int]:
    there = [each.id for each in rows]
    missing = set(ids).difference(there)
    if missing:
        raise BridgeError(f"there is no {kind} {min(missing)}")
    return list(dict.fromkeys(ids)) or there


def _in_steps(
    spool: sqlite3.Connection,
    work: Callable[[sqlite3.Connection, Sequence[int]], None],
    numbers: Sequence[int],
) -> None:
    """Do some work on rows, not on too many at once."""
    for start in range(0, len(numbers), _AT_ONCE):
        spool.execute("BEGIN IMMEDIATE")
        work(spool, numbers[start : start + _AT_ONCE])
        spool.execute("COMMIT")


def _wait(waiting: Callable[[], set[int]], numbers: set[int]) -> set[int]:
    """Wait while a bridge takes what ``waiting`` returns; return the numbers that it does not."""
    left = numbers & waiting()
    changed = time.monotonic()
    hidden = not sys.stderr.isatty()
    with click.progressbar(length=len(left), hidden=hidden, file=sys.stderr) as bar:
        while left and time.monotonic() - changed < _PATIENCE:
            time.sleep(_LOOK_EVERY)
            before, left = left, numbers & waiting()
            if len(left) < len(before):
                bar.update(len(before) - len(left))
                changed = time.monotonic()
    return left
