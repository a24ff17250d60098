"""The spool's asynchronous face: group commit, back-pressure, and reading ahead.

Blocking work runs in one thread of its own, so commits, reads and deletions never overlap.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from bridge.bursts import Bursts
from bridge.message import Message
from bridge.spool import Entry, Refused, Spool, Waiting, size
from bridge.timestamps import Placement

_log = logging.getLogger(__name__)

_MAX_UNCOMMITTED = 4_194_304
"""Bytes of messages that may wait in memory for a commit before reading pauses."""
_FORGET_AFTER = 1.0
"""Seconds a delivered message may stay on disk when no commit takes it along: a crash in that
time publishes it once more, into the same row; a disk write for each PUBACK is spared."""
_RETRY_AFTER = 1.0  # seconds after a failed commit

_T = TypeVar("_T")


class Spooler:
    """Commits all that has come since the last commit at once, then calls ``on_commit``.

    ``on_pressure(True)`` asks for no more messages, ``on_pressure(False)`` for more again.
    Its methods are called from the event loop's thread.
    """

    def __init__(self, spool: Spool, max_bytes: int) -> None:
        self._spool = spool
        self._max_bytes = max_bytes
        self._waiting_bytes = spool.waiting()[1]
        self._next_id = spool.next_id
        self._uncommitted: list[Entry] = []
        self._uncommitted_bytes = 0
        self._delivered: list[Waiting] = []
        self._refused: list[Refused] = []
        self._work = asyncio.Event()
        self._committing = asyncio.Lock()
        self._soon: asyncio.TimerHandle | None = None
        self._pressed = False
        self._bursts = Bursts()
        self._thread = ThreadPoolExecutor(1, "spool")
        self.on_commit: Callable[[], None] = lambda: None
        self.on_pressure: Callable[[bool], None] = lambda _pressed: None

    def keep(self, message: Message, placement: Placement) -> None:
        """Take a message, to be committed as soon as the commit under way is done."""
        self._uncommitted.append(Entry(self._next_id, message, placement))
        self._next_id += 1
        self._uncommitted_bytes += size(message)
        self._work.set()
        self._weigh()

    def forget(self, waiting: Waiting) -> None:
        """Drop a delivered message, with the next commit or after ``_FORGET_AFTER``."""
        self._delivered.append(waiting)
        self._commit_soon()

    def refuse(self, waiting: Waiting, retry_at: float) -> None:
        """Set a message aside until ``retry_at`` of the loop's clock, as soon as ``forget``."""
        self._refused.append(Refused(waiting.id, retry_at))
        self._commit_soon()

    async def read(
        self, after: int, limit: int, connection: int, connections: int
    ) -> list[Waiting]:
        """Return the next messages of a connection, as ``Spool.read`` does."""
        work = partial(self._spool.read, after, limit, connection, connections)
        return await self._insist(lambda: self._run(work))

    async def read_refused(
        self, now: float, limit: int, connection: int, connections: int
    ) -> list[Waiting]:
        """Return refused messages to try again, as ``Spool.read_refused`` does.

        None that was delivered or refused again in the meantime is among them.
        """
        work = partial(self._spool.read_refused, now, limit, connection, connections)

        async def up_to_date() -> list[Waiting]:
            await self.flush()
            return await self._run(work)

        return await self._insist(up_to_date)

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

    async def flush(self) -> None:
        """Commit what there is.

        Raises:
            sqlite3.Error: nothing was committed; all of it is kept for the next try.

        """
        # A commit that has begun is seen through, even when nobody waits for it any more.
        await asyncio.shield(asyncio.create_task(self._commit()))

    def close(self) -> None:
        """Wait for the thread's last work and end it."""
        self._thread.shutdown()

    async def _commit(self) -> None:
        async with self._committing:
            entries = tuple(self._uncommitted)
            delivered = tuple(self._delivered)
            refused = tuple(self._refused)
            ids = [waiting.id for waiting in delivered]
            await self._run(partial(self._spool.commit, entries, ids, refused))
            del self._uncommitted[: len(entries)]
            del self._delivered[: len(delivered)]
            del self._refused[: len(refused)]
            self._settle(entries, delivered)

    def _commit_soon(self) -> None:
        if self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(_FORGET_AFTER, self._work.set)

    def _settle(self, entries: tuple[Entry, ...], delivered: tuple[Waiting, ...]) -> None:
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
        committed = sum(size(entry.message) for entry in entries)
        self._uncommitted_bytes -= committed
        self._waiting_bytes += committed - sum(size(each.message) for each in delivered)
        if self._delivered or self._refused:  # that came while the commit ran
            self._commit_soon()
        self._weigh()
        if entries:
            self.on_commit()

    def _weigh(self) -> None:
        full = self._waiting_bytes + self._uncommitted_bytes >= self._max_bytes
        pressed = full or self._uncommitted_bytes >= _MAX_UNCOMMITTED
        if pressed == self._pressed:
            return
        self._pressed = pressed
        if full:
            more = self._bursts.note("full", asyncio.get_running_loop().time())
            if more is not None:
                _log.error(
                    "spool: full%s: %d bytes wait, and nothing is read until some are published",
                    *(more, self._waiting_bytes),
                )
        self.on_pressure(pressed)

    async def _insist(self, attempt: Callable[[], Awaitable[_T]]) -> _T:
        """Try until the disk does its part."""
        while True:
            try:
                return await attempt()
            except sqlite3.Error as error:
                more = self._bursts.note(str(error), asyncio.get_running_loop().time())
                if more is not None:
                    _log.error("spool: %s%s; nothing is lost, trying again", error, more)
                await asyncio.sleep(_RETRY_AFTER)

    async def _run(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
