"""Reads uplinks back from DynamoDB, page after page: for commands, and for programs of your own.

Needs AWS credentials that may read the LoraStore stack and query its tables, found as boto3 finds
them. ``docs/examples/readings.py`` is an example.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3

from console.deployment import aws_errors, stack_outputs
from contract.deployment import Deployment
from contract.names import PARTITION_KEY, SORT_KEY, TABLE_OUTPUT
from contract.rows import Row, stored_row
from contract.times import format_time

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, QueryInputTypeDef

END_OF_TIME = 253_402_300_799_999_999
"""The last microsecond of the year 9999, the last that ISO 8601 writes in this form."""


def table_name(deployment: Deployment) -> str:
    """Return the name of a deployment's table of uplinks.

    Raises:
        BridgeError: the store is not deployed in this account and region.

    """
    (name,) = stack_outputs(deployment.store_stack, TABLE_OUTPUT)
    return name


def uplinks(
    table: str, device: str, since: int = 0, until: int = END_OF_TIME, limit: int | None = None
) -> Iterator[Row]:
    """Yield the uplinks of ``device`` (``APPEUI/MOTEEUI``), newest first, page after page.

    ``since`` and ``until`` are inclusive, in microseconds since 1970. At most ``limit`` rows.

    Raises:
        BridgeError: AWS refuses or does not answer.

    """
    query = between(table, device, since, until)
    query["ScanIndexForward"] = False
    with aws_errors():
        yield from rows(boto3.client("dynamodb"), query, limit)


def stored_since(table: str, device: str, since: int) -> Iterator[Row]:
    """Yield the uplinks of ``device`` since a time, oldest first, with all that is written by now.

    Raises:
        BridgeError: as ``uplinks`` does.

    """
    with aws_errors():
        yield from rows(boto3.client("dynamodb"), since_then(table, device, since))


def oldest_time(table: str, device: str, since: int, until: int) -> str | None:
    """Return the timestamp of the first uplink in that time, None where there is none.

    Raises:
        BridgeError: as ``uplinks`` does.

    """
    with aws_errors():
        query = between(table, device, since, until)
        first = next(rows(boto3.client("dynamodb"), query, 1), None)
    return None if first is None else str(first[SORT_KEY])


def between(table: str, device: str, since: int, until: int) -> "QueryInputTypeDef":
    """Return the query for a device's uplinks in that time, oldest first."""
    return {
        "TableName": table,
        "KeyConditionExpression": "#device = :device AND #time BETWEEN :since AND :until",
        "ExpressionAttributeNames": {"#device": PARTITION_KEY, "#time": SORT_KEY},
        "ExpressionAttributeValues": {
            ":device": {"S": device},
            ":since": {"S": format_time(since)},
            ":until": {"S": format_time(until)},
        },
    }


def since_then(table: str, device: str, since: int) -> "QueryInputTypeDef":
    """Return the query for what is written by now of a device since a time, oldest first."""
    query = between(table, device, since, END_OF_TIME)
    query["ConsistentRead"] = True
    return query


def rows(
    client: "DynamoDBClient", query: "QueryInputTypeDef", limit: int | None = None
) -> Iterator[Row]:
    """Yield what a query finds, page after page, ``limit`` at most."""
    return map(stored_row, items(client, query, limit))


def items(
    client: "DynamoDBClient", query: "QueryInputTypeDef", limit: int | None = None
) -> "Iterator[dict[str, AttributeValueTypeDef]]":
    """Yield what a query finds as DynamoDB has it."""
    while limit is None or limit > 0:
        if limit is not None:
            query["Limit"] = limit
        page = client.query(**query)
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        if limit is not None:
            limit -= len(page["Items"])
        query["ExclusiveStartKey"] = page["LastEvaluatedKey"]
