"""A client of a network server's broker, as ChirpStack is one, for one step at a time."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from bridge.config import Broker
from bridge.mqtt.broker import broker_client
from bridge.mqtt.client import Callbacks, Client, Publishing, puback_failure, suback_failure
from lab.rig.errors import RigError

_LIMIT = 10.0  # seconds


class MqttPeer:
    """What is published and heard; ``heard`` has topic and payload of each message."""

    def __init__(self, client: Client, heard: list[tuple[str, bytes]]) -> None:
        self._client = client
        self.heard = heard

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish at QoS 1; return when the broker has it.

        Raises:
            RigError: it does not take it.

        """
        publishing = self.publish_soon(topic, payload)
        publishing.exception(_LIMIT)
        if failure := puback_failure(publishing):
            raise RigError(f"{topic}: not taken: {failure.reason}")

    def publish_soon(self, topic: str, payload: bytes) -> Publishing:
        """Publish at QoS 1; what is returned is done when the broker has it."""
        return self._client.publish(topic, payload)

    def subscribe(self, topic: str) -> None:
        """Subscribe at QoS 1.

        Raises:
            RigError: the broker does not grant it.

        """
        subscribing = self._client.subscribe([topic])
        subscribing.exception(_LIMIT)
        if failure := suback_failure(subscribing):
            raise RigError(f"{topic}: not granted: {failure.reason}")


@contextmanager
def mqtt_peer(
    broker: Broker, client_id: str = "peer", session_expiry: int = 0
) -> Iterator[MqttPeer]:
    """Connect until the context ends.

    Raises:
        RigError: the broker does not let it in.

    """
    connected, stopped = threading.Event(), Future[None]()
    heard: list[tuple[str, bytes]] = []
    callbacks = Callbacks(
        connected=connected.set,
        stopped=lambda: stopped.set_result(None),
        received=lambda topic, payload: heard.append((topic, payload)),
    )
    client = broker_client(broker, client_id, callbacks, session_expiry)
    client.start()
    try:
        if not connected.wait(_LIMIT):
            raise RigError(f"no connection to {broker.address} as {client_id}")
        yield MqttPeer(client, heard)
    finally:
        client.stop()
        stopped.result(_LIMIT)
