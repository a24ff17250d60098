"""Says which devices have reported, and how well they were heard."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from heapq import merge
from typing import TYPE_CHECKING

import boto3

from console.deployment import aws_errors, stack_outputs
from console.store.history import END_OF_TIME, between, rows
from console.store.summary import Device, summarize
from contract.deployment import Deployment
from contract.device_list import KIND_KEY, KINDS, LAST_SEEN, SEEN_EVERY, USUAL_INTERVAL, kind_of
from contract.names import DEVICES_OUTPUT, PARTITION_KEY, TABLE_OUTPUT
from contract.rows import Row, stored_row
from contract.times import parse_time

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import QueryInputTypeDef, QueryOutputTypeDef

_AT_ONCE = 8  # queries; boto3 keeps ten connections


@dataclass(frozen=True, slots=True)
class Listed:
    """A device of the list. Its newest uplink came at ``last_seen``, or up to 3 hours later.

    ``interval`` is how often it usually reports, in microseconds; None where nobody noted that.
    """

    device: str
    last_seen: str | None
    interval: int | None = None

    def may_be_heard(self, since: int) -> bool:
        """Say whether it may have sent since a time, in microseconds since 1970."""
        seen = parse_time(self.last_seen or "")
        return seen is None or seen + SEEN_EVERY >= since


@dataclass(frozen=True, slots=True)
class Seen:
    """What people are shown of a device of the list."""

    device: str
    last_seen: str | None


def table_names(deployment: Deployment) -> tuple[str, str]:
    """Return the names of a deployment's tables: that of the uplinks, and that of the devices.

    Raises:
        BridgeError: the store is not deployed in this account and region.

    """
    uplinks, devices = stack_outputs(deployment.store_stack, TABLE_OUTPUT, DEVICES_OUTPUT)
    return uplinks, devices


def listed(table: str, application: str | None = None) -> Iterator[Listed]:
    """Yield every device, of one application or of all, by name.

    That is a query for each partition of the list, and for each megabyte: ten thousand devices.

    Raises:
        BridgeError: AWS refuses or does not answer.

    """
    prefix = f"{application}/" if application else ""
    # From the least to the greatest character that an EUI can have.
    first, last = f"{prefix}-", f"{prefix}~"
    with aws_errors(), ThreadPoolExecutor(_AT_ONCE) as executor:
        client = boto3.client("dynamodb")
        partitions = [
            _read_ahead(executor, client, _query(table, kind, first, last)) for kind in KINDS
        ]
        yield from map(_listed, merge(*partitions, key=lambda row: str(row[PARTITION_KEY])))


def is_listed(table: str, device: str) -> bool:
    """Say whether a device has ever reported.

    Raises:
        BridgeError: AWS refuses or does not answer.

    """
    with aws_errors():
        query = _query(table, kind_of(device), device, device)
        return next(rows(boto3.client("dynamodb"), query), None) is not None


def summaries(table: str, devices: Iterable[Listed], since: int) -> Iterator[Device]:
    """Yield what each device has done since a time, in microseconds since 1970.

    Reads the uplinks since then, by a query for each device that may have sent any.

    Raises:
        BridgeError: AWS refuses or does not answer.

    """
    with aws_errors(), ThreadPoolExecutor(_AT_ONCE) as executor:
        client = boto3.client("dynamodb")
        yield from executor.map(lambda device: _summary(client, table, device, since), devices)


def _summary(client: "DynamoDBClient", table: str, listed: Listed, since: int) -> Device:
    query = between(table, listed.device, since, END_OF_TIME)
    query["ProjectionExpression"] = "#time, seqno, gwrx"
    period = rows(client, query) if listed.may_be_heard(since) else iter(())
    found = summarize(listed.device, period)
    return found if found.last else replace(found, last=listed.last_seen)


def _query(table: str, kind: str, first: str, last: str) -> "QueryInputTypeDef":
    return {
        "TableName": table,
        "KeyConditionExpression": "#kind = :kind AND #device BETWEEN :first AND :last",
        "ExpressionAttributeNames": {"#kind": KIND_KEY, "#device": PARTITION_KEY},
        "ExpressionAttributeValues": {
            ":kind": {"S": kind},
            ":first": {"S": first},
            ":last": {"S": last},
        },
    }


def _listed(row: Row) -> Listed:
    seen, interval = row.get(LAST_SEEN), row.get(USUAL_INTERVAL)
    return Listed(
        str(row[PARTITION_KEY]),
        None if seen is None else str(seen),
        interval if isinstance(interval, int) else None,
    )


def _read_ahead(
    executor: Executor, client: "DynamoDBClient", query: "QueryInputTypeDef"
) -> Iterator[Row]:
    """Begin to read at once; while a page is looked at, the next one comes."""
    return _pages(executor, client, query, executor.submit(client.query, **query))


def _pages(
    executor: Executor,
    client: "DynamoDBClient",
    query: "QueryInputTypeDef",
    coming: "Future[QueryOutputTypeDef] | None",
) -> Iterator[Row]:
    while coming is not None:
        page, coming = coming.result(), None
        if "LastEvaluatedKey" in page:
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]
            coming = executor.submit(client.query, **query)
        yield from map(stored_row, page["Items"])
