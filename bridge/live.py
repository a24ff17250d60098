"""Goes on with a history live: uplinks as they are published, over MQTT, as a consumer."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from queue import Empty, SimpleQueue

import msgspec
from awscrt import mqtt5
from awscrt.exceptions import AwsCrtError
from awsiot import mqtt5_client_builder

from bridge.enroll import Endpoint
from bridge.errors import BridgeError
from bridge.names import (
    DECODE_WARNINGS,
    DECODED,
    PARTITION_KEY,
    SORT_KEY,
    TOPIC_ROOT,
    decoded_topic,
)
from bridge.rows import Row, row_of

_ANSWER_LIMIT = 15.0  # seconds
_DECODING = 3.0  # seconds after which an uplink is shown without its reading
_TICK = 0.2  # seconds

_message = msgspec.json.Decoder(dict[str, object], float_hook=Decimal)
_Message = tuple[str, bytes]


@dataclass(frozen=True)
class Consumer:
    """Who listens: the name whose key and certificate are in ``folder``, and where."""

    name: str
    folder: Path
    endpoint: Endpoint


@contextmanager
def live_uplinks(
    consumer: Consumer, device: str, ended: Callable[[], bool]
) -> Iterator[Iterator[Row]]:
    """Subscribe to a device; give its uplinks from now on, as they come, until ``ended``.

    An uplink waits a few seconds for its reading, which AWS publishes where that is switched on.
    One that is published twice is given twice.

    Raises:
        BridgeError: the key or certificate cannot be used, or AWS IoT refuses.

    """
    messages: SimpleQueue[_Message] = SimpleQueue()
    topics = (f"{TOPIC_ROOT}/{device}", decoded_topic(device))
    with _connected(consumer, messages) as client:
        wanted = [mqtt5.Subscription(topic, mqtt5.QoS.AT_LEAST_ONCE) for topic in topics]
        answer = client.subscribe(mqtt5.SubscribePacket(wanted)).result(_ANSWER_LIMIT)
        refused = [code for code in answer.reason_codes if int(code) >= 0x80]  # noqa: PLR2004
        if refused:
            raise BridgeError(f"AWS IoT refuses the subscription to {topics[0]}: {refused[0].name}")
        yield _joined(messages, Joining(device), ended)


@dataclass
class Joining:
    """Joins uplinks and their readings, by their timestamp; times are in seconds.

    When one has waited in vain, the next do not wait, until a reading comes after all.
    """

    device: str
    _patience: float = _DECODING
    _waiting: dict[str, tuple[float, dict[str, object]]] = field(default_factory=dict)

    def take(self, topic: str, payload: bytes, now: float) -> Iterator[Row]:
        """Take a message; yield the uplink that it completes."""
        fields = _message.decode(payload)
        timestamp = str(fields.get(SORT_KEY))
        if topic == decoded_topic(self.device):
            self._patience = _DECODING
            if timestamp in self._waiting:
                reading = {DECODED: fields.get(DECODED), DECODE_WARNINGS: fields.get("warnings")}
                yield self._row(timestamp, reading)
        else:
            self._waiting[timestamp] = (now + self._patience, fields)

    def due(self, now: float) -> Iterator[Row]:
        """Yield the uplinks that have waited long enough."""
        for timestamp, (until, _fields) in list(self._waiting.items()):
            if until <= now:
                self._patience = 0.0
                yield self._row(timestamp, {})

    def _row(self, timestamp: str, reading: dict[str, object]) -> Row:
        _until, fields = self._waiting.pop(timestamp)
        return row_of({PARTITION_KEY: self.device, **fields, **reading})


def _joined(
    messages: "SimpleQueue[_Message]", joining: Joining, ended: Callable[[], bool]
) -> Iterator[Row]:
    while not ended():
        with suppress(Empty):
            topic, payload = messages.get(timeout=_TICK)
            yield from joining.take(topic, payload, time.monotonic())
        yield from joining.due(time.monotonic())


@contextmanager
def _connected(consumer: Consumer, messages: "SimpleQueue[_Message]") -> Iterator[mqtt5.Client]:
    answered: Future[str | None] = Future()

    def answer(problem: str | None) -> None:
        if not answered.done():
            answered.set_result(problem)

    def on_failure(data: mqtt5.LifecycleConnectFailureData) -> None:
        packet = data.connack_packet
        reason = packet.reason_code if packet else data.exception
        answer(str(getattr(reason, "name", reason)))

    def on_publish(data: mqtt5.PublishReceivedData) -> None:
        messages.put((data.publish_packet.topic, data.publish_packet.payload))

    where, files = consumer.endpoint, consumer.folder / consumer.name
    try:
        client = mqtt5_client_builder.mtls_from_path(
            cert_filepath=f"{files}.pem",
            pri_key_filepath=f"{files}.key",
            ca_filepath=str(where.root_ca) if where.root_ca else None,
            endpoint=where.host,
            port=where.port,
            client_id=consumer.name,
            on_publish_received=on_publish,
            on_lifecycle_connection_success=lambda _data: answer(None),
            on_lifecycle_connection_failure=on_failure,
        )
    except (AwsCrtError, RuntimeError, OSError) as error:  # the SDK raises any of them
        raise BridgeError(
            f"cannot use {files}.pem and {files}.key: {error}: see 'lora-bridge enroll --help'"
        ) from None
    client.start()
    try:
        problem = answered.result(_ANSWER_LIMIT)
        if problem:
            raise BridgeError(f"no connection to {where.host} as {consumer.name}: {problem}")
        yield client
    finally:
        client.stop()
