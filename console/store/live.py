"""Goes on with what is stored of a device, live: over MQTT, as a consumer."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Protocol

import msgspec

from console.store.shown import Shown
from console.store.subscription import Change, Consumer, Heard, subscribed
from contract.deployment import Deployment
from contract.errors import BridgeError
from contract.names import DECODE_ERROR, DECODE_WARNINGS, DECODED, PARTITION_KEY, SORT_KEY
from contract.rows import Row, exact, port_and_data, row_of

_DECODING = 3.0  # seconds after which an uplink is shown without its reading
_TICK = 0.2  # seconds
_STORING = 1.0  # seconds until an uplink that was published is in the table, amply
_log = logging.getLogger(__name__)

_READING = (DECODED, DECODE_WARNINGS, DECODE_ERROR)
message = msgspec.json.Decoder(dict[str, object], float_hook=exact)
"""Reads a message, its numbers exactly."""

ReadTable = Callable[[int], Iterable[Row]]
"""Gives the stored rows of a device since a time in microseconds, oldest first."""


class Making(Protocol):
    """Makes rows of what is heard of a device; times are in seconds."""

    @property
    def topics(self) -> tuple[str, ...]:
        """What to subscribe to."""

    def take(self, topic: str, payload: bytes, now: float, /) -> Iterator[Row]:
        """Take a message; yield the rows that it completes.

        Raises:
            msgspec.DecodeError: it is no JSON object.

        """

    def take_stored(self, row: Row, now: float, /) -> Iterator[Row]:
        """Take a row from the table; yield those that it completes."""

    def due(self, now: float, /) -> Iterator[Row]:
        """Yield the rows that have waited long enough."""


@contextmanager
def live_rows(
    consumer: Consumer, making: Making, shown: Shown, read: ReadTable, ended: Callable[[], bool]
) -> Iterator[Iterator[Row]]:
    """Subscribe; give the rows of a device from now on, as they come, until ``ended``.

    Each time that it is subscribed, ``read`` gives what was stored before. No row is given that
    was ``shown``.

    Raises:
        BridgeError: the key or certificate cannot be used, or AWS IoT refuses.

    """
    with subscribed(consumer, making.topics) as heard:
        yield rows_heard(heard, making, shown, read, ended)


@dataclass(slots=True)
class _Waiting:
    """An uplink that waits for its reading ``until`` a time."""

    until: float
    fields: Mapping[str, object]
    reading: Mapping[str, object] | None = None


@dataclass
class Joining:
    """Joins uplinks and their readings, whichever comes first.

    AWS publishes readings where that is switched on, and an uplink waits a few seconds for its own.
    Uplinks are given in the order in which they came. When one has waited in vain, the next of its
    port do not wait, until a reading of that port comes: ports differ in whether they have a codec.
    What comes later still is in the table.
    """

    deployment: Deployment
    device: str
    _waiting: dict[str, _Waiting] = field(default_factory=dict)  # by timestamp, as they came
    _early: dict[str, tuple[float, Mapping[str, object]]] = field(default_factory=dict)
    """Readings before their uplinks, and until when they are kept."""
    _unread: set[object] = field(default_factory=set)  # ports

    @property
    def topics(self) -> tuple[str, ...]:
        """Those of its uplinks and of its readings."""
        uplinks = self.deployment.uplink_topic(self.device)
        return (uplinks, self.deployment.decoded_topic(self.device))

    def take(self, topic: str, payload: bytes, now: float) -> Iterator[Row]:
        """Take a message; yield the uplinks that it completes.

        Raises:
            msgspec.DecodeError: it is no JSON object.

        """
        fields = message.decode(payload)
        timestamp = str(fields.get(SORT_KEY))
        if topic == self.deployment.decoded_topic(self.device):
            self._unread.discard(fields.get("port"))
            reading = {DECODED: fields.get(DECODED), DECODE_WARNINGS: fields.get("warnings")}
            if timestamp in self._waiting:
                self._waiting[timestamp].reading = reading
            else:
                self._early[timestamp] = (now + _DECODING, reading)
        else:
            self._wait(fields, None, now)
        yield from self._complete()

    def take_stored(self, row: Row, now: float) -> Iterator[Row]:
        """Take an uplink from the table; yield those that it completes.

        If it has no reading yet, it waits as others do.
        """
        reading = {name: row[name] for name in _READING if name in row}
        self._wait(row, reading or None, now)
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

    def _wait(
        self, fields: Mapping[str, object], reading: Mapping[str, object] | None, now: float
    ) -> None:
        timestamp = str(fields.get(SORT_KEY))
        _until, early = self._early.pop(timestamp, (now, None))
        patience = 0.0 if _port(fields) in self._unread else _DECODING
        waiting = self._waiting.setdefault(timestamp, _Waiting(now + patience, fields))
        waiting.reading = waiting.reading or reading or early

    def _complete(self) -> Iterator[Row]:
        """Yield the uplinks before the first that has no reading yet."""
        while self._waiting:
            timestamp, oldest = next(iter(self._waiting.items()))
            if oldest.reading is None:
                return
            del self._waiting[timestamp]
            yield row_of({PARTITION_KEY: self.device, **oldest.fields, **oldest.reading})


def _port(fields: Mapping[str, object]) -> object:
    content = port_and_data(row_of(fields))
    return content[0] if content else None


def rows_heard(
    heard: "SimpleQueue[Heard]",
    making: Making,
    shown: Shown,
    read: ReadTable,
    ended: Callable[[], bool],
) -> Iterator[Row]:
    """Yield the rows of what is heard, and those stored meanwhile, as ``live_rows`` does.

    Raises:
        BridgeError: nothing more will be heard.

    """
    while not ended():
        with suppress(Empty):
            match heard.get(timeout=_TICK):
                case Change.LOST:
                    shown.gap()
                case Change.MADE:
                    for row in _missed(shown, read):
                        yield from filter(shown.take, making.take_stored(row, time.monotonic()))
                case BridgeError() as refusal:
                    raise refusal
                case topic, payload:
                    yield from filter(shown.take, _made(topic, payload, making))
        yield from filter(shown.take, making.due(time.monotonic()))


def _missed(shown: Shown, read: ReadTable) -> Iterator[Row]:
    """Yield what was stored in a gap; what cannot be read now is read the next time."""
    time.sleep(_STORING)
    try:
        yield from read(shown.gap())
    except BridgeError as error:
        _log.warning("what was stored in the meantime cannot be read: %s", error)
    else:
        shown.filled()


def _made(topic: str, payload: bytes, making: Making) -> Iterator[Row]:
    try:
        yield from making.take(topic, payload, time.monotonic())
    except msgspec.DecodeError as error:
        _log.warning("a message on %s is passed over: %s", topic, error)
