"""Counts what reached the table, independently of the bridge's own reading."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3

from contract.names import EVENT_TYPE, PARTITION_KEY

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef


@dataclass(frozen=True)
class Stored:
    """Rows in the table, how many different uplinks they are, and how many are decoded.

    Uplinks are told apart by device and seqno.
    """

    rows: int
    distinct: int
    decoded: int


def stored_uplinks(table: str) -> list[tuple[str, int | None]]:
    """Read the whole table, but for events; return device and seqno, if it has one, of each row."""
    return [
        (item["device"]["S"], int(item["seqno"]["N"]) if "seqno" in item else None)
        for item in _items(table)
    ]


def count_stored(table: str) -> Stored:
    """Read the whole table, but for events, and count."""
    items = list(_items(table))
    distinct = {(item["device"]["S"], item.get("seqno", {}).get("N")) for item in items}
    return Stored(len(items), len(distinct), sum("decoded" in item for item in items))


def _items(table: str) -> "Iterator[dict[str, AttributeValueTypeDef]]":
    pages = (
        boto3.client("dynamodb")
        .get_paginator("scan")
        .paginate(
            TableName=table,
            ProjectionExpression="#device, seqno, decoded",
            FilterExpression="attribute_not_exists(#type)",
            ExpressionAttributeNames={"#device": PARTITION_KEY, "#type": EVENT_TYPE},
        )
    )
    for page in pages:
        yield from page["Items"]
