"""Reads the newest uplinks of devices, the same few of each: enough to say how a device does."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import boto3

from console.deployment import aws_errors
from console.store.history import END_OF_TIME, between, rows
from contract.names import SORT_KEY
from contract.rows import Row
from contract.silence import LOOKED_AT
from contract.times import parse_time

_AT_ONCE = 8  # queries; boto3 keeps ten connections


@dataclass(frozen=True, slots=True)
class Recent:
    """The newest uplinks of a device, ``APPEUI/MOTEEUI``, the newest first; none if all expired."""

    device: str
    rows: tuple[Row, ...]

    @property
    def times(self) -> list[int]:
        """When they came, in microseconds since 1970, the newest first."""
        times = (parse_time(str(row[SORT_KEY])) for row in self.rows)
        return [time for time in times if time is not None]


def recent(
    table: str, devices: Iterable[str], fields: str | None = None, until: int = END_OF_TIME
) -> Iterator[Recent]:
    """Yield the newest uplinks of each device, in the order of the devices.

    That is a query for each. ``fields`` is a DynamoDB projection, in which the sort key is
    ``#time``; None reads all. Uplinks later than ``until``, in microseconds since 1970, are left
    out.

    Raises:
        BridgeError: AWS refuses or does not answer.

    """
    with aws_errors(), ThreadPoolExecutor(_AT_ONCE) as executor:
        client = boto3.client("dynamodb")

        def read(device: str) -> Recent:
            query = between(table, device, 0, until)
            query["ScanIndexForward"] = False
            if fields:
                query["ProjectionExpression"] = fields
            return Recent(device, tuple(rows(client, query, LOOKED_AT)))

        yield from executor.map(read, devices)
