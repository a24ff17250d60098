"""The placements that the next run starts from, in the spool's file: one row for each commit."""

import sqlite3
from collections.abc import Sequence

import msgspec

from bridge.messages.timestamper import Placement

_SURPLUS = 10
"""A tenth more placements than are remembered are kept: each removal writes a page more than the
commit needs."""
_DECODER = msgspec.msgpack.Decoder(list[Placement])


class Placements:
    """Keeps at least the newest ``remembered`` placements."""

    def __init__(self, remembered: int) -> None:
        self._remembered = remembered
        self._max_surplus = remembered // _SURPLUS
        self._surplus = self._max_surplus  # of earlier runs, perhaps
        self._committed: int | None = None  # the last; looked up once, as it takes as long as a row
        self._last = 0

    def keep(self, spool: sqlite3.Connection, placements: Sequence[Placement]) -> None:
        """Keep the placements, and drop those that are older than is remembered."""
        if self._committed is None:
            (self._committed,) = spool.execute(
                "SELECT ifnull(max(last), 0) FROM placements"
            ).fetchone()
        self._last = self._committed + len(placements)
        if placements:
            spool.execute(
                "INSERT INTO placements VALUES (?, ?)",
                (self._last, msgspec.msgpack.encode(placements)),
            )
            self._surplus += len(placements)
        if self._surplus > self._max_surplus:
            self._surplus = 0
            spool.execute(
                "DELETE FROM placements WHERE last <= ?", (self._last - self._remembered,)
            )

    def committed(self) -> None:
        """Note that what ``keep`` did is on disk."""
        self._committed = self._last


def read(spool: sqlite3.Connection) -> list[Placement]:
    """Return the placements to start from, oldest first."""
    rows = spool.execute("SELECT several FROM placements ORDER BY last")
    return [placement for (several,) in rows for placement in _decoded(several)]


def _decoded(several: bytes) -> list[Placement]:
    """Return the placements of a commit; none where bits have changed, since they are a memory."""
    try:
        return _DECODER.decode(several)
    except (msgspec.DecodeError, TypeError):
        return []
