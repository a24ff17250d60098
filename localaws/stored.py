"""Counts what reached the table, independently of the bridge's own reading."""

from dataclasses import dataclass

import boto3


@dataclass(frozen=True)
class Stored:
    """Rows in the table, and how many different uplinks they are, by device and seqno."""

    rows: int
    distinct: int


def count_stored(table: str) -> Stored:
    """Read the whole table."""
    rows = 0
    uplinks = set()
    for page in (
        boto3.client("dynamodb")
        .get_paginator("scan")
        .paginate(
            TableName=table,
            ProjectionExpression="#device, seqno",
            ExpressionAttributeNames={"#device": "device"},
        )
    ):
        rows += len(page["Items"])
        uplinks |= {(item["device"]["S"], item["seqno"]["N"]) for item in page["Items"]}
    return Stored(rows, len(uplinks))
