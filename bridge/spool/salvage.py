"""Replaces a damaged spool by a sound one that holds all that can still be read."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from bridge.spool.file import MODE, beside, connect
from bridge.spool.readable import copy_rows, keep_lost_downlinks, states
from bridge.spool.wal import PAGE, Log, parse_log, problem

_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_PRIMARY = 0xFF
"""Of SQLite's result codes, the part without the details (sqlite.org/rescode.html)."""
_PARTS = ("-wal", "-shm", "")
_KEPT_LOG = "-wal.kept"


class DamagedError(Exception):
    """The spool is damaged, though SQLite would not say so."""


class MovedError(Exception):
    """The file is no longer the one that is open: somebody removed or replaced it."""


@dataclass(frozen=True)
class Salvaged:
    """How many messages were saved, and where what was there now is."""

    messages: int
    aside: Path


def is_damage(error: sqlite3.Error) -> bool:
    """Return whether the error says that the file itself is damaged."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    if code is None:  # of Python's own making, when a text is not UTF-8 any more
        return str(error).startswith("Could not decode to UTF-8")
    return code & _PRIMARY in _DAMAGE


def examine(path: Path) -> None:
    """Look at a spool that nobody has open, before SQLite does.

    Raises:
        DamagedError: SQLite would pass over committed messages, and remove them.

    """
    log = parse_log(_content(beside(path, "-wal")))
    found = problem(log, _content(beside(path, "-shm"))) or _missing_pages(path, log)
    if found:
        raise DamagedError(found)


def salvage(
    path: Path, on_progress: Callable[[], object], live: sqlite3.Connection | None = None
) -> Salvaged:
    """Put a sound spool at ``path``, with what the damaged one there, closed, still tells.

    With ``live``, the spool that is open is sound, but somebody removed or replaced its file.
    What is at ``path`` is moved aside whole. What happens in between, a crash included, either
    leaves all as it was or is finished by ``finish``. A gigabyte takes a quarter of a minute, in
    which ``on_progress`` is called several times a second.

    Raises:
        OSError, sqlite3.Error: the sound one cannot be written; the damaged one is in its place.

    """
    if _finished(path).exists():  # by an attempt that could not put it into its place
        with closing(sqlite3.connect(_finished(path))) as sound:
            return Salvaged(_count(sound), _exchange(path))
    building = beside(path, ".building")
    building.unlink(missing_ok=True)
    building.touch(MODE)
    with closing(connect(building)) as sound:
        sound.execute("PRAGMA journal_mode = OFF")  # everything into the one file, once
        if live is not None:
            copy_rows(live, sound, on_progress)
        else:
            _copy(path, sound, on_progress)
        messages = _count(sound)
        sound.execute("PRAGMA journal_mode = DELETE")
    building.rename(_finished(path))
    return Salvaged(messages, _exchange(path))


def finish(path: Path) -> bool:
    """Finish what a crash interrupted: put in its place what ``salvage`` or ``log_kept`` made.

    Return whether a sound spool came in the place of a damaged one.
    """
    salvaged = _finished(path).exists()
    if salvaged:
        _exchange(path)
    kept, log = beside(path, _KEPT_LOG), beside(path, "-wal")
    if kept.exists() and not log.exists():
        kept.rename(log)
    kept.unlink(missing_ok=True)
    return salvaged


@contextmanager
def log_kept(path: Path) -> Iterator[None]:
    """Keep the write-ahead log while SQLite closes the spool: that removes it, read or not."""
    kept, log = beside(path, _KEPT_LOG), beside(path, "-wal")
    kept.unlink(missing_ok=True)
    if log.exists():
        try:
            os.link(log, kept)
        except OSError:  # not every file system has links
            kept.touch(MODE)
            shutil.copyfile(log, kept)
    yield
    if kept.exists():
        kept.replace(log)


def _copy(path: Path, sound: sqlite3.Connection, on_progress: Callable[[], object]) -> None:
    log = parse_log(_content(beside(path, "-wal")))
    trusted = not (problem(log, b"") or _missing_pages(path, log))
    with states(path, log, trusted=trusted) as sources:
        for source in sources:
            copy_rows(source, sound, on_progress)
        for source in sources:
            keep_lost_downlinks(source, sound)


def _missing_pages(path: Path, log: Log) -> str | None:
    """Say that pages are neither in the database nor in the log, if it is so."""
    frames = log.all()
    if not frames:
        return None
    there = path.stat().st_size // PAGE
    missing = set(range(there + 1, frames[-1].pages + 1)) - {each.page for each in frames}
    if not there:
        return "it is empty beside a write-ahead log"
    return f"it ends {len(missing)} pages too early" if missing else None


def _exchange(path: Path) -> Path:
    aside = next(
        aside for number in count(1) if not (aside := beside(path, f".damaged-{number}")).exists()
    )
    # The file itself goes last: until then the name is free, and a second try uses it again.
    for suffix in _PARTS:
        part = beside(path, suffix)
        if part.exists():
            part.rename(beside(aside, suffix))
    _finished(path).rename(path)
    return aside


def _finished(path: Path) -> Path:
    return beside(path, ".salvaged")


def _content(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def _count(spool: sqlite3.Connection) -> int:
    return int(spool.execute("SELECT count(*) FROM waiting").fetchone()[0])
