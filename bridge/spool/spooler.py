"""The spool between sources and AWS IoT: group commit, back-pressure, and reading.

All of it happens on the event loop's thread. Handing a commit to another thread and back takes as
long as the commit; while the disk works, what is written to the sockets waits there, and the SDK
publishes on, on threads of its own.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol, TypeVar

from bridge.log_limit import LimitedLogger
from bridge.messages.downlink import Downlink
from bridge.messages.message import Message
from bridge.messages.timestamper import Placement
from bridge.messages.trace import trace
from bridge.spool.batch import Batch, Receipt
from bridge.spool.held import Held
from bridge.spool.spool import Spool
from bridge.spool.waiting import Share, Stretch, Waiting

_MAX_UNCOMMITTED = 1_048_576
"""Bytes of messages after which a commit does not wait for the other connections to be read."""
_FORGET_AFTER = 0.2
"""Seconds a delivered message may stay on disk when no commit takes it along: a crash in that
time publishes it once more, into the same row; a disk write for each PUBACK is spared."""
_OWED_AT_ONCE = 10
"""Receipts for which a commit does not wait: brokers hold further messages back for 20."""
_FORGET_AT_ONCE = 2000  # delivered messages that no longer wait for that
_TOGETHER = 0.0002
"""Seconds: what comes so soon after another is offered with what the other sockets hold."""
_SLACK = 0.001
"""Seconds for which a commit that is due waits for a message to bring it about: a timer wakes the
event loop for it alone, which takes longer than handling a message."""
_RETRY_AFTER = 1.0  # seconds after a failed commit
_LOOK_EVERY = 1.0  # seconds between two looks at the file and the room on its disk

_T = TypeVar("_T")


class Outlet(Protocol):
    """Where messages go."""

    def arrived(self, messages: list[Waiting]) -> None:
        """Take what is to be committed, in order.

        It is offered when it has come, with what is not committed yet, and once more just before
        the commit; when that fails, again and again. What comes with downlinks is offered once,
        just after.
        """


class Inlet(Protocol):
    """Where messages come from."""

    def pause(self) -> None:
        """Bring nothing more until ``resume``: the spool can take nothing."""

    def resume(self) -> None:
        """Go on."""


class Spooler:
    """Commits all that has come since the last commit at once.

    The outlet gets it just before, so that it can be published while the disk works; but just after
    where there are downlinks, whose states must not be told before they are on disk. Receipts are
    called just after. While the spool is full, or cannot be written, the inlets pause.

    At high rates a commit begins ``spacing`` seconds after the one before began: the messages that
    come meanwhile share it, and its sync. So a message is on disk about so soon after it was read,
    also where a sync takes most of that. One that comes after a pause is committed at once.
    """

    def __init__(
        self,
        spool: Spool,
        max_bytes: int,
        max_refused: int = 268_435_456,
        spacing: float = 0.008,
    ) -> None:
        self._spool = spool
        self.held = Held(spool, max_bytes, max_refused)
        self._spacing = spacing
        self._last_id = self.committed_up_to = spool.last_id
        self._batch = Batch()
        self._loop = asyncio.get_running_loop()
        self._called = False  # what has come is looked at when the sockets with data are read
        self._began_at = 0.0  # the last commit
        self._came_at = 0.0  # the last message
        self._arrivals: asyncio.TimerHandle | None = None  # a commit of what has arrived
        self._timer: asyncio.TimerHandle | None = None  # a commit of all there is
        self._looking: asyncio.TimerHandle | None = None
        self._failing = False
        self._pressed = False
        self._log = LimitedLogger(logging.getLogger(__name__))
        self._outlet: Outlet | None = None
        self._inlets: Sequence[Inlet] = ()

    def connect(self, outlet: Outlet, inlets: Sequence[Inlet]) -> None:
        """Say once where messages go and where they come from."""
        self._outlet, self._inlets = outlet, inlets
        self._commit_within(0)  # what an earlier run left may fill it already
        self._look_around()

    def keep(self, message: Message, placement: Placement, receipt: Receipt | None = None) -> None:
        """Take a message, to be committed in a moment.

        ``receipt`` is called once when the message is on disk, never before. The event loop calls
        it right after the commit.
        """
        self._last_id += 1
        batch = self._batch
        batch.keep(Waiting.of(self._last_id, message), placement)
        if receipt is not None:
            batch.receipts.append(receipt)
        if batch.arrived_bytes >= _MAX_UNCOMMITTED and not self._failing:
            self._try_to_commit()
        else:
            self._commit_soon()

    def keep_again(self, rejected: int, message: Message, placement: Placement) -> None:
        """Take a message made of a rejected frame, which the same commit removes, by its number."""
        self._batch.read_again.append(rejected)
        self.keep(message, placement)

    def note(self, downlink: Downlink, receipt: Receipt | None = None) -> None:
        """Write a downlink as it is now, in a moment; ``receipt`` as that of ``keep``."""
        self._batch.downlinks[downlink.number] = downlink
        if receipt is not None:
            self._batch.receipts.append(receipt)
        self._commit_soon()

    def tell(
        self,
        downlink: Downlink,
        message: Message,
        placement: Placement,
        receipt: Receipt | None = None,
    ) -> None:
        """Write a downlink as it is now, and take the message that tells it, in one commit."""
        self._batch.downlinks[downlink.number] = downlink
        self.keep(message, placement, receipt)

    def claim(self, source: str, application: str) -> None:
        """Remember that a source has an application."""
        self._batch.claims.append((source, application))
        self._commit_soon()

    def forget(self, delivered: Sequence[Waiting]) -> None:
        """Drop delivered messages, with the next commit or after ``_FORGET_AFTER``."""
        self._batch.forget(delivered)
        self._commit_within(_FORGET_AFTER)

    def refuse(self, refused: Waiting, reason: str, *, final: bool) -> None:
        """Set aside a message that was refused, as soon as ``forget``.

        A ``final`` refusal would come each time: the message is tried only when a person asks.
        """
        self._batch.refuse(refused, reason, final=final)
        self._commit_within(_FORGET_AFTER)

    async def read(self, after: int, limit: int, share: Share) -> Stretch:
        """Return the next messages of a share, as ``Spool.read`` does."""
        return await self._insist(partial(self._spool.read, after, limit, share))

    async def oldest_refused(self, after_topic: str) -> Waiting | None:
        """Commit, and return a refused message as ``Spool.oldest_refused`` does."""
        return await self._up_to_date(partial(self._spool.oldest_refused, after_topic))

    async def refused(self, topic: str, after: int, limit: int) -> list[Waiting]:
        """Commit, and return refused messages as ``Spool.refused`` does."""
        return await self._up_to_date(partial(self._spool.refused, topic, after, limit))

    async def asked(self, limit: int) -> list[Waiting]:
        """Commit, and return what a person wants to be tried now, as ``Spool.asked`` does."""
        return await self._up_to_date(partial(self._spool.asked, limit))

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
        return "full" if self.held.full else None

    def oldest(self) -> Waiting | None:
        """Return the message that waits on disk for longest.

        Raises:
            OSError, sqlite3.Error: it cannot be read.

        """
        return self._spool.oldest()

    @property
    def uncommitted(self) -> int:
        """How many messages are neither on disk nor delivered."""
        return self._batch.undelivered

    def count_waiting(self) -> int:
        """Return how many messages wait on disk.

        Raises:
            OSError, sqlite3.Error: it cannot be read.

        """
        return self._spool.count_waiting()[0]

    def commit(self) -> None:
        """Commit what there is.

        Raises:
            OSError, sqlite3.Error: nothing was committed; all of it is kept for the next try.

        """
        self._commit(Batch())

    def _commit(self, following: Batch) -> None:
        """Commit the batch; ``following`` is the one after it."""
        batch = self._batch
        held = bool(batch.downlinks)
        if not held:  # again: who could not take it at once may have caught up with the disk since
            self._offer(batch)
        self._began_at = self._loop.time()
        mended = self._spool.commit(batch)
        self._batch = following
        for receipt in batch.receipts:
            self._loop.call_soon(receipt)  # one that raises harms no other
        if batch.arrived:
            self.committed_up_to = batch.arrived[-1].id
            trace(batch.arrived, "committed")
        if held:
            self._offer(batch)
        self._failing = False
        self.held.count(batch, mended=mended)
        self._weigh()

    def close(self) -> None:
        """Commit nothing more by itself."""
        self._failing = True
        for timer in (self._arrivals, self._timer, self._looking):
            if timer is not None:
                timer.cancel()

    def _commit_soon(self) -> None:
        """Take in what has come when all sockets with data are read.

        One that comes alone, soon after a commit or others, is taken in now: another round of the
        event loop takes as long as a tenth of all else that is done for it.
        """
        if self._called or self._failing:
            return
        now = self._loop.time()
        alone, self._came_at = now - self._came_at > _TOGETHER, now
        if alone and (self._arrivals is not None or now < self._began_at + self._spacing):
            self._take_in()
        else:
            self._called = True
            self._loop.call_soon(self._take_in)

    def _take_in(self) -> None:
        """Offer what has come, and commit it now or with what comes in the next moment."""
        self._called = False
        if self._failing or not self._batch.pressing:  # failed or committed meanwhile
            return
        if not self._batch.downlinks:
            self._offer(self._batch)
        due = self._began_at + self._spacing
        if self._loop.time() >= due or len(self._batch.receipts) >= _OWED_AT_ONCE:
            self._commit_arrivals()
        elif self._arrivals is None:
            self._arrivals = self._loop.call_at(due + _SLACK, self._commit_arrivals)

    def _offer(self, batch: Batch) -> None:
        """Let the outlet publish while the disk works, or before: the SDK has its own threads."""
        if self._outlet and batch.arrived:
            self._outlet.arrived(batch.arrived)

    def _commit_arrivals(self) -> None:
        """Commit what has arrived. What was delivered leaves the disk less often than that."""
        if self._arrivals is not None:
            self._arrivals.cancel()
            self._arrivals = None
        batch, following = self._batch, Batch()
        if not batch.pressing or self._failing:
            return
        if len(batch.delivered) < _FORGET_AT_ONCE:
            following.take_delivered(batch)
        try:
            self._commit(following)
        except Exception as error:  # noqa: BLE001  # whatever it is, what has come is kept
            batch.take_delivered(following)
            self._fail(error)

    def _commit_within(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(seconds, self._try_to_commit)

    def _try_to_commit(self) -> None:
        """Commit all there is; when the disk does not do its part, try again later."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        try:
            self.commit()
        except Exception as error:  # noqa: BLE001  # whatever it is, what has come is kept
            self._fail(error)

    def _look_around(self) -> None:
        """Look for what nobody tells of: a commit for each frame has no time for it."""
        shrinking = False
        try:
            if self._spool.require_in_place():
                self._commit_within(0)
            if self._spool.changed_by_others():
                self.held.count_all()
            shrinking = self.held.shrink()
            self.held.look()
            self._weigh()
        except Exception as error:  # noqa: BLE001  # whatever it is, what has come is kept
            self._fail(error)
        soon = _FORGET_AFTER if shrinking else _LOOK_EVERY
        self._looking = self._loop.call_later(soon, self._look_around)

    def _fail(self, error: Exception) -> None:
        self._failing = True
        self._press()
        self._commit_within(_RETRY_AFTER)
        self._say(error)

    def _weigh(self) -> None:
        self.held.weigh()
        if self.held.full:  # the disk may have room again
            self._commit_within(_FORGET_AFTER)
        self._press()

    def _press(self) -> None:
        pressed = self.held.full or self._failing
        if pressed != self._pressed:
            self._pressed = pressed
            for inlet in self._inlets:
                if pressed:
                    inlet.pause()
                else:
                    inlet.resume()

    async def _up_to_date(self, work: Callable[[], _T]) -> _T:
        def attempt() -> _T:
            self.commit()
            return work()

        return await self._insist(attempt)

    async def _insist(self, attempt: Callable[[], _T]) -> _T:
        """Try until the disk works."""
        while True:
            try:
                return attempt()
            except (sqlite3.Error, OSError) as error:
                self._say(error)
                await asyncio.sleep(_RETRY_AFTER)

    def _say(self, error: Exception) -> None:
        message = "spool: %s: nothing is lost, trying again"
        self._log.log(logging.ERROR, str(error), message, error)
