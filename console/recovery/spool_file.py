"""Works on the bridge's spool beside the bridge, in steps that it does not feel."""

import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import click

from bridge.config import load
from bridge.spool import file
from contract.errors import BridgeError

_AT_ONCE = 500  # rows; the bridge waits so long
_LOOK_EVERY = 0.1  # seconds
_PATIENCE = 5.0  # seconds without any progress, after which no bridge is at work


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


def chosen(there: Sequence[int], ids: Sequence[int], kind: str) -> list[int]:
    """Return the ids, all there are if none is given.

    Raises:
        BridgeError: one is not there.

    """
    missing = set(ids).difference(there)
    if missing:
        raise BridgeError(f"there is no {kind} {min(missing)}")
    return list(dict.fromkeys(ids)) or list(there)


def in_steps(
    spool: sqlite3.Connection,
    work: Callable[[sqlite3.Connection, Sequence[int]], None],
    numbers: Sequence[int],
) -> None:
    """Do some work on rows, not on too many at once."""
    for start in range(0, len(numbers), _AT_ONCE):
        spool.execute("BEGIN IMMEDIATE")
        work(spool, numbers[start : start + _AT_ONCE])
        spool.execute("COMMIT")


def wait(waiting: Callable[[], set[int]], numbers: set[int]) -> set[int]:
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
