"""Reads a device's uplinks back from DynamoDB."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, cast

import boto3
import msgspec
from boto3.dynamodb.conditions import Key

from bridge.deployment import aws_errors, stack_outputs
from bridge.names import PARTITION_KEY, SORT_KEY, STORE_STACK, TABLE_OUTPUT
from bridge.timestamps import format_time

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import QueryInputTableQueryTypeDef

END_OF_TIME = 253_402_300_799_999_999
"""The last microsecond of the year 9999, the last that ISO 8601 writes in this form."""

_BYTES = re.compile(r"port(\d{1,3})_bytes")
_json = msgspec.json.Decoder(object, float_hook=Decimal)

Value = None | bool | int | Decimal | str | list["Value"] | dict[str, "Value"]
Row = Mapping[str, Value]
"""One uplink as it is stored: ``device``, ``timestamp``, ``port{N}_bytes`` and the rest.

Whole numbers are int, others Decimal, exactly as stored.
"""


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
                yield {name: _plain(name, value) for name, value in item.items()}
            if "LastEvaluatedKey" not in page:
                return
            if limit is not None:
                limit -= len(page["Items"])
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def port_and_data(row: Row) -> tuple[int, bytes] | None:
    """Return the port and bytes in a row, None where it holds no ``port{N}_bytes``."""
    for name, value in row.items():
        match = _BYTES.fullmatch(name)
        if match and isinstance(value, list):
            with suppress(TypeError, ValueError):  # something else stored it
                return int(match[1]), bytes(cast("list[int]", value))
    return None


def _plain(name: str, value: object) -> Value:
    """Return a stored attribute as JSON would have it.

    A list or map may be stored as such or as its JSON text; the texts are known by their names.
    """
    if isinstance(value, str) and (name in {"motetx", "gwrx"} or _BYTES.fullmatch(name)):
        with suppress(msgspec.DecodeError, RecursionError):  # something else stored it
            value = _json.decode(value)
    return _whole(value)


def _whole(value: object) -> Value:
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else value
        case list():
            return [_whole(each) for each in value]
        case dict():
            return {str(key): _whole(each) for key, each in value.items()}
        case _:
            return cast("Value", value)
