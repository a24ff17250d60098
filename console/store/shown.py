"""Remembers which uplinks of a device were shown, and from when on others may be missing.

Does no I/O. Times are in microseconds since 1970.
"""

from collections.abc import Sequence
from itertools import islice

from contract.names import SORT_KEY
from contract.rows import Row
from contract.times import parse_time

_OVERLAP = 600_000_000
"""What is looked at once more before the newest uplink: a gateway's clock may be 5 minutes ahead
and still be believed, and the uplinks that follow have earlier times then."""
_REMEMBERED = 10_000  # timestamps: one a second for longer than the overlap takes some hundreds


class Shown:
    """The uplinks that were shown: a row is known by its timestamp."""

    def __init__(self) -> None:
        self._times: dict[str, None] = {}  # the last to be shown are last
        self._first = 0
        self._newest = 0
        self._gap: int | None = None

    def begin(self, stored: Sequence[Row], *, cut: bool) -> None:
        """Take the rows that are shown at first, oldest first; ``cut``: older ones are not."""
        for row in stored:
            self.take(row)
        if cut:
            self._first = parse_time(str(stored[0][SORT_KEY])) or 0

    def take(self, row: Row) -> bool:
        """Return whether a row was not shown before; from now on it was."""
        timestamp = str(row.get(SORT_KEY))
        if timestamp in self._times:
            return False
        self._times[timestamp] = None
        for oldest in [*islice(self._times, max(0, len(self._times) - _REMEMBERED))]:
            del self._times[oldest]
        self._newest = max(self._newest, parse_time(timestamp) or 0)
        return True

    def gap(self) -> int:
        """Return from when on rows may be missing: once a gap has begun, this stays."""
        if self._gap is None:
            self._gap = max(self._first, self._newest - _OVERLAP)
        return self._gap

    def filled(self) -> None:
        """Note that nothing is missing any more."""
        self._gap = None
