"""What the spool holds, as commits change it, and whether there is room for more."""

import logging
from functools import partial
from logging import ERROR, WARNING

from bridge.log_limit import LimitedLogger
from bridge.spool import refused
from bridge.spool.batch import Batch, Size
from bridge.spool.room import Change, Room
from bridge.spool.spool import Spool

_LOOK_AFTER = 1_048_576
"""Bytes of messages after which the disk is looked at: a sixteenth of what stays free."""
_LITTLE = 1_048_576
"""Bytes of messages up to which the file is made smaller: pages in use have to be moved."""
_KEPT = 0.9  # of max_refused, when some are dropped


class Held:
    """Counts what is ``waiting`` on disk, and of that what AWS IoT has ``refused``.

    What is refused takes no room of the others: more than ``max_refused`` bytes of it are
    ``dropped``, the oldest first.

    Raises:
        sqlite3.Error: the file cannot be read. So do all that look at it.

    """

    def __init__(self, spool: Spool, max_bytes: int, max_refused: int) -> None:
        self._spool = spool
        self._room = Room(max_bytes)
        self._max_refused = max_refused
        self._free, self._since_look = spool.room(), 0  # bytes
        self._log = LimitedLogger(logging.getLogger(__name__))
        self.dropped = 0
        self.count_all()

    @property
    def full(self) -> bool:
        """Whether it may hold no more."""
        return self._room.full

    def count_all(self) -> None:
        """Count what there is on disk."""
        self.waiting = Size(*self._spool.count_waiting())
        self.refused = Size(*self._spool.count_refused())

    def count(self, batch: Batch, *, mended: bool) -> None:
        """Count what a commit has changed: all there is, where the file was mended meanwhile."""
        if mended:
            self.count_all()
        else:
            self._add(batch)
        self._since_look += batch.arrived_bytes
        if self._since_look > _LOOK_AFTER or self.full:  # it may have room again
            self.look()

    def _add(self, batch: Batch) -> None:
        self.waiting.messages += len(batch.arrived) - len(batch.delivered)
        self.waiting.bytes += batch.arrived_bytes - batch.delivered_bytes
        self.refused.messages += batch.newly_refused.messages - batch.no_longer_refused.messages
        self.refused.bytes += batch.newly_refused.bytes - batch.no_longer_refused.bytes
        if self.refused.bytes > self._max_refused:
            self._trim()

    def look(self) -> None:
        """Look at the room on the disk."""
        self._free, self._since_look = self._spool.room(), 0

    def shrink(self) -> bool:
        """Give back some room that little needs no more; return whether there may be more."""
        return self.waiting.bytes < _LITTLE and self._spool.shrink()

    def weigh(self) -> None:
        """Say so if it has become full, or has room again."""
        held = self.waiting.bytes - self.refused.bytes
        change = self._room.weigh(held, self._free)
        if change is None:
            return
        amounts = f"{held} bytes wait, room for {self._free}"
        if change is Change.FULL:
            self._say(ERROR, "full", f"{amounts}; nothing is read until some leave")
        else:
            self._say(WARNING, "room again", f"{amounts}; reading goes on")

    def _trim(self) -> None:
        keep = int(_KEPT * self._max_refused)
        dropped = self._spool.on_file(partial(refused.trim, max_bytes=keep))
        self.dropped += dropped
        self._say(ERROR, "refused messages dropped", f"{dropped}, for more than max_refused wait")
        self.count_all()

    def _say(self, level: int, what: str, consequence: str) -> None:
        self._log.log(level, what, "spool: %s: %s", what, consequence)
