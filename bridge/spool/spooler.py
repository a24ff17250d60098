"""The spool between the source and the publisher: group commit, back-pressure, and reading.

All of it happens on the event loop's thread. Handing a commit to another thread and back takes as
long as the commit; while the disk works, what is written to the sockets waits there, and the SDK
publishes on, on threads of its own.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from logging import ERROR, WARNING
from typing import TypeVar

from bridge.log_limit import Bursts
from bridge.messages.message import Message
from bridge.messages.timestamper import Placement
from bridge.messages.trace import trace
from bridge.spool.spool import Spool
from bridge.spool.waiting import Share, Stretch, Waiting, waiting

_log = logging.getLogger(__name__)

_MAX_UNCOMMITTED = 1_048_576
"""Bytes of messages after which a commit does not wait for the other connections to be read."""
_MIN_ROOM = 16_777_216
"""Bytes of the disk that the spool leaves free: to take messages out, SQLite needs room too."""
_ROOM_AGAIN = 0.95  # of max_bytes: a full spool takes frames again when less than that waits
_LITTLE = 1_048_576  # bytes
_FORGET_AFTER = 0.2
"""Seconds a delivered message may stay on disk when no commit takes it along: a crash in that
time publishes it once more, into the same row; a disk write for each PUBACK is spared."""
_RETRY_AFTER = 1.0  # seconds after a failed commit

_T = TypeVar("_T")


class Spooler:
    """Commits all that has come since the last commit at once.

    Just before, ``on_arrival`` is called with it; after a commit that failed, with the next try's,
    of which this is the beginning. ``on_pressure(True)`` asks for no more messages,
    ``on_pressure(False)`` for more again.
    """

    def __init__(self, spool: Spool, max_bytes: int) -> None:
        self._spool = spool
        self._max_bytes = max_bytes
        self.waiting_messages, self.waiting_bytes = spool.waiting()
        self._mended = spool.mended
        self._last_id = self.committed_up_to = spool.last_id
        self._uncommitted: list[Waiting] = []
        self._placements: list[Placement] = []
        self._uncommitted_bytes = 0
        self._delivered: list[int] = []
        self._delivered_bytes = 0
        self._refused: list[int] = []
        self._read_again: list[int] = []
        self._loop = asyncio.get_running_loop()
        self._called = False  # a commit comes as soon as the sockets that have data are read
        self._timer: asyncio.TimerHandle | None = None  # one comes later
        self._failing = False
        self._pressed = False
        self._full = False
        self._bursts = Bursts()
        self.on_arrival: Callable[[list[Waiting]], None] = lambda _arrived: None
        self.on_pressure: Callable[[bool], None] = lambda _pressed: None
        self._commit_within(0)  # what an earlier run left may fill it already

    def keep(self, message: Message, placement: Placement) -> None:
        """Take a message, to be committed in a moment."""
        self._last_id += 1
        arrived = waiting(self._last_id, message)
        self._uncommitted.append(arrived)
        self._placements.append(placement)
        self._uncommitted_bytes += arrived.size
        if self._failing:
            return
        if self._uncommitted_bytes >= _MAX_UNCOMMITTED:
            self._try_to_commit()
        elif not self._called:
            self._called = True
            self._loop.call_soon(self._commit_now)

    def keep_again(self, rejected: int, message: Message, placement: Placement) -> None:
        """Take a message made of a rejected frame, which the same commit removes, by its number."""
        self._read_again.append(rejected)
        self.keep(message, placement)

    def forget(self, delivered: Sequence[Waiting]) -> None:
        """Drop delivered messages, with the next commit or after ``_FORGET_AFTER``."""
        self._delivered += [each.id for each in delivered]
        self._delivered_bytes += sum(each.size for each in delivered)
        self._commit_within(_FORGET_AFTER)

    def refuse(self, refused: Waiting) -> None:
        """Set aside a message that was refused, as soon as ``forget``."""
        self._refused.append(refused.id)
        self._commit_within(_FORGET_AFTER)

    async def read(self, after: int, limit: int, share: Share) -> Stretch:
        """Return the next messages of a share, as ``Spool.read`` does."""
        return await self._insist(partial(self._spool.read, after, limit, share))

    async def oldest_refused(self, after_topic: str) -> Waiting | None:
        """Return a refused message, as ``Spool.oldest_refused`` does, by what is known now."""
        return await self._up_to_date(partial(self._spool.oldest_refused, after_topic))

    async def refused(self, topic: str, after: int, limit: int) -> list[Waiting]:
        """Return refused messages, as ``Spool.refused`` does, by what is known now."""
        return await self._up_to_date(partial(self._spool.refused, topic, after, limit))

    async def committed(self) -> None:
        """Return when all that was kept is on disk."""
        await self._insist(self.commit)

    @property
    def pressed(self) -> bool:
        """Whether it asks for no more messages."""
        return self._pressed

    @property
    def problem(self) -> str | None:
        """Why it takes no messages, None when it does."""
        if self._failing:
            return "cannot be written"
        return "full" if self._full else None

    def oldest(self) -> Waiting | None:
        """Return the message that waits on disk for longest.

        Raises:
            OSError, sqlite3.Error: it cannot be read.

        """
        return self._spool.oldest()

    @property
    def uncommitted(self) -> int:
        """How many messages are neither on disk nor delivered."""
        delivered = set(self._delivered)
        return sum(each.id not in delivered for each in self._uncommitted)

    def count(self) -> int:
        """Return how many messages wait on disk.

        Raises:
            OSError, sqlite3.Error: it cannot be read.

        """
        return self._spool.waiting()[0]

    def commit(self) -> None:
        """Commit what there is.

        Raises:
            OSError, sqlite3.Error: nothing was committed; all of it is kept for the next try.

        """
        arrived = self._uncommitted
        if arrived:
            # While the disk works, AWS IoT may acknowledge them: the SDK has threads of its own.
            self.on_arrival(arrived)
        self._spool.commit(
            arrived, self._placements, self._delivered, self._refused, self._read_again
        )
        self.waiting_messages += len(arrived) - len(self._delivered)
        self._uncommitted, self._placements = [], []
        self._delivered, self._refused, self._read_again = [], [], []
        self.waiting_bytes += self._uncommitted_bytes - self._delivered_bytes
        self._uncommitted_bytes = self._delivered_bytes = 0
        if arrived:
            self.committed_up_to = arrived[-1].id
            trace(arrived, "committed")
        self._failing = False
        self._weigh()

    def close(self) -> None:
        """Commit nothing more by itself."""
        self._failing = True
        self._cancel_timer()

    def _commit_now(self) -> None:
        self._called = False
        if not self._failing and self._uncommitted:  # not committed or failed meanwhile
            self._try_to_commit()

    def _commit_within(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(seconds, self._try_to_commit)

    def _try_to_commit(self) -> None:
        """Commit, and give free pages back; when the disk does not do its part, try again later."""
        self._cancel_timer()
        try:
            self.commit()
            # Not while it holds much: pages in use would be moved.
            shrinking = self.waiting_bytes < _LITTLE and self._spool.shrink()
        except Exception as error:  # noqa: BLE001  # whatever it is, what has come is kept
            self._failing = True
            self._press()
            self._commit_within(_RETRY_AFTER)
            self._say(ERROR, str(error), "nothing is lost, trying again")
        else:
            if shrinking:
                self._commit_within(_FORGET_AFTER)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _weigh(self) -> None:
        room = self._spool.room()
        if self._mended != self._spool.mended:
            self.waiting_messages, self.waiting_bytes = self._spool.waiting()
            self._mended = self._spool.mended
        held = self.waiting_bytes
        if not self._full and (held >= self._max_bytes or room < _MIN_ROOM):
            self._full = True
            self._say(
                ERROR,
                "full",
                f"{held} bytes wait, room for {room}; nothing is read until some leave",
            )
        elif self._full and held < _ROOM_AGAIN * self._max_bytes and room >= _MIN_ROOM:
            self._full = False
            self._say(WARNING, "room again", f"{held} bytes wait, room for {room}; reading goes on")
        if self._full:  # the disk may have room again
            self._commit_within(_FORGET_AFTER)
        self._press()

    def _press(self) -> None:
        pressed = self._full or self._failing
        if pressed != self._pressed:
            self._pressed = pressed
            self.on_pressure(pressed)

    async def _up_to_date(self, work: Callable[[], _T]) -> _T:
        def attempt() -> _T:
            self.commit()
            return work()

        return await self._insist(attempt)

    async def _insist(self, attempt: Callable[[], _T]) -> _T:
        """Try until the disk does its part."""
        while True:
            try:
                return attempt()
            except (sqlite3.Error, OSError) as error:
                self._say(ERROR, str(error), "nothing is lost, trying again")
                await asyncio.sleep(_RETRY_AFTER)

    def _say(self, level: int, what: str, consequence: str) -> None:
        more = self._bursts.note(what, self._loop.time())
        if more is not None:
            _log.log(level, "spool: %s%s: %s", what, more, consequence)
