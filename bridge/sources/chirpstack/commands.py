"""Publishes commands to ChirpStack, each once.

The connection has no session at the broker. In one, what was not acknowledged would be published
again after a reconnect, and a device might get its downlink twice.
"""

import asyncio
from contextlib import suppress

from bridge.config import Broker
from bridge.mqtt.broker import broker_client
from bridge.mqtt.client import Callbacks, nobody_listens, puback_failure
from bridge.sources.chirpstack.sending import Published


class CommandConnection:
    """The connection on which commands are published.

    Raises:
        BridgeError: the password, certificate, key or CA cannot be used.

    """

    def __init__(self, broker: Broker, client_id: str) -> None:
        self.connected = False
        callbacks = Callbacks(connected=self._on_connected, lost=self._on_lost)
        self._client = broker_client(broker, client_id, callbacks)

    def start(self) -> None:
        """Connect, and reconnect for ever."""
        self._client.start()

    def stop(self) -> None:
        """End the connection."""
        self._client.stop()

    async def publish(self, topic: str, payload: bytes) -> Published:
        """Publish a command at QoS 1, and wait for its PUBACK."""
        if not self.connected:
            return Published.NOT_PUBLISHED
        publishing = self._client.publish(topic, payload)
        with suppress(Exception):  # what it is, puback_failure says
            await asyncio.wrap_future(publishing)
        failure = puback_failure(publishing)
        if failure is not None:
            return Published.TAKEN if failure.code is None else Published.REFUSED
        return Published.NOBODY_LISTENS if nobody_listens(publishing) else Published.TAKEN

    def _on_connected(self) -> None:
        self.connected = True

    def _on_lost(self, _reason: str) -> None:
        self.connected = False
