"""Publishes events to a broker until it has them, and takes the commands that come from it."""

import time
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from secrets import token_hex

from bridge.config import Broker
from bridge.mqtt.broker import broker_client
from bridge.mqtt.client import (
    Callbacks,
    Publishing,
    Subscribing,
    nobody_listens,
    puback_failure,
    suback_failure,
)
from console.simulate.chirpstack_events import Event
from console.simulate.chirpstack_queue import COMMANDS
from console.simulate.plan import TICK
from contract.errors import BridgeError

_LIMIT = 30.0  # seconds for the broker to answer
_REMEDIES = {
    "BAD_USERNAME_OR_PASSWORD": "check --username and --password-file",
    "NOT_AUTHORIZED": "check --username and --password-file",
}


class Connection:
    """A connection as ChirpStack has one, under a name of chance and without a session.

    It connects again by itself, and publishes again what was not acknowledged. All is for one
    thread. ``commands`` has topic and payload of what came; ``acknowledged`` counts events by kind,
    and ``unheard`` those of them that nobody was subscribed to.
    """

    def __init__(self, broker: Broker) -> None:
        self.commands = deque[tuple[str, bytes]]()
        self.acknowledged = Counter[str]()
        self.unheard = 0
        self._address = broker.address
        self._waiting = deque[Event]()
        self._under_way = 0
        self._answered = deque[tuple[Event, Publishing]]()  # by threads of the SDK
        self._connected = False
        self._ready, self._stopped = Future[None](), Future[None]()
        callbacks = Callbacks(
            connected=self._on_connected,
            failed=lambda reason: self._give_up(_REMEDIES.get(reason, "is it running?"), reason),
            lost=self._on_lost,
            stopped=lambda: self._stopped.set_result(None),
            received=lambda topic, payload: self.commands.append((topic, payload or b"")),
        )
        self._client = broker_client(broker, f"chirpstack-{token_hex(8)}", callbacks)

    def start(self) -> None:
        """Connect and subscribe.

        Raises:
            BridgeError: the broker does not answer, or refuses.

        """
        self._client.start()
        try:
            self._ready.result(_LIMIT)
        except TimeoutError:
            raise BridgeError(f"the broker {self._address} does not answer") from None

    def stop(self) -> None:
        """Part from the broker."""
        self._client.stop()
        self._stopped.result(_LIMIT)

    def publish(self, *events: Event) -> None:
        """Publish events at QoS 1, now or, without a connection, later.

        Raises:
            BridgeError: the broker has refused one.

        """
        self._waiting.extend(events)
        self.look()

    def look(self) -> None:
        """Hear what the broker has answered, and publish what waits.

        Raises:
            BridgeError: the broker has refused an event.

        """
        while self._answered:
            self._note(*self._answered.popleft())
        while self._waiting and self._connected:
            event = self._waiting.popleft()
            self._under_way += 1
            publishing = self._client.publish(event.topic, event.payload)
            publishing.add_done_callback(partial(self._on_answer, event))

    def settle(self) -> None:
        """Wait until the broker has acknowledged every event.

        Raises:
            BridgeError: it has refused one, or has acknowledged none for a while.

        """
        before, deadline = 0, 0.0
        while left := len(self._waiting) + self._under_way:
            now = time.monotonic()
            if left != before:
                before, deadline = left, now + _LIMIT
            elif now > deadline:
                raise BridgeError(f"the broker {self._address} has not acknowledged {left} events")
            time.sleep(TICK)
            self.look()

    def _note(self, event: Event, publishing: Publishing) -> None:
        self._under_way -= 1
        failure = puback_failure(publishing)
        if failure is None:
            self.acknowledged[event.kind] += 1
            self.unheard += nobody_listens(publishing)
        elif failure.code is None:
            self._waiting.append(event)
        else:
            raise BridgeError(f"the broker {self._address} refuses {event.topic}: {failure.reason}")

    def _on_answer(self, event: Event, publishing: Publishing) -> None:
        self._answered.append((event, publishing))

    def _on_connected(self) -> None:
        self._client.subscribe([COMMANDS]).add_done_callback(self._on_subscribed)

    def _on_subscribed(self, subscribing: Subscribing) -> None:
        failure = suback_failure(subscribing)
        if failure is not None:
            self._give_up(f"it refuses the subscription to {COMMANDS}", failure.reason)
            return
        self._connected = True
        if not self._ready.done():
            self._ready.set_result(None)

    def _on_lost(self, _reason: str) -> None:
        self._connected = False

    def _give_up(self, text: str, reason: str) -> None:
        """Fail to start; later the client tries again by itself."""
        if not self._ready.done():
            told = f"no connection to the broker {self._address}: {reason}: {text}"
            self._ready.set_exception(BridgeError(told))


@contextmanager
def connected(broker: Broker) -> Iterator[Connection]:
    """Connect to a broker until the context ends.

    Raises:
        BridgeError: the broker does not answer, or refuses.

    """
    connection = Connection(broker)
    try:
        connection.start()
        yield connection
    finally:
        connection.stop()
