"""Goes on with a history live: uplinks as they are published, over MQTT, as a consumer."""

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue

import msgspec

from bridge.config import Aws
from bridge.mqtt import Callbacks, Client, Subscribing, suback_failure
from console.identity.enroll import Endpoint
from contract.deployment import Deployment
from contract.errors import BridgeError
from contract.names import DECODE_WARNINGS, DECODED, PARTITION_KEY, SORT_KEY
from contract.rows import Row, exact, port_and_data, row_of

_ANSWER_LIMIT = 15.0  # seconds
_DECODING = 3.0  # seconds after which an uplink is shown without its reading
_TICK = 0.2  # seconds
_log = logging.getLogger(__name__)

_message = msgspec.json.Decoder(dict[str, object], float_hook=exact)
_Message = tuple[str, bytes]


@dataclass(frozen=True)
class Consumer:
    """Who listens: the name whose key and certificate are in ``folder``, and where."""

    deployment: Deployment
    name: str
    folder: Path
    endpoint: Endpoint

    @property
    def client_id(self) -> str:
        """As whom it connects."""
        return self.deployment.thing(self.name)


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
    deployment = consumer.deployment
    topics = (deployment.uplink_topic(device), deployment.decoded_topic(device))
    with _subscribed(consumer, topics, messages):
        yield _joined(messages, Joining(device, topics[1]), ended)


@dataclass(slots=True)
class _Waiting:
    """An uplink that waits for its reading ``until`` a time."""

    until: float
    fields: dict[str, object]
    reading: dict[str, object] | None = None


@dataclass
class Joining:
    """Joins uplinks and their readings, whichever comes first; times are in seconds.

    Uplinks are given in the order in which they came. When one has waited in vain, the next of its
    port do not wait, until a reading of that port comes: ports differ in whether they have a codec.
    What comes later still is in the table.
    """

    device: str
    decoded_topic: str
    _waiting: dict[str, _Waiting] = field(default_factory=dict)  # by timestamp, as they came
    _early: dict[str, tuple[float, dict[str, object]]] = field(default_factory=dict)
    """Readings before their uplinks, and until when they are kept."""
    _unread: set[object] = field(default_factory=set)  # ports

    def take(self, topic: str, payload: bytes, now: float) -> Iterator[Row]:
        """Take a message; yield the uplinks that it completes.

        Raises:
            msgspec.DecodeError: it is no JSON object.

        """
        fields = _message.decode(payload)
        timestamp = str(fields.get(SORT_KEY))
        if topic == self.decoded_topic:
            self._unread.discard(fields.get("port"))
            reading = {DECODED: fields.get(DECODED), DECODE_WARNINGS: fields.get("warnings")}
            if timestamp in self._waiting:
                self._waiting[timestamp].reading = reading
            else:
                self._early[timestamp] = (now + _DECODING, reading)
        else:
            _until, early = self._early.pop(timestamp, (now, None))
            patience = 0.0 if _port(fields) in self._unread else _DECODING
            self._waiting[timestamp] = _Waiting(now + patience, fields, early)
        yield from self._complete()

    def due(self, now: float) -> Iterator[Row]:
        """Yield the uplinks that have waited long enough."""
        while self._waiting and next(iter(self._waiting.values())).until <= now:
            oldest = next(iter(self._waiting.values()))
            self._unread.add(_port(oldest.fields))
            oldest.reading = {}
            yield from self._complete()
        for timestamp in [each for each, (until, _) in self._early.items() if until <= now]:
            del self._early[timestamp]

    def _complete(self) -> Iterator[Row]:
        """Yield the uplinks before the first that has no reading yet."""
        while self._waiting:
            timestamp, oldest = next(iter(self._waiting.items()))
            if oldest.reading is None:
                return
            del self._waiting[timestamp]
            yield row_of({PARTITION_KEY: self.device, **oldest.fields, **oldest.reading})


def _port(fields: dict[str, object]) -> object:
    content = port_and_data(row_of(fields))
    return content[0] if content else None


def _joined(
    messages: "SimpleQueue[_Message]", joining: Joining, ended: Callable[[], bool]
) -> Iterator[Row]:
    while not ended():
        with suppress(Empty):
            topic, payload = messages.get(timeout=_TICK)
            try:
                yield from joining.take(topic, payload, time.monotonic())
            except msgspec.DecodeError as error:
                _log.warning("a message on %s is passed over: %s", topic, error)
        yield from joining.due(time.monotonic())


@contextmanager
def _subscribed(
    consumer: Consumer, topics: tuple[str, ...], messages: "SimpleQueue[_Message]"
) -> Iterator[None]:
    """Stay connected and subscribed; what is received goes to ``messages``."""
    answered: Future[str] = Future()
    where = f"{consumer.endpoint.host}:{consumer.endpoint.port}"

    def answer(problem: str) -> None:
        if not answered.done():
            answered.set_result(problem)
        elif problem:
            _log.warning("%s; trying again: uplinks of that time are in the table", problem)

    def on_connected() -> None:
        subscribing = client.subscribe(topics)
        subscribing.add_done_callback(lambda future: answer(_refusal(future)))

    callbacks = Callbacks(
        connected=on_connected,
        failed=lambda reason: answer(f"no connection to {where} as {consumer.client_id}: {reason}"),
        received=lambda topic, payload: messages.put((topic, payload)),
    )
    client = Client(_settings(consumer), consumer.client_id, callbacks)
    client.start()
    try:
        if problem := _result(answered, where):
            raise BridgeError(problem)
        yield
    finally:
        client.stop()


def _settings(consumer: Consumer) -> Aws:
    return Aws(
        endpoint=consumer.endpoint.host,
        port=consumer.endpoint.port,
        client_id=consumer.client_id,
        certificate=consumer.folder / f"{consumer.name}.pem",
        private_key=consumer.folder / f"{consumer.name}.key",
        root_ca=consumer.endpoint.root_ca,
    )


def _result(answered: "Future[str]", where: str) -> str:
    try:
        return answered.result(_ANSWER_LIMIT)
    except TimeoutError:
        return f"{where} does not answer"


def _refusal(subscribing: Subscribing) -> str:
    """Return why a subscription failed, or nothing."""
    failure = suback_failure(subscribing)
    if failure is None:
        return ""
    if failure.code is None:
        return f"not subscribed: {failure.reason}"
    return f"AWS IoT refuses the subscription: {failure.reason}"
