"""The spool's asynchronous face: group commit, back-pressure, and reading.

Blocking work runs in one thread of its own, so commits, reads and deletions never overlap.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from logging import ERROR, WARNING
from typing import TypeVar

from bridge.bursts import Bursts
from bridge.message import Message
from bridge.spool import Spool
from bridge.timestamps import Placement
from bridge.waiting import Refused, Share, Stretch, Waiting, waiting

_log = logging.getLogger(__name__)

_MAX_UNCOMMITTED = 4_194_304
"""Bytes of messages that may wait in memory for a commit before reading pauses."""
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
    """Commits all that has come since the last commit at once, then calls ``on_commit`` with it.

    ``on_pressure(True)`` asks for no more messages, ``on_pressure(False)`` for more again.
    Its methods are called from the event loop's thread.
    """

    def __init__(self, spool: Spool, max_bytes: int) -> None:
        self._spool = spool
        self._max_bytes = max_bytes
        self._waiting_bytes = spool.waiting()[1]
        self._last_id = self.committed_up_to = spool.last_id
        self._uncommitted: list[Waiting] = []
        self._placements: list[Placement] = []
        self._uncommitted_bytes = 0
        self._delivered: list[int] = []
        self._delivered_bytes = 0
        self._refused: list[Refused] = []
        self._work = asyncio.Event()
        self._committing = asyncio.Lock()
        self._soon: asyncio.TimerHandle | None = None
        self._pressed = False
        self._full = False
        self._weigh_at = min(_MAX_UNCOMMITTED, max_bytes - self._waiting_bytes)
        self._bursts = Bursts()
        self._thread = ThreadPoolExecutor(1, "spool")
        self.on_commit: Callable[[list[Waiting]], None] = lambda _committed: None
        self.on_pressure: Callable[[bool], None] = lambda _pressed: None

    def keep(self, message: Message, placement: Placement) -> None:
        """Take a message, to be committed as soon as the commit under way is done."""
        self._last_id += 1
        arrived = waiting(self._last_id, message)
        self._uncommitted.append(arrived)
        self._placements.append(placement)
        self._uncommitted_bytes += arrived.size
        self._work.set()
        if self._uncommitted_bytes >= self._weigh_at:
            self._weigh()

    def forget(self, delivered: Sequence[Waiting]) -> None:
        """Drop delivered messages, with the next commit or after ``_FORGET_AFTER``."""
        self._delivered += [each.id for each in delivered]
        self._delivered_bytes += sum(each.size for each in delivered)
        self._commit_soon()

    def refuse(self, refused: Waiting, now: float) -> None:
        """Set aside a message that was refused ``now``, as soon as ``forget``."""
        self._refused.append(Refused(refused.id, now))
        self._commit_soon()

    async def read(self, after: int, limit: int, share: Share) -> Stretch:
        """Return the next messages of a share, as ``Spool.read`` does."""
        work = partial(self._spool.read, after, limit, share)
        return await self._insist(lambda: self._run(work))

    async def oldest_refused(self, after_topic: str) -> Waiting | None:
        """Return a refused message, as ``Spool.oldest_refused`` does, by what is known now."""
        return await self._up_to_date(partial(self._spool.oldest_refused, after_topic))

    async def refused(self, topic: str, after: int, limit: int) -> list[Waiting]:
        """Return refused messages, as ``Spool.refused`` does, by what is known now."""
        return await self._up_to_date(partial(self._spool.refused, topic, after, limit))

    @property
    def uncommitted(self) -> int:
        """How many messages are not on disk yet."""
        return len(self._uncommitted)

    async def count(self) -> int:
        """Return how many messages wait on disk."""
        return (await self._run(self._spool.waiting))[0]

    async def run(self) -> None:
        """Commit whenever there is something to commit, for ever."""
        self._weigh()
        while True:
            await self._work.wait()
            self._work.clear()
            await self._insist(self.flush)
            await self._insist(self._give_back)

    async def flush(self) -> None:
        """Commit what there is.

        Raises:
            OSError, sqlite3.Error: nothing was committed; all of it is kept for the next try.

        """
        # A commit that has begun is seen through, even when nobody waits for it any more.
        await asyncio.shield(asyncio.create_task(self._commit()))

    def close(self) -> None:
        """Wait for the thread's last work and end it."""
        self._thread.shutdown()

    async def _commit(self) -> None:
        async with self._committing:
            arrived, placements = self._uncommitted[:], self._placements[:]
            delivered, refused = self._delivered[:], self._refused[:]
            added, forgotten = self._uncommitted_bytes, self._delivered_bytes
            await self._run(partial(self._spool.commit, arrived, placements, delivered, refused))
            del self._uncommitted[: len(arrived)], self._placements[: len(placements)]
            del self._delivered[: len(delivered)], self._refused[: len(refused)]
            self._delivered_bytes -= forgotten
            self._uncommitted_bytes -= added
            self._waiting_bytes += added - forgotten
            self._settle(arrived)

    async def _give_back(self) -> None:
        """Shrink the file between commits, once it holds little: pages in use would be moved."""
        if self._waiting_bytes < _LITTLE and await self._run(self._spool.shrink):
            self._commit_soon()

    def _commit_soon(self) -> None:
        if self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(_FORGET_AFTER, self._work.set)

    def _settle(self, committed: list[Waiting]) -> None:
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
        if self._delivered or self._refused or self._full:  # what came meanwhile, or may leave
            self._commit_soon()
        self._weigh_at = min(_MAX_UNCOMMITTED, self._max_bytes - self._waiting_bytes)
        self._weigh()
        if committed:
            self.committed_up_to = committed[-1].id
            self.on_commit(committed)

    def _weigh(self) -> None:
        held = self._waiting_bytes + self._uncommitted_bytes
        room = self._spool.room
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
        pressed = self._full or self._uncommitted_bytes >= _MAX_UNCOMMITTED
        if pressed != self._pressed:
            self._pressed = pressed
            self.on_pressure(pressed)

    async def _up_to_date(self, work: Callable[[], _T]) -> _T:
        async def attempt() -> _T:
            await self.flush()
            return await self._run(work)

        return await self._insist(attempt)

    async def _insist(self, attempt: Callable[[], Awaitable[_T]]) -> _T:
        """Try until the disk does its part."""
        while True:
            try:
                return await attempt()
            except (sqlite3.Error, OSError) as error:
                self._say(ERROR, str(error), "nothing is lost, trying again")
                await asyncio.sleep(_RETRY_AFTER)

    def _say(self, level: int, what: str, consequence: str) -> None:
        more = self._bursts.note(what, asyncio.get_running_loop().time())
        if more is not None:
            _log.log(level, "spool: %s%s: %s", what, more, consequence)

    async def _run(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
