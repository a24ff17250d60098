"""Publishes what waits in the spool, over one or several connections to AWS IoT.

A device always uses the same connection, and its messages go out in order of receipt.
"""

import asyncio

from bridge.aws_iot.lane import Lane
from bridge.aws_iot.latencies import Latencies, added
from bridge.aws_iot.refused import RefusedMessages
from bridge.config import Aws
from bridge.counts import Counts
from bridge.spool.spooler import Spooler
from bridge.spool.waiting import Share, Waiting
from bridge.timings import Timings


class Publisher:
    """All connections of the bridge."""

    def __init__(self, aws: Aws, spooler: Spooler, counts: Counts, timings: Timings) -> None:
        self._refused = RefusedMessages(spooler, self._publish_first, timings)
        self._lanes = [
            Lane(aws, Share(number, aws.connections), spooler, self._refused, counts, timings)
            for number in range(aws.connections)
        ]

    async def run(self) -> None:
        """Connect, and publish for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._refused.run())
            for lane in self._lanes:
                tasks.create_task(lane.read_ahead())
                lane.start()

    @property
    def size(self) -> int:
        """How many connections there are to be."""
        return len(self._lanes)

    def unconnected(self) -> list[str]:
        """Return the client IDs of the connections that are not up."""
        return [lane.name for lane in self._lanes if not lane.connected]

    def stuck(self) -> list[str]:
        """Return the client IDs of the connections that will do nothing more by themselves."""
        return [lane.name for lane in self._lanes if lane.stuck]

    def latencies(self) -> Latencies:
        """Return how long publishes took to be acknowledged."""
        return added(lane.latencies for lane in self._lanes)

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

    def arrived(self, messages: list[Waiting]) -> None:
        """Take what is being committed."""
        for lane in self._lanes:
            lane.arrived(messages)

    def _publish_first(self, messages: list[Waiting]) -> None:
        for lane in self._lanes:
            lane.publish_first(messages)
