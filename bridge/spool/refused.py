"""The messages that AWS IoT refused, in the spool's file: kept, tried again, shown, dropped."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import msgspec

from bridge.messages.message import seqno_of, time_of
from bridge.spool.waiting import Waiting
from contract.names import device_of
from contract.times import format_time

_MESSAGE = "SELECT id, shard, topic, payload FROM waiting"
_LISTED = (
    "SELECT id, topic, payload, reason, tried FROM waiting WHERE refused IS NOT NULL ORDER BY id"
)


class Tried(IntEnum):
    """When a refused message is tried again."""

    WHEN_ASKED = 0  # the SDK or the broker would refuse it each time
    FROM_TIME_TO_TIME = 1
    NOW = 2  # a person has asked


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why message ``id`` was refused, and whether it would be each time."""

    id: int
    reason: str
    final: bool


@dataclass(frozen=True, slots=True)
class ListedMessage:
    """A refused message in one line."""

    id: int
    time: str | None
    device: str
    seqno: int | None
    bytes: int
    tried: str
    reason: str

    @property
    def why(self) -> str:
        """The device, and the reason."""
        return f"{self.device}: {self.reason}"


def note(spool: sqlite3.Connection, refusals: Sequence[Refusal], first: int) -> None:
    """Set messages aside; ``first`` is the number of the first of these refusals."""
    spool.executemany(
        "UPDATE waiting SET refused = ?, reason = ?, tried = ? WHERE id = ?",
        [
            (number, each.reason, int(not each.final), each.id)
            for number, each in enumerate(refusals, start=first)
        ],
    )


def oldest(spool: sqlite3.Connection, after_topic: str) -> Waiting | None:
    """Return what was refused longest ago of the next topic after ``after_topic`` with any."""
    row = spool.execute(
        "SELECT id, shard, topic, payload, min(refused) FROM waiting"
        " WHERE refused IS NOT NULL AND tried AND topic = (SELECT min(topic) FROM waiting"
        " WHERE refused IS NOT NULL AND tried AND topic > ?)",
        (after_topic,),
    ).fetchone()
    return None if row[0] is None else _refused(*row[:-1])


def of_topic(spool: sqlite3.Connection, topic: str, after: int, limit: int) -> list[Waiting]:
    """Return the refused messages of a topic after id ``after``, in order."""
    rows = spool.execute(
        f"{_MESSAGE} WHERE refused IS NOT NULL AND tried AND topic = ? AND id > ?"
        " ORDER BY id LIMIT ?",
        (topic, after, limit),
    )
    return [_refused(*row) for row in rows]


def asked(spool: sqlite3.Connection, limit: int) -> list[Waiting]:
    """Return messages that a person wants to be tried now, in order."""
    rows = spool.execute(f"{_MESSAGE} WHERE tried = 2 ORDER BY id LIMIT ?", (limit,))
    return [_refused(*row) for row in rows]


def size(spool: sqlite3.Connection) -> tuple[int, int]:
    """Return how many refused messages there are, and their bytes."""
    row = spool.execute(
        "SELECT count(*), ifnull(sum(length(topic) + length(payload)), 0) FROM waiting"
        " WHERE refused IS NOT NULL"
    ).fetchone()
    return int(row[0]), int(row[1])


def trim(spool: sqlite3.Connection, max_bytes: int) -> int:
    """Drop the oldest messages that have more than ``max_bytes`` in all; return how many."""
    done = spool.execute(
        "DELETE FROM waiting WHERE refused IS NOT NULL AND id <= (SELECT max(id) FROM (SELECT id,"
        " sum(length(topic) + length(payload)) OVER (ORDER BY id DESC) AS total"
        " FROM waiting WHERE refused IS NOT NULL) WHERE total > ?)",
        (max_bytes,),
    )
    return done.rowcount


def counted(spool: sqlite3.Connection) -> list[tuple[str, int]]:
    """Return how many messages there are for each reason, the most first."""
    return spool.execute(
        "SELECT coalesce(reason, ''), count(*) FROM waiting WHERE refused IS NOT NULL"
        " GROUP BY 1 ORDER BY 2 DESC, 1"
    ).fetchall()


def listed(spool: sqlite3.Connection) -> list[ListedMessage]:
    """Return all refused messages, the oldest first."""
    return [
        ListedMessage(
            *(number, _time(payload), device_of(topic), seqno_of(payload)),
            *(len(topic) + len(payload), _when(tried), str(reason)),
        )
        for number, topic, payload, reason, tried in spool.execute(_LISTED)
    ]


def details(spool: sqlite3.Connection, number: int) -> dict[str, object] | None:
    """Return all of a message, its payload as the JSON that it is; None where it is not there."""
    row = spool.execute(
        "SELECT topic, payload, reason, tried FROM waiting WHERE refused IS NOT NULL AND id = ?",
        (number,),
    ).fetchone()
    if row is None:
        return None
    topic, payload, reason, tried = row
    return {
        "id": number,
        "topic": topic,
        "reason": reason,
        "tried": _when(tried),
        "payload": msgspec.json.decode(payload, type=dict[str, object]),
    }


def ask(spool: sqlite3.Connection, numbers: Sequence[int]) -> None:
    """Ask the bridge to try messages now."""
    spool.executemany(
        "UPDATE waiting SET tried = 2 WHERE id = ? AND refused IS NOT NULL",
        [(each,) for each in numbers],
    )


def waiting(spool: sqlite3.Connection) -> set[int]:
    """Return the numbers of the messages that are to be tried now."""
    return {number for (number,) in spool.execute("SELECT id FROM waiting WHERE tried = 2")}


def drop(spool: sqlite3.Connection, numbers: Sequence[int]) -> None:
    """Remove messages."""
    spool.executemany(
        "DELETE FROM waiting WHERE id = ? AND refused IS NOT NULL", [(each,) for each in numbers]
    )


def _refused(number: int, shard: int, topic: str, payload: bytes) -> Waiting:
    return Waiting(number, shard, topic, payload, refused=True)


def _when(tried: int) -> str:
    return Tried(tried).name.lower().replace("_", " ")


def _time(payload: bytes) -> str | None:
    time = time_of(payload)
    return None if time is None else format_time(time)
