"""The frames that were rejected, in the spool's file: kept, shown, asked to be read again."""

import base64
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from contract.times import format_time

ROW = 200
"""Bytes that a frame counts for beside its own: its row takes about as many."""
_EXCERPT = 60  # bytes of a frame in a list
_FOUND = "SELECT time, listener, reason, whole, frame FROM rejected WHERE id = ?"
_ASKED = (
    "SELECT id, time, listener, reason, whole, frame FROM rejected WHERE retry = 1"
    " ORDER BY id LIMIT ?"
)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A frame that came to ``listener`` at ``time``, in microseconds since 1970.

    Where it is not ``whole``, ``frame`` is its beginning.
    """

    time: int
    listener: str
    reason: str
    whole: bool
    frame: bytes

    @property
    def size(self) -> int:
        """What it counts for in limits, in bytes."""
        return len(self.frame) + ROW


@dataclass(frozen=True, slots=True)
class ListedFrame:
    """A rejected frame in one line: how long it is, and how it begins."""

    id: int
    time: str
    listener: str
    reason: str
    bytes: int
    frame: str

    @property
    def why(self) -> str:
        """The reason: whose frame it is, nobody knows."""
        return self.reason


def details(number: int, frame: Rejected) -> dict[str, object]:
    """Return all of a frame, in base64 where it is no text."""
    shown = {
        "id": number,
        "time": format_time(frame.time),
        "listener": frame.listener,
        "reason": frame.reason,
        "whole": frame.whole,
    }
    try:
        return shown | {"frame": frame.frame.decode()}
    except UnicodeDecodeError:
        return shown | {"base64": base64.b64encode(frame.frame).decode()}


def keep(spool: sqlite3.Connection, frames: Iterable[Rejected]) -> None:
    """Add frames."""
    spool.executemany(
        "INSERT INTO rejected (time, listener, reason, whole, retry, frame)"
        " VALUES (?, ?, ?, ?, 0, ?)",
        [(each.time, each.listener, each.reason, each.whole, each.frame) for each in frames],
    )


def trim(spool: sqlite3.Connection, reason: str, max_bytes: int) -> None:
    """Drop the oldest frames with a reason that have more than ``max_bytes`` in all."""
    spool.execute(
        "DELETE FROM rejected WHERE reason = ? AND id <= (SELECT max(id) FROM (SELECT id,"
        " sum(length(frame) + ?) OVER (ORDER BY id DESC) AS total"
        " FROM rejected WHERE reason = ?) WHERE total > ?)",
        (reason, ROW, reason, max_bytes),
    )


def counted(spool: sqlite3.Connection) -> list[tuple[str, int]]:
    """Return how many frames there are for each reason, the most first."""
    return spool.execute(
        "SELECT reason, count(*) FROM rejected GROUP BY 1 ORDER BY 2 DESC, 1"
    ).fetchall()


def listed(spool: sqlite3.Connection) -> list[ListedFrame]:
    """Return all frames, the oldest first."""
    rows = spool.execute(
        "SELECT id, time, listener, reason, length(frame), substr(frame, 1, ?) FROM rejected"
        " ORDER BY id",
        (_EXCERPT,),
    )
    return [
        ListedFrame(
            number, format_time(time), listener, reason, size, begin.decode(errors="replace")
        )
        for number, time, listener, reason, size, begin in rows
    ]


def found(spool: sqlite3.Connection, number: int) -> Rejected | None:
    """Return one frame, None where it is not there."""
    row = spool.execute(_FOUND, (number,)).fetchone()
    return None if row is None else _rejected(*row)


def ask(spool: sqlite3.Connection, numbers: Sequence[int]) -> None:
    """Ask the bridge to read frames again."""
    spool.executemany("UPDATE rejected SET retry = 1 WHERE id = ?", [(each,) for each in numbers])


def asked(spool: sqlite3.Connection, limit: int) -> list[tuple[int, Rejected]]:
    """Return at most ``limit`` frames that are to be read again, with their numbers."""
    rows = spool.execute(_ASKED, (limit,))
    return [(number, _rejected(*columns)) for number, *columns in rows]


def waiting(spool: sqlite3.Connection) -> set[int]:
    """Return the numbers of the frames that are to be read again."""
    return {number for (number,) in spool.execute("SELECT id FROM rejected WHERE retry = 1")}


def reject_again(spool: sqlite3.Connection, reasons: Iterable[tuple[str, int]]) -> None:
    """Keep frames that are still rejected, by number, with the reason that now holds."""
    spool.executemany("UPDATE rejected SET retry = 0, reason = ? WHERE id = ?", reasons)


def drop(spool: sqlite3.Connection, numbers: Sequence[int]) -> None:
    """Remove frames."""
    spool.executemany("DELETE FROM rejected WHERE id = ?", [(each,) for each in numbers])


def _rejected(time: int, listener: str, reason: str, whole: int, frame: bytes) -> Rejected:
    return Rejected(time, listener, reason, bool(whole), frame)
