"""Keeps rejected frames in the spool, at a pace that neither the disk nor uplinks feel.

They wait in memory for up to a second, and are written apart from uplinks: what cannot be written
is given up, and said.
"""

import asyncio
import logging
from collections import defaultdict
from functools import partial

from bridge.log_limit import Bursts
from bridge.spool import rejected
from bridge.spool.rejected import Rejected
from bridge.spool.spool import Spool

_log = logging.getLogger(__name__)

_PACE = 16_384
"""Bytes a second, of each reason, which is some 25 frames: 1.4 GB a day of a flood that goes on."""
_BURST = 64.0  # seconds of that pace at once
_ROOM = 67_108_864
"""Bytes that the disk must have free: several times what the spool leaves free of uplinks."""
_SLACK = 0.1  # of max_bytes, written before the oldest are dropped: that reads all rows of a reason


class Quarantine:
    """The frames that were rejected: at most ``max_bytes`` of each reason, and a little more.

    They are written ``write_after`` seconds after the first of them, no more than ``pace`` bytes
    a second of each reason.
    """

    def __init__(
        self, spool: Spool, max_bytes: int, write_after: float, pace: float = _PACE
    ) -> None:
        self._spool = spool
        self._max_bytes = max_bytes
        self._write_after = write_after
        self._pace = pace
        self._loop = asyncio.get_running_loop()
        self._busy_until = defaultdict[str, float](float)  # by reason, as if written at that pace
        self._pending: list[Rejected] = []
        # By reason, in bytes; an earlier run may have left more than it may have now.
        self._untrimmed = defaultdict[str, float](lambda: max_bytes)
        self._bursts = Bursts()

    def keep(self, frame: Rejected) -> None:
        """Keep a frame, if frames with its reason do not come too fast."""
        now = self._loop.time()
        if not self._max_bytes or self._busy_until[frame.reason] > now:
            return
        begin = max(self._busy_until[frame.reason], now - _BURST)
        self._busy_until[frame.reason] = begin + frame.size / self._pace
        if not self._pending:
            self._loop.call_later(self._write_after, self.flush)
        self._pending.append(frame)

    def flush(self) -> None:
        """Write what is pending."""
        pending, self._pending = self._pending, []
        if not pending:
            return
        try:
            if self._spool.room() < _ROOM:
                raise OSError("the disk is almost full")  # noqa: TRY301  # one line for both
            self._spool.on_rejected(partial(rejected.keep, frames=pending))
            self._trim(pending)
        except Exception as error:  # noqa: BLE001  # whatever it is, uplinks go on
            more = self._bursts.note("lost", self._loop.time())
            if more is not None:
                _log.error("rejected frames are not kept: %s%s", error, more)

    def _trim(self, written: list[Rejected]) -> None:
        """Drop the oldest, of each reason apart: a flood of one kind must not displace another."""
        for each in written:
            self._untrimmed[each.reason] += each.size
        for reason in {each.reason for each in written}:
            if self._untrimmed[reason] > _SLACK * self._max_bytes:
                trim = partial(rejected.trim, reason=reason, max_bytes=self._max_bytes)
                self._spool.on_rejected(trim)
                self._untrimmed[reason] = 0
