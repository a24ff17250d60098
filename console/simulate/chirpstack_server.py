"""Plays a ChirpStack server at a broker."""

import random
import time
from collections.abc import Callable
from uuid import uuid4

from bridge.config import Broker
from console.simulate.chirpstack_connection import Connection, connected
from console.simulate.chirpstack_devices import Device
from console.simulate.chirpstack_events import Event, Maker
from console.simulate.chirpstack_queue import Queues
from console.simulate.plan import Plan, paced
from contract.errors import BridgeError


class ChirpStackPlayer:
    """A ChirpStack server with so many devices; the share ``lose`` of downlinks is not answered.

    ``maker`` makes events to publish, and ``queues`` has the downlinks that were taken.
    """

    def __init__(self, connection: Connection, devices: int, lose: float = 0.0) -> None:
        # The same readings every time. Ids are new: by them a bridge knows what it has had.
        rng = random.Random(1)  # noqa: S311  # no secret comes of it
        self.maker = Maker(rng, time.time_ns, lambda: str(uuid4()))
        self.queues = Queues(devices, self.maker, random.Random(1), lose)  # noqa: S311  # the same
        self._connection = connection
        self._devices = devices

    def join(self) -> None:
        """Let each device join."""
        for number in range(self._devices):
            self._connection.publish(self.maker.join(Device(number)))

    def uplink(self, up: Event, *others: Event) -> None:
        """Publish an uplink, what comes along with it, and what it means for downlinks."""
        self.take()
        self._connection.publish(up, *others, *self.queues.answers(up))

    def take(self) -> None:
        """Take the commands that have come."""
        while self._connection.commands:
            self.queues.take(*self._connection.commands.popleft())


def play(broker: Broker, plan: Plan, progress: Callable[[int], object]) -> Queues:
    """Join the devices and publish their uplinks; return what became of downlinks.

    ``progress`` is told of each few uplinks that the broker has acknowledged.

    Raises:
        BridgeError: the broker does not answer or refuses, or nobody is subscribed there.

    """
    told = 0
    with connected(broker) as connection:
        player = ChirpStackPlayer(connection, plan.devices, plan.lose)

        def tell() -> None:
            nonlocal told
            sent = connection.acknowledged["up"]
            progress(sent - told)
            told = sent

        player.join()
        connection.settle()
        if connection.unheard:
            raise BridgeError(
                f"nobody has subscribed to events at {broker.address}: run the bridge first"
            )
        for batch in paced(player.maker.uplinks(plan.devices), plan):
            for events in batch:
                player.uplink(*events)
            connection.look()
            tell()
        connection.settle()
        tell()
    return player.queues
