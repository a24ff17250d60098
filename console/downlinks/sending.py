"""Publishes a request with the user's AWS credentials, and watches what becomes of it."""

import time
from collections.abc import Iterator

import boto3

from console.deployment import aws_errors
from console.downlinks.trace import Step, Trace
from console.store.history import rows, since_then
from contract.names import event_partition

_LOOK_EVERY = 0.5  # seconds
_SKEW = 300_000_000
"""Microseconds that the clock of the bridge's host may be behind this one's: what is looked at
before the request. The downlink's id tells its events from earlier ones."""


def publish(topic: str, payload: bytes) -> None:
    """Publish a request at QoS 1; AWS IoT has it then.

    Raises:
        BridgeError: AWS refuses or does not answer.

    """
    with aws_errors():
        boto3.client("iot-data").publish(topic=topic, qos=1, payload=payload)


def watch(table: str, device: str, trace: Trace, asked: int, limit: float) -> Iterator[Step]:
    """Yield the steps of a downlink as they come, to its end or for ``limit`` seconds.

    Raises:
        BridgeError: AWS refuses or does not answer.

    """
    deadline = time.monotonic() + limit
    query = since_then(table, event_partition(device), asked - _SKEW)
    with aws_errors():
        client = boto3.client("dynamodb")
        while True:
            last_look = time.monotonic() >= deadline
            yield from trace.news(rows(client, query.copy()))
            if trace.ended or last_look:
                return
            time.sleep(min(_LOOK_EVERY, max(0.0, deadline - time.monotonic())))
