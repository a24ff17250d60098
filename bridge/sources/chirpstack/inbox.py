"""Holds events from their arrival to their acknowledgement, and no more than there is room for.

They arrive on a thread of the SDK's, and everything else is done by the event loop.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from threading import Event

from bridge.log_limit import LimitedLogger
from bridge.mqtt.client import Acknowledge, Delivery
from bridge.spool.batch import Receipt

_log = logging.getLogger(__name__)
_ROOM = 1_000
"""Events. A broker should hold back what follows 20, but Mosquitto 2.0.11 lets 20 more go for each
that is acknowledged: all that it has would come at once."""
_HOLD_LIMIT = 20.0  # seconds; the broker ends a connection that is silent for 45
_GATHER = 0.002
"""Seconds for which events gather where they come quicker than twice that. To wake the event loop
for each of them takes a third more CPU at 1,000 a second."""


class Inbox:
    """Gives each event to ``give``, in order; ``receipt`` makes what acknowledges it."""

    def __init__(self, give: Callable[[Delivery], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._give = give
        self._arrived: deque[Delivery] = deque()
        self._called = False  # the event loop will look at what has arrived
        self._looked_at = 0.0
        self._room = Event()
        self._paused = self._closed = False
        self._owed = 0  # acknowledgements that wait for the disk
        self._settled = asyncio.Event()
        self._limited = LimitedLogger(_log)

    def put(self, delivery: Delivery) -> None:
        """Take an event, on the SDK's thread, and hold that up while there is no room for more."""
        self._arrived.append(delivery)
        if not self._called:
            self._called = True
            with suppress(RuntimeError):  # the loop has closed: nobody is left to take it
                self._loop.call_soon_threadsafe(self._look)
        if self._is_full():
            self._room.clear()
            if self._is_full():  # still: there may have been room just before
                self._room.wait(_HOLD_LIMIT)

    def receipt(self, acknowledge: Acknowledge) -> Receipt:
        """Return what is to be called when an event is on disk."""
        self._owed += 1
        return partial(self._acknowledge, acknowledge)

    def pause(self) -> None:
        """Give nothing until ``resume``."""
        self._paused = True

    def resume(self) -> None:
        """Go on."""
        self._paused = False
        self._take()

    async def close(self) -> None:
        """Give nothing more, and return when what was given is acknowledged."""
        self._closed = True
        self._room.set()
        if self._owed:
            await self._settled.wait()

    def _look(self) -> None:
        """Take what has arrived. Where events come quickly, look again by itself."""
        now = self._loop.time()
        quickly = bool(self._arrived) and now - self._looked_at < 2 * _GATHER
        self._looked_at = now
        self._called = quickly
        self._take()
        if quickly:
            self._loop.call_later(_GATHER, self._look)

    def _take(self) -> None:
        while self._arrived and not self._paused and not self._closed:
            try:
                self._give(self._arrived.popleft())
            except Exception as error:  # noqa: BLE001  # whatever it is, the event comes again
                self._limited.log(
                    logging.ERROR, "failed", "an event is not taken: %s: it comes again", error
                )
        self._make_room()

    def _acknowledge(self, acknowledge: Acknowledge) -> None:
        self._owed -= 1
        acknowledge()
        self._make_room()
        if self._closed and not self._owed:
            self._settled.set()

    def _make_room(self) -> None:
        if len(self._arrived) + self._owed < _ROOM // 2:
            self._room.set()

    def _is_full(self) -> bool:
        return not self._closed and len(self._arrived) + self._owed >= _ROOM
