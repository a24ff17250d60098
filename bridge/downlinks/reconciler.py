"""Asks network servers about downlinks that they were given and tell nothing of.

Some refuse a downlink, or empty a device's queue when it joins, without a word.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush

from bridge.clock import Clock
from bridge.downlinks.open_downlinks import OpenDownlinks
from bridge.log_limit import LimitedLogger
from bridge.messages.downlink import Answer, Downlink
from bridge.sources.source import Sender
from bridge.timings import Timings
from contract.downlinks import State

_log = logging.getLogger(__name__)
_SECOND = 1_000_000  # microseconds
_AT_MOST = 50  # questions in each second, one after the other
REFUSED = "refused: the network server does not have it, and said nothing of it"
JOINED = "the device joined, which empties the network server's queue"


@dataclass(slots=True)
class _Watched:
    """A downlink that was submitted, and when it is to be asked about next.

    ``missing`` says that its network server did not have it when it was asked last, ``joined`` that
    its device has joined since.
    """

    downlink: Downlink
    at: float = 0.0
    missing: bool = False
    joined: bool = False


class Reconciler:
    """Watches the open downlinks that were submitted and no more.

    One that its network server twice does not have has failed: ``answered`` is told so.
    ``sender_of`` returns who takes downlinks of a device.
    """

    def __init__(
        self,
        open_downlinks: OpenDownlinks,
        sender_of: Callable[[str], Sender | None],
        answered: Callable[[Answer], None],
        clock: Clock,
        timings: Timings,
    ) -> None:
        self._open = open_downlinks
        self._sender_of = sender_of
        self._answered = answered
        self._clock = clock
        self._timings = timings
        self._watched: dict[int, _Watched] = {}  # by number
        self._times: list[tuple[float, int]] = []
        """When to ask about which number; of one that is watched, its own time alone counts."""
        self._limited = LimitedLogger(_log, now=clock.monotonic)

    async def run(self) -> None:
        """Ask each second about those whose time has come, for ever."""
        while True:
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001  # whatever it is, downlinks go on
                self._limited.log(
                    logging.ERROR, "failed", "asking about downlinks: %s: trying again", error
                )
            await asyncio.sleep(1)

    async def look(self) -> None:
        """Ask about those whose time has come, but not about too many at once."""
        self._watch_new()
        for _ in range(_AT_MOST):
            watched = self._next()
            if watched is None:
                return
            await self._ask(watched)

    def joined(self, moteeui: str) -> None:
        """Ask soon about what a device was to get: its join may have emptied the queue."""
        self._watch_new()
        for downlink in self._open.of(moteeui):
            watched = self._watched.get(downlink.number)
            if watched is not None and watched.downlink == downlink:
                watched.joined = True
                if not watched.missing:  # or else the second question comes soon
                    self._ask_after(0.0, watched)

    def _watch_new(self) -> None:
        """Watch what was submitted meanwhile, also what an earlier run has submitted."""
        now = self._clock.wall()
        for downlink in self._open.take_submitted():
            self._watched[downlink.number] = watched = _Watched(downlink)
            age = max(now - downlink.changed, 0) / _SECOND
            self._ask_after(max(self._timings.ask_first - age, 0.0), watched)

    def _next(self) -> _Watched | None:
        """Return one whose time has come, None where there is none."""
        now = self._clock.monotonic()
        while self._times and self._times[0][0] <= now:
            at, number = heappop(self._times)
            watched = self._watched.get(number)
            if watched is None or watched.at != at:
                continue
            if self._open.is_current(watched.downlink):
                return watched
            del self._watched[number]
        return None

    async def _ask(self, watched: _Watched) -> None:
        """Ask once; what is missing twice without any news has failed."""
        downlink = watched.downlink
        sender = self._sender_of(downlink.device)
        self._ask_after(self._timings.ask_again, watched)  # whatever comes of this question
        at = watched.at
        queued = await sender.is_queued(downlink) if sender else None
        if watched.at != at or not self._open.is_current(downlink):
            return  # a join or an answer came meanwhile
        if queued is not False:
            watched.missing = False
        elif watched.missing:
            reason = JOINED if watched.joined else REFUSED
            self._answered(Answer(State.FAILED, downlink.moteeui, downlink.reference, reason))
        else:
            watched.missing = True
            self._ask_after(self._timings.ask_twice, watched)

    def _ask_after(self, seconds: float, watched: _Watched) -> None:
        watched.at = self._clock.monotonic() + seconds
        heappush(self._times, (watched.at, watched.downlink.number))
