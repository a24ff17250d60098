"""The messages that wait, in the spool's file: one row each, in the order of receipt."""

import sqlite3
from collections.abc import Sequence
from itertools import chain
from typing import Literal

import msgspec

from bridge.spool.waiting import Share, Waiting

_ROWS = 200
"""Rows inserted by one statement. SQLite gives the interpreter lock up for each statement and
has to win it back from busy threads: one statement for each row takes 40 times as long then."""


def insert(spool: sqlite3.Connection, messages: Sequence[Waiting]) -> None:
    """Add messages behind all others."""
    for start in range(0, len(messages), _ROWS):
        rows = [
            (each.id, each.shard, each.topic, each.payload)
            for each in messages[start : start + _ROWS]
        ]
        values = ",".join(["(?,?,?,?)"] * len(rows))
        spool.execute(
            f"INSERT INTO waiting (id, shard, topic, payload) VALUES {values}",  # noqa: S608
            [*chain.from_iterable(rows)],
        )


def remove(spool: sqlite3.Connection, ids: Sequence[int]) -> None:
    """Drop the messages with these ids."""
    if ids:
        spool.execute(
            "DELETE FROM waiting WHERE id IN (SELECT value FROM json_each(?))",
            (msgspec.json.encode(ids).decode(),),
        )


def read(
    spool: sqlite3.Connection, after: int, limit: int, share: Share
) -> tuple[list[Waiting], bool]:
    """Return the next messages of a share, in order, and whether these are all.

    They follow id ``after``, and end where they are ``limit`` bytes. Refused ones are left out.
    """
    rows = spool.execute(
        "SELECT id, shard, topic, payload FROM waiting"
        " WHERE id > ? AND shard % ? = ? AND refused IS NULL ORDER BY id",
        (after, share.total, share.number),
    )
    found = []
    for row in rows:
        waiting = Waiting(*row)
        found.append(waiting)
        limit -= waiting.size
        if limit <= 0:
            rows.close()
            return found, False
    return found, True


def oldest(spool: sqlite3.Connection) -> Waiting | None:
    """Return the message with the least id, None where none waits."""
    row = spool.execute(
        "SELECT id, shard, topic, payload FROM waiting ORDER BY id LIMIT 1"
    ).fetchone()
    return None if row is None else Waiting(*row)


def size(spool: sqlite3.Connection) -> tuple[int, int]:
    """Return how many messages wait, and their bytes."""
    row = spool.execute(
        "SELECT count(*), ifnull(sum(length(topic) + length(payload)), 0) FROM waiting"
    ).fetchone()
    return int(row[0]), int(row[1])


def greatest(spool: sqlite3.Connection, column: Literal["id", "refused"]) -> int:
    """Return the greatest number in a column, 0 where there is none."""
    query = f"SELECT max({column}) FROM waiting WHERE {column} IS NOT NULL"  # noqa: S608  # ours
    return int(spool.execute(query).fetchone()[0] or 0)
