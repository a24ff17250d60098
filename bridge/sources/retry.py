"""Reads rejected frames again when a person asks, with today's parser and configuration."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from bridge.log_limit import LimitedLogger
from bridge.messages.rejection import FrameRejectedError
from bridge.sources.forwarder import Forwarder
from bridge.sources.source import Parse
from bridge.spool import rejected
from bridge.spool.spool import Spool
from bridge.spool.spooler import Spooler

_log = logging.getLogger(__name__)

_AT_ONCE = 50  # frames, after which the sockets have their turn


class Retry:
    """Takes up the frames that ``lora-bridge rejected retry`` marks.

    ``parser_of`` returns what parses the frames that came to an origin. Marked frames are looked
    for every ``look_every`` seconds.
    """

    def __init__(
        self,
        spool: Spool,
        spooler: Spooler,
        forwarder: Forwarder,
        parser_of: Callable[[str], Parse],
        look_every: float,
    ) -> None:
        self._spool = spool
        self._spooler = spooler
        self._forwarder = forwarder
        self._parser_of = parser_of
        self._look_every = look_every
        self._limited = LimitedLogger(_log)

    async def run(self) -> None:
        """Look for marked frames, for ever."""
        while True:
            await asyncio.sleep(self._look_every)
            try:
                while not self._spooler.pressed and self._read():
                    await self._spooler.committed()
                    await asyncio.sleep(0)
            except Exception as error:  # noqa: BLE001  # whatever it is, uplinks go on
                self._limited.log(
                    logging.ERROR, "failed", "rejected frames cannot be read again: %s", error
                )

    def _read(self) -> bool:
        """Read some frames again; return whether there were any."""
        marked = self._spool.on_file(partial(rejected.asked, limit=_AT_ONCE))
        ignored: list[int] = []
        again: list[tuple[str, int]] = []
        for number, frame in marked:
            keep = partial(self._spooler.keep_again, number)
            try:
                if not frame.whole:
                    again.append((frame.reason, number))
                elif not self._forwarder.again(
                    frame.frame, self._parser_of(frame.listener), frame.time, keep
                ):
                    ignored.append(number)
            except FrameRejectedError as error:
                again.append((error.reason, number))
        if marked:
            self._spool.on_file(partial(rejected.drop, numbers=ignored))
            self._spool.on_file(partial(rejected.reject_again, reasons=again))
            _log.info("%d rejected frames read again: %d still rejected", len(marked), len(again))
        return bool(marked)
