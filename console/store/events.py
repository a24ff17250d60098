"""Reads the events of devices back from DynamoDB, and hears them as they are published.

For commands, and for programs of your own: ``docs/examples/device_events.py`` is an example.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import boto3

from console.deployment import aws_errors
from console.store.history import END_OF_TIME, between, rows, stored_since
from console.store.live import message
from contract.deployment import Deployment
from contract.names import EVENT_TYPE, PARTITION_KEY, EventType, event_partition
from contract.rows import Row, row_of


def events(  # what narrows them down; none but the first two is needed
    table: str,
    device: str,
    kind: EventType | None = None,
    since: int = 0,
    until: int = END_OF_TIME,
    limit: int | None = None,
) -> Iterator[Row]:
    """Yield the events of ``device`` (``APPEUI/MOTEEUI``), newest first, page after page.

    Each has ``timestamp``, ``type``, ``source`` and what docs/downlinks.md says of its type. They
    are those of one ``kind``, or all. ``since`` and ``until`` are inclusive, in microseconds since
    1970. At most ``limit`` events. Its ``device`` is APPEUI/MOTEEUI.

    Raises:
        BridgeError: AWS refuses or does not answer.

    """
    query = between(table, event_partition(device), since, until)
    query["ScanIndexForward"] = False
    with aws_errors():
        found = rows(boto3.client("dynamodb"), query, limit if kind is None else None)
        yield from islice(_of(found, device, kind), limit)


def events_since(table: str, device: str, kind: EventType | None, since: int) -> Iterator[Row]:
    """Yield the events of a device since a time, oldest first, with all that is written by now.

    Raises:
        BridgeError: as ``events`` does.

    """
    return _of(stored_since(table, event_partition(device), since), device, kind)


def _of(found: Iterator[Row], device: str, kind: EventType | None) -> Iterator[Row]:
    """Yield the events of a kind, named by their device."""
    for row in found:
        if kind is None or row.get(EVENT_TYPE) == kind:
            yield {**row, PARTITION_KEY: device}


@dataclass(frozen=True)
class HeardEvents:
    """Makes rows of the events of a device as they are heard: those of one ``kind``, or all."""

    deployment: Deployment
    device: str
    kind: EventType | None

    @property
    def topics(self) -> tuple[str, ...]:
        """What to subscribe to."""
        return (self.deployment.event_topic(self.device, self.kind or "+"),)

    def take(self, _topic: str, payload: bytes, _now: float) -> Iterator[Row]:
        """Yield the event in a message.

        Raises:
            msgspec.DecodeError: it is no JSON object.

        """
        yield row_of({**message.decode(payload), PARTITION_KEY: self.device})

    def take_stored(self, row: Row, _now: float) -> Iterator[Row]:
        """Yield an event from the table."""
        yield row

    def due(self, _now: float) -> Iterator[Row]:
        """Yield nothing: no event waits."""
        yield from ()
