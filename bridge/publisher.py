"""Publishes what waits in the spool, over one or several connections to AWS IoT.

A device always uses the same connection, and its messages go out in order of receipt.
"""

import asyncio
import logging
from collections import deque

from bridge.bursts import Bursts
from bridge.config import Aws
from bridge.counts import Counts
from bridge.mqtt import Connection, Events, Outcome, Result
from bridge.names import client_id
from bridge.spool import Waiting
from bridge.spooler import Spooler

_log = logging.getLogger(__name__)

_READ_AHEAD = 1000  # messages of a connection held in memory before they are published
_RETRY_REFUSED_AFTER = 60.0  # seconds
_LOOK_FOR_REFUSED_EVERY = 10.0  # seconds

_ADVICE = {
    "NOT_AUTHORIZED (0x87)": ": check the policy attached to its certificate",
    "AWS_IO_TLS_ERROR_NEGOTIATION_FAILURE": ": check root_ca, certificate and endpoint",
    "AWS_ERROR_MQTT_UNEXPECTED_HANGUP": ": check that the certificate is active, and its policy",
}


class Publisher:
    """All connections of the bridge."""

    def __init__(self, aws: Aws, spooler: Spooler, counts: Counts) -> None:
        self._lanes = [_Lane(aws, number, spooler, counts) for number in range(aws.connections)]
        spooler.on_commit = self._wake

    async def run(self) -> None:
        """Connect, and publish for ever."""
        async with asyncio.TaskGroup() as tasks:
            for lane in self._lanes:
                tasks.create_task(lane.read_ahead())
                tasks.create_task(lane.retry_refused())
                lane.start()

    async def connected(self) -> None:
        """Return when every connection has been made for the first time."""
        for lane in self._lanes:
            await lane.connected_once.wait()

    async def drain(self) -> None:
        """Return when all that was committed has been published, or refused."""
        for lane in self._lanes:
            await lane.drained()

    async def stop(self) -> None:
        """Disconnect."""
        await asyncio.gather(*(lane.stop() for lane in self._lanes))

    def _wake(self) -> None:
        for lane in self._lanes:
            lane.look()


class _Lane:
    """One connection, and the messages on their way through it.

    spool → ``_ready`` → ``_inflight`` → PUBACK → forgotten. A refused message goes back to the
    spool's shelf of refused ones, an unanswered one to the head of ``_ready``.
    """

    def __init__(self, aws: Aws, number: int, spooler: Spooler, counts: Counts) -> None:
        self._name = client_id(aws.client_id, number + 1)
        self._where = f"{aws.endpoint}:{aws.port}"
        self._max_inflight = aws.max_inflight
        self._share = (number, aws.connections)
        self._spooler = spooler
        self._counts = counts
        self._bursts = Bursts()
        self._read_up_to = 0
        self._more = True  # the spool may hold messages after _read_up_to
        self._reading = False
        self._hungry = asyncio.Event()
        self._ready: deque[Waiting] = deque()
        self._inflight: dict[int, Waiting] = {}
        self._retrying: set[int] = set()
        self._refused_again = False
        self._progress = asyncio.Event()
        self._connected = False
        self._stopping = False
        self.connected_once = asyncio.Event()
        events = Events(connected=self._on_connected, lost=self._on_lost, ended=self._on_ended)
        self._connection = Connection(aws, self._name, events)
        self._pump()

    def start(self) -> None:
        """Begin to connect."""
        _log.info("connecting to %s as %s", self._where, self._name)
        self._connection.start()

    def look(self) -> None:
        """Look into the spool: something was committed."""
        self._more = True
        self._pump()

    async def read_ahead(self) -> None:
        """Keep ``_ready`` filled from the spool, for ever."""
        while True:
            await self._hungry.wait()
            self._hungry.clear()
            self._more, self._reading = False, True
            found = await self._spooler.read(self._read_up_to, _READ_AHEAD, *self._share)
            self._reading = False
            if found:
                self._read_up_to = found[-1].id
                self._more = self._more or len(found) == _READ_AHEAD
                self._ready.extend(found)
            self._pump()

    async def retry_refused(self) -> None:
        """Publish refused messages again, a few at a time so that new ones have the way free."""
        few = max(1, self._max_inflight // 10)
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_LOOK_FOR_REFUSED_EVERY)
            self._refused_again = False
            while not self._refused_again:
                found = await self._spooler.read_refused(loop.time(), few, *self._share)
                if not found:
                    break
                self._retrying = {waiting.id for waiting in found}
                self._ready.extendleft(reversed(found))
                self._pump()
                while self._retrying:
                    await self._next_progress()

    async def drained(self) -> None:
        """Return when nothing is left to read or to publish."""
        while self._more or self._reading or self._ready or self._inflight:
            await self._next_progress()

    async def stop(self) -> None:
        """Disconnect; what is not acknowledged stays in the spool."""
        self._stopping = True
        self._connected = False
        await self._connection.stop()

    def _pump(self) -> None:
        while self._ready and self._connected and len(self._inflight) < self._max_inflight:
            waiting = self._ready.popleft()
            self._inflight[waiting.id] = waiting
            self._connection.publish(waiting)
        if self._more and len(self._ready) < _READ_AHEAD // 2:
            self._hungry.set()
        self._progress.set()

    async def _next_progress(self) -> None:
        self._progress.clear()
        await self._progress.wait()

    def _on_connected(self) -> None:
        _log.info("connected to %s as %s", self._where, self._name)
        self._connected = True
        self.connected_once.set()
        self._pump()

    def _on_lost(self, reason: str) -> None:
        self._connected = False
        more = self._bursts.note(reason, asyncio.get_running_loop().time())
        if more is not None and not self._stopping:
            _log.warning(
                "no connection to %s as %s: %s%s; frames are kept, trying again%s",
                *(self._where, self._name, reason, more, _ADVICE.get(reason, "")),
            )

    def _on_ended(self, outcomes: list[Outcome]) -> None:
        unanswered = []
        for outcome in outcomes:
            del self._inflight[outcome.waiting.id]
            match outcome.result:
                case Result.DELIVERED:
                    self._counts.published += 1
                    self._retrying.discard(outcome.waiting.id)
                    self._spooler.forget(outcome.waiting)
                case Result.REFUSED:
                    self._put_aside(outcome)
                case Result.UNANSWERED:
                    unanswered.append(outcome)
        if unanswered and not self._stopping:
            self._take_back(unanswered)
        self._pump()

    def _put_aside(self, outcome: Outcome) -> None:
        self._counts.refused += 1
        waiting = outcome.waiting
        now = asyncio.get_running_loop().time()
        more = self._bursts.note(outcome.detail, now)
        if more is not None:
            _log.error(
                "publish to %s as %s refused: %s%s; kept, tried again every %.0f s%s",
                *(waiting.message.topic, self._name, outcome.detail, more),
                *(_RETRY_REFUSED_AFTER, _ADVICE.get(outcome.detail, "")),
            )
        self._refused_again |= waiting.id in self._retrying
        self._retrying.discard(waiting.id)
        self._spooler.refuse(waiting, now + _RETRY_REFUSED_AFTER)

    def _take_back(self, unanswered: list[Outcome]) -> None:
        """Publish again, in order, what got no PUBACK, on a new connection."""
        again = [outcome.waiting for outcome in unanswered]
        # Not all of them may have ended at once: sort them in with those that ended before.
        self._ready = deque(sorted([*again, *self._ready], key=lambda waiting: waiting.id))
        if self._connected:
            self._connected = False
            _log.warning(
                "%d publishes unanswered: %s; connecting anew", len(again), unanswered[0].detail
            )
            self._connection.restart()
