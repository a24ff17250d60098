"""Tries refused messages again: one of each topic from time to time, all once one is accepted."""

import asyncio
from collections.abc import Callable, Iterable

from bridge.spool.spooler import Spooler
from bridge.spool.waiting import Waiting
from bridge.timings import Timings

_PROBES = 10  # topics tried at once: a tenth of the publishes that AWS IoT takes in a second
_BATCH = 1000  # messages


class RefusedMessages:
    """The messages that AWS IoT refused, which wait in the spool, set aside.

    ``publish`` puts messages before all that is newer. ``accepted`` and ``refused_again`` are told
    of all messages that end. Those that a person asks for are tried at once.
    """

    def __init__(
        self, spooler: Spooler, publish: Callable[[list[Waiting]], None], timings: Timings
    ) -> None:
        self._spooler = spooler
        self._publish = publish
        self._timings = timings
        self._trying: set[int] = set()
        self._accepted: set[str] = set()
        self._ended = asyncio.Event()

    def accepted(self, messages: Iterable[Waiting]) -> None:
        """Note that AWS IoT accepted these."""
        if self._trying:
            tried = [each for each in messages if each.id in self._trying]
            self._accepted |= {each.topic for each in tried}
            self._end(tried)

    def refused_again(self, waiting: Waiting) -> None:
        """Note that AWS IoT refused a message."""
        self._end([waiting])

    async def run(self) -> None:
        """Try them again, for ever."""
        time = asyncio.get_running_loop().time
        probed_at = time()
        while True:
            await asyncio.sleep(min(self._timings.look_for_retries, self._timings.probe_every))
            while asked := await self._spooler.asked(_BATCH):
                await self._try(asked)
            if time() - probed_at >= self._timings.probe_every:
                await self._probe()
                probed_at = time()

    async def _probe(self) -> None:
        topic = ""
        while probes := await self._probes(topic):
            topic = probes[-1].topic
            for accepted in await self._try(probes):
                await self._release(accepted)

    async def _probes(self, after_topic: str) -> list[Waiting]:
        """Return one message of each of the next topics, the one refused longest ago.

        Not the oldest: a message that is never accepted must not stand before the others.
        """
        probes: list[Waiting] = []
        while len(probes) < _PROBES:
            probe = await self._spooler.oldest_refused(after_topic)
            if probe is None:
                break
            probes.append(probe)
            after_topic = probe.topic
        return probes

    async def _release(self, topic: str) -> None:
        """Publish all refused messages of a topic, in order."""
        last = 0
        while batch := await self._spooler.refused(topic, last, _BATCH):
            last = batch[-1].id
            await self._try(batch)

    async def _try(self, messages: list[Waiting]) -> set[str]:
        """Publish the messages; return the topics of those accepted once all have ended."""
        self._trying = {each.id for each in messages}
        self._accepted = set()
        self._publish(messages)
        while self._trying:
            self._ended.clear()
            await self._ended.wait()
        return self._accepted

    def _end(self, messages: Iterable[Waiting]) -> None:
        self._trying -= {each.id for each in messages}
        self._ended.set()
