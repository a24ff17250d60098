"""The downlinks in the spool's file: those that are open, and for some days those that have ended.

The ended ones are kept so that a request that comes again is known. With them are the applications
that each source has claimed.
"""

import sqlite3
from collections.abc import Iterable, Sequence

import msgspec

from bridge.messages.downlink import Downlink
from contract.downlinks import Request

_KEEP = (
    "INSERT INTO downlinks (number, device, id, ended, downlink) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (number) DO UPDATE SET ended = excluded.ended, downlink = excluded.downlink"
)
_OLDEST_ENDED = "SELECT number FROM downlinks WHERE ended IS NOT NULL ORDER BY ended"
_decoder = msgspec.msgpack.Decoder(Downlink)


def keep(spool: sqlite3.Connection, downlinks: Iterable[Downlink]) -> None:
    """Write downlinks as they are now."""
    spool.executemany(
        _KEEP,
        [
            (
                *(each.number, each.device, each.id, each.changed if each.ended else None),
                msgspec.msgpack.encode(each),
            )
            for each in downlinks
        ],
    )


def keep_name(
    spool: sqlite3.Connection, number: int, device: str, request_id: str, ended: object
) -> None:
    """Write a downlink of which only this is known; ``ended`` is None for one that is open."""
    request = Request(request_id, 1, b"")
    downlink = Downlink.of(request, number, device, expires=0, now=0)
    row = (number, device, request_id, ended, msgspec.msgpack.encode(downlink))
    spool.execute("INSERT OR IGNORE INTO downlinks VALUES (?, ?, ?, ?, ?)", row)


def still_open(spool: sqlite3.Connection) -> list[Downlink]:
    """Return the downlinks that have not ended, in the order of acceptance.

    One whose bits have changed is left out.
    """
    return _decoded(
        spool.execute("SELECT downlink FROM downlinks WHERE ended IS NULL ORDER BY number")
    )


def ended_lately(spool: sqlite3.Connection, at_most: int) -> list[Downlink]:
    """Return the downlinks that have ended last, the newest last.

    One of which only the name is known, or whose bits have changed, is left out.
    """
    query = "SELECT downlink FROM downlinks WHERE ended IS NOT NULL ORDER BY ended DESC LIMIT ?"
    return [each for each in reversed(_decoded(spool.execute(query, (at_most,)))) if each.ended]


def is_known(spool: sqlite3.Connection, device: str, request_id: str) -> bool:
    """Say whether a downlink with this id was accepted for the device."""
    query = "SELECT 1 FROM downlinks WHERE device = ? AND id = ?"
    return spool.execute(query, (device, request_id)).fetchone() is not None


def last_number(spool: sqlite3.Connection) -> int:
    """Return the greatest number that a downlink has, 0 where there is none."""
    return int(spool.execute("SELECT ifnull(max(number), 0) FROM downlinks").fetchone()[0])


def forget(spool: sqlite3.Connection, before: int, at_most: int) -> int:
    """Drop those that ended before a time, in microseconds since 1970.

    Of the others the oldest are dropped, too, if more than ``at_most`` are left; return how many.
    """
    spool.execute("DELETE FROM downlinks WHERE ended < ?", (before,))
    too_many = f"SELECT number FROM ({_OLDEST_ENDED} DESC LIMIT -1 OFFSET ?)"  # noqa: S608  # ours
    done = spool.execute(f"DELETE FROM downlinks WHERE number IN ({too_many})", (at_most,))  # noqa: S608
    return done.rowcount


def claim(spool: sqlite3.Connection, claims: Sequence[tuple[str, str]]) -> None:
    """Remember applications: the name of a source, and the application that it has."""
    spool.executemany("INSERT OR IGNORE INTO claims (source, application) VALUES (?, ?)", claims)


def claims(spool: sqlite3.Connection) -> list[tuple[str, str]]:
    """Return the applications that were claimed, with their sources' names before them."""
    rows = spool.execute("SELECT source, application FROM claims ORDER BY number")
    return [(str(source), str(application)) for source, application in rows]


def _decoded(rows: Iterable[tuple[bytes]]) -> list[Downlink]:
    found = []
    for (content,) in rows:
        try:
            found.append(_decoder.decode(content))
        except (msgspec.DecodeError, TypeError):
            continue
    return found
