"""Publishes stored uplinks again, oldest first, at a steady pace.

It publishes with the user's AWS credentials, not as a bridge: a bridge may publish uplinks of
devices and nothing else, and its key is on its host.
"""

import re
import time
from collections.abc import Callable, Iterator
from threading import Event
from typing import TYPE_CHECKING

import boto3
import msgspec

from console.store.history import between, rows
from contract.deployment import Deployment
from contract.names import (
    EXPIRY_ATTRIBUTE,
    OF_THE_DECODER,
    PARTITION_KEY,
    SORT_KEY,
)
from contract.rows import Row

if TYPE_CHECKING:
    from mypy_boto3_iot_data import IoTDataPlaneClient

_ADDED = {PARTITION_KEY, EXPIRY_ATTRIBUTE, *OF_THE_DECODER}
"""What a row has and the payload had not."""
_ORDER = (SORT_KEY, "seqno", "motetx", "gwrx")  # as in bridge/messages/message.py, after the bytes
_PREFIX = re.compile(r"[0-9A-Za-z_.:-]+(/[0-9A-Za-z_.:-]+){0,5}")
_MAX_PREFIX = 126
"""Characters. A topic has 256 bytes and 7 slashes at most (AWS IoT Core quotas, topics), of which
APPEUI and MOTEEUI take up to 130 and 2."""
_encoder = msgspec.json.Encoder(decimal_format="number")


def check_prefix(deployment: Deployment, prefix: str) -> str:
    """Return ``prefix``, below which uplinks of a deployment may be replayed.

    Raises:
        ValueError: it is no beginning of a topic, or the rule would store what comes there.

    """
    if prefix == deployment.topic_root:
        raise ValueError(
            f"the rule stores what comes on {deployment.uplink_topic('APPEUI/MOTEEUI')}"
        )
    if not _PREFIX.fullmatch(prefix) or len(prefix) > _MAX_PREFIX:
        raise ValueError(
            f"{prefix!r} is not 1 to 6 levels of letters, digits and _.:- joined by '/',"
            f" {_MAX_PREFIX} characters in all"
        )
    return prefix


def payload(row: Row) -> bytes:
    """Return what a row was made of, in the form that a bridge publishes."""
    published = {name: value for name, value in row.items() if name not in _ADDED}
    known = {name: published.pop(name) for name in _ORDER if name in published}
    content = {name: published.pop(name) for name in sorted(published) if name.endswith("_bytes")}
    return _encoder.encode(content | known | published)


def stored(table: str, device: str, since: int, until: int) -> Iterator[Row]:
    """Yield the uplinks of ``device``, oldest first; times in microseconds since 1970, inclusive.

    Raises:
        BotoCoreError, ClientError: AWS refuses or does not answer.

    """
    return rows(boto3.client("dynamodb"), between(table, device, since, until))


def publisher(client: "IoTDataPlaneClient", prefix: str) -> Callable[[Row], None]:
    """Return what publishes an uplink below ``prefix``, and returns when AWS IoT has it."""

    def publish(row: Row) -> None:
        client.publish(topic=f"{prefix}/{row[PARTITION_KEY]}", qos=1, payload=payload(row))

    return publish


def publish_again(
    uplinks: Iterator[Row], publish: Callable[[Row], None], rate: float, ended: Event
) -> Iterator[Row]:
    """Publish uplinks, ``rate`` a second at most, until ``ended``; yield each that is published.

    After a slow publish it does not hurry: there are no bursts.
    """
    due = time.monotonic()
    for row in uplinks:
        if ended.wait(max(0.0, due - time.monotonic())):
            return
        due = max(due, time.monotonic()) + 1 / rate
        publish(row)
        yield row
