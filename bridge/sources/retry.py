"""Reads rejected frames again, by the rules and the configuration of now, when a person asks."""

import asyncio
import logging
from collections.abc import Mapping
from functools import partial

from bridge.log_limit import Bursts
from bridge.messages.rejection import FrameRejectedError
from bridge.sources.forwarder import Forwarder
from bridge.spool import rejected
from bridge.spool.spool import Spool
from bridge.spool.spooler import Spooler

_log = logging.getLogger(__name__)

_AT_ONCE = 50  # frames, after which the sockets have their turn


class SecondReading:
    """Takes up the frames that ``lora-bridge rejected retry`` marks.

    ``applications`` has the AppEUI of each listener, None for one without. For the frames of a
    listener that is configured no more, it is that of all the others, if they have the same.
    """

    def __init__(
        self,
        spool: Spool,
        spooler: Spooler,
        forwarder: Forwarder,
        applications: Mapping[str, str | None],
        look_every: float,
    ) -> None:
        self._spool = spool
        self._spooler = spooler
        self._forwarder = forwarder
        self._applications = applications
        self._look_every = look_every
        different = set(applications.values())
        self._of_others = different.pop() if len(different) == 1 else None

    async def run(self) -> None:
        """Look for marked frames, for ever."""
        bursts = Bursts()
        while True:
            await asyncio.sleep(self._look_every)
            try:
                while not self._spooler.pressed and self._read():
                    await self._spooler.committed()
                    await asyncio.sleep(0)
            except Exception as error:  # noqa: BLE001  # whatever it is, uplinks go on
                more = bursts.note("failed", asyncio.get_running_loop().time())
                if more is not None:
                    _log.error("rejected frames cannot be read again: %s%s", error, more)

    def _read(self) -> bool:
        """Read some frames again; return whether there were any."""
        marked = self._spool.on_rejected(partial(rejected.asked, limit=_AT_ONCE))
        ignored: list[int] = []
        again: list[tuple[str, int]] = []
        for number, frame in marked:
            application = self._applications.get(frame.listener, self._of_others)
            keep = partial(self._spooler.keep_again, number)
            try:
                if not frame.whole:
                    again.append((frame.reason, number))
                elif not self._forwarder.again(frame.frame, application, frame.time, keep):
                    ignored.append(number)
            except FrameRejectedError as error:
                again.append((error.reason, number))
        if marked:
            self._spool.on_rejected(partial(rejected.drop, numbers=ignored))
            self._spool.on_rejected(partial(rejected.reject_again, reasons=again))
            _log.info("%d rejected frames read again: %d still rejected", len(marked), len(again))
        return bool(marked)
