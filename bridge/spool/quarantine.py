"""Keeps rejected frames in the spool, at a pace that neither the disk nor uplinks feel.

They wait in memory for a moment, and are written apart from uplinks. What cannot be written is
given up and logged, unless somebody waits for a receipt: then it is tried again.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from functools import partial

from bridge.log_limit import LimitedLogger
from bridge.spool import rejected
from bridge.spool.batch import Receipt
from bridge.spool.rejected import Rejected
from bridge.spool.spool import Spool

_PACE = 16_384
"""Bytes a second, of each reason, which is some 25 frames: 1.4 GB a day of a flood that goes on."""
_BURST = 64.0  # seconds of that pace at once
_ROOM = 67_108_864
"""Bytes that the disk must have free: several times what the spool leaves free of uplinks."""
_OWED_AT_ONCE = 10
"""Receipts for which writing does not wait: brokers hold further messages back for 20."""
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
        self._pending: list[tuple[Rejected, Receipt | None]] = []
        self._owed = 0  # receipts, of what is pending
        # By reason, in bytes; an earlier run may have left more than it may have now.
        self._untrimmed = defaultdict[str, float](lambda: max_bytes)
        self._log = LimitedLogger(logging.getLogger(__name__))

    def keep(self, frame: Rejected, receipt: Receipt | None = None) -> None:
        """Keep a frame, if frames with its reason do not come too fast.

        A frame with a receipt is kept however fast frames come: its source holds the next ones back
        until the receipt is called. That is when the frame is on disk, never before. With
        ``max_bytes`` 0 nothing is kept, and the receipt is called at once.
        """
        if not self._max_bytes:
            if receipt is not None:
                self._loop.call_soon(receipt)
        elif self._has_its_turn(frame) or receipt is not None:
            if not self._pending:
                self._loop.call_later(self._write_after, self.flush)
            self._pending.append((frame, receipt))
            self._owed += receipt is not None
            if self._owed == _OWED_AT_ONCE:
                self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Write what is pending."""
        pending, self._pending, self._owed = self._pending, [], 0
        if not pending:
            return
        frames = [frame for frame, _receipt in pending]
        if self._done(partial(self._write, frames)):
            for _frame, receipt in pending:
                if receipt is not None:
                    self._loop.call_soon(receipt)
            self._done(partial(self._trim, frames))
        else:
            self._try_again([each for each in pending if each[1] is not None])

    def _done(self, work: Callable[[], None]) -> bool:
        """Do some work on the disk; return whether it went well."""
        try:
            work()
        except Exception as error:  # noqa: BLE001  # whatever it is, uplinks go on
            self._log.log(logging.ERROR, "lost", "rejected frames are not kept: %s", error)
            return False
        return True

    def _write(self, frames: list[Rejected]) -> None:
        if self._spool.room() < _ROOM:
            raise OSError("the disk is almost full")
        self._spool.on_file(partial(rejected.keep, frames=frames))

    def _has_its_turn(self, frame: Rejected) -> bool:
        now = self._loop.time()
        if self._busy_until[frame.reason] > now:
            return False
        begin = max(self._busy_until[frame.reason], now - _BURST)
        self._busy_until[frame.reason] = begin + frame.size / self._pace
        return True

    def _try_again(self, owed: list[tuple[Rejected, Receipt | None]]) -> None:
        """Keep frames whose receipts are owed; the next ones are written with them."""
        if owed:
            self._pending, self._owed = owed, len(owed)
            self._loop.call_later(self._write_after, self.flush)

    def _trim(self, written: list[Rejected]) -> None:
        """Drop the oldest, of each reason apart: a flood of one kind must not displace another."""
        for each in written:
            self._untrimmed[each.reason] += each.size
        for reason in {each.reason for each in written}:
            if self._untrimmed[reason] > _SLACK * self._max_bytes:
                trim = partial(rejected.trim, reason=reason, max_bytes=self._max_bytes)
                self._spool.on_file(trim)
                self._untrimmed[reason] = 0
