"""Looks into a running bridge's spool from outside."""

import sqlite3
from contextlib import closing
from pathlib import Path


def waiting(spool: Path) -> int:
    """Return how many messages are in the spool, as another process sees it."""
    with closing(sqlite3.connect(spool)) as database:
        return int(database.execute("SELECT count(*) FROM waiting").fetchone()[0])
