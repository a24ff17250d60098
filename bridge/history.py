"""Reads a device's uplinks back from DynamoDB."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
from boto3.dynamodb.conditions import Key

from bridge.deployment import aws_errors, stack_outputs
from bridge.names import PARTITION_KEY, SORT_KEY, STORE_STACK, TABLE_OUTPUT
from bridge.rows import Row, row_of
from bridge.timestamps import format_time

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import QueryInputTableQueryTypeDef

END_OF_TIME = 253_402_300_799_999_999
"""The last microsecond of the year 9999, the last that ISO 8601 writes in this form."""


def table_name() -> str:
    """Return the name of the deployed table.

    Raises:
        BridgeError: the store is not deployed in this account and region.

    """
    (name,) = stack_outputs(STORE_STACK, TABLE_OUTPUT)
    return name


def uplinks(
    table: str, device: str, since: int = 0, until: int = END_OF_TIME, limit: int | None = None
) -> Iterator[Row]:
    """Yield the uplinks of ``device`` (``APPEUI/MOTEEUI``), newest first, page after page.

    ``since`` and ``until`` are inclusive, in microseconds since 1970. At most ``limit`` rows.

    Raises:
        BridgeError: AWS refuses or does not answer.

    """
    times = Key(SORT_KEY).between(format_time(since), format_time(until))
    query: QueryInputTableQueryTypeDef = {
        "KeyConditionExpression": Key(PARTITION_KEY).eq(device) & times,
        "ScanIndexForward": False,
    }
    with aws_errors():
        source = boto3.resource("dynamodb").Table(table)
        while limit is None or limit > 0:
            if limit is not None:
                query["Limit"] = limit
            page = source.query(**query)
            for item in page["Items"]:
                yield row_of(item)
            if "LastEvaluatedKey" not in page:
                return
            if limit is not None:
                limit -= len(page["Items"])
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]
