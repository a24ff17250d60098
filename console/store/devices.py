"""Says which devices have reported, and how well they were heard."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import boto3

from console.deployment import aws_errors, stack_outputs
from console.store.history import END_OF_TIME, between, rows
from console.store.summary import Device, summarize
from contract.deployment import Deployment
from contract.names import (
    DEVICE_KIND,
    DEVICES_OUTPUT,
    KIND_KEY,
    PARTITION_KEY,
    SORT_KEY,
    TABLE_OUTPUT,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import QueryInputTypeDef

_AT_ONCE = 8  # queries; boto3 keeps ten connections


def table_names(deployment: Deployment) -> tuple[str, str]:
    """Return the names of a deployment's tables: that of the uplinks, and that of the devices.

    Raises:
        BridgeError: the store is not deployed in this account and region.

    """
    uplinks, devices = stack_outputs(deployment.store_stack, TABLE_OUTPUT, DEVICES_OUTPUT)
    return uplinks, devices


def listed(table: str, application: str | None = None) -> Iterator[str]:
    """Yield every device, ``APPEUI/MOTEEUI``, of one application or of all: one small query.

    Raises:
        BridgeError: AWS refuses or does not answer.

    """
    prefix = f"{application}/" if application else ""
    query: QueryInputTypeDef = {
        "TableName": table,
        "KeyConditionExpression": "#kind = :kind AND #device BETWEEN :first AND :last",
        "ExpressionAttributeNames": {"#kind": KIND_KEY, "#device": PARTITION_KEY},
        "ExpressionAttributeValues": {
            ":kind": {"S": DEVICE_KIND},
            # From the least to the greatest character that an EUI can have.
            ":first": {"S": f"{prefix}-"},
            ":last": {"S": f"{prefix}~"},
        },
    }
    with aws_errors():
        for row in rows(boto3.client("dynamodb"), query):
            yield str(row[PARTITION_KEY])


def summaries(table: str, devices: Iterable[str], since: int) -> Iterator[Device]:
    """Yield what each device has done since a time, in microseconds since 1970.

    Reads the uplinks since then, of each device by a query of its own, and one before.

    Raises:
        BridgeError: AWS refuses or does not answer.

    """
    with aws_errors(), ThreadPoolExecutor(_AT_ONCE) as executor:
        client = boto3.client("dynamodb")
        yield from executor.map(lambda device: _summary(client, table, device, since), devices)


def _summary(client: "DynamoDBClient", table: str, device: str, since: int) -> Device:
    query = between(table, device, since, END_OF_TIME)
    query["ProjectionExpression"] = "#time, seqno, gwrx"
    found = summarize(device, rows(client, query))
    if found.last is not None:
        return found
    earlier = between(table, device, 0, since)
    earlier["ScanIndexForward"] = False
    newest = next(rows(client, earlier, 1), None)
    return found if newest is None else replace(found, last=str(newest[SORT_KEY]))
