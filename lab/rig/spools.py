"""Looks into a bridge's spool from outside."""

import sqlite3
from contextlib import closing
from pathlib import Path

from bridge.downlinks.store import SESSIONS


def committed(spool: Path) -> int:
    """Return how many frames and events have ever been committed to the spool."""
    return _number(spool, "SELECT ifnull(max(last), 0) FROM placements")


def waiting(spool: Path) -> int:
    """Return how many messages wait in the spool."""
    return _number(spool, "SELECT count(*) FROM waiting")


def claimed(spool: Path) -> int:
    """Return how many applications the bridge has claimed."""
    return _number(spool, f"SELECT count(*) FROM claims WHERE source <> '{SESSIONS}'")  # noqa: S608


def session_noted(spool: Path) -> bool:
    """Say whether the bridge has noted that AWS IoT keeps requests for it."""
    return _number(spool, f"SELECT count(*) FROM claims WHERE source = '{SESSIONS}'") > 0  # noqa: S608


def set_version(spool: Path, version: int) -> None:
    """Make the spool one that another version wrote."""
    with closing(sqlite3.connect(spool)) as database:
        database.execute(f"PRAGMA user_version = {version}")


def _number(spool: Path, query: str) -> int:
    with closing(sqlite3.connect(spool, timeout=30)) as database:
        return int(database.execute(query).fetchone()[0])
