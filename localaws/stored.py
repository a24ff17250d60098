"""Counts what reached the table, independently of the bridge's own reading."""

from dataclasses import dataclass

import boto3


@dataclass(frozen=True)
class Stored:
    """Rows in the table, and how many different uplinks they are, by device and seqno."""

    rows: int
    distinct: int


def stored_uplinks(table: str) -> list[tuple[str, int | None]]:
    """Read the whole table; return device and seqno, where it has one, of each row."""
    pages = (
        boto3.client("dynamodb")
        .get_paginator("scan")
        .paginate(
            TableName=table,
            ProjectionExpression="#device, seqno",
            ExpressionAttributeNames={"#device": "device"},
        )
    )
    return [
        (item["device"]["S"], int(item["seqno"]["N"]) if "seqno" in item else None)
        for page in pages
        for item in page["Items"]
    ]


def count_stored(table: str) -> Stored:
    """Read the whole table and count."""
    uplinks = stored_uplinks(table)
    return Stored(len(uplinks), len(set(uplinks)))
