"""Reads an uplink as DynamoDB has it, whether the rule or a command stored it. Does no I/O."""

import re
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, cast

import msgspec
from boto3.dynamodb.types import TypeDeserializer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

_BYTES = re.compile(r"port(\d{1,3})_bytes")
_DIGITS = 126  # of DynamoDB's largest number; 1e99999999 would be the work of hours
_deserializer = TypeDeserializer()


def exact(text: str) -> Decimal | str:
    """Return a number of JSON exactly, or as text where no Decimal can hold it."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return text


_json = msgspec.json.Decoder(object, float_hook=exact)

Value = None | bool | int | Decimal | str | list["Value"] | dict[str, "Value"]
Row = Mapping[str, Value]
"""One uplink as it is stored: ``device``, ``timestamp``, ``port{N}_bytes`` and the rest.

Whole numbers are int, others Decimal, exactly as stored; and so are whole ones beyond DynamoDB's
digits, which only a text of JSON may have.
"""


def stored_row(item: "Mapping[str, AttributeValueTypeDef]") -> Row:
    """Return a row from an item of the table, as DynamoDB and its streams hand it over."""
    return row_of({name: _deserializer.deserialize(value) for name, value in item.items()})


def row_of(item: Mapping[str, object]) -> Row:
    """Return a row from the attributes of an uplink, stored or published."""
    return {name: _plain(name, value) for name, value in item.items()}


def port_and_data(row: Row) -> tuple[int, bytes] | None:
    """Return the port and bytes in a row, None where it holds no ``port{N}_bytes``."""
    for name, value in row.items():
        match = _BYTES.fullmatch(name)
        if match and isinstance(value, list):
            with suppress(TypeError, ValueError):  # something else stored it
                return int(match[1]), bytes(cast("list[int]", value))
    return None


def number(value: Value) -> int | Decimal | None:
    """Return a value that is a number, None otherwise."""
    return value if isinstance(value, int | Decimal) and not isinstance(value, bool) else None


def _plain(name: str, value: object) -> Value:
    """Return a stored attribute as JSON would have it.

    A list or map may be stored as such or as its JSON text; the texts are known by their names.
    """
    if isinstance(value, str) and (name in {"motetx", "gwrx", "tags"} or _BYTES.fullmatch(name)):
        with suppress(msgspec.DecodeError, RecursionError):  # something else stored it
            value = _json.decode(value)
    return _whole(value)


def _whole(value: object) -> Value:
    match value:
        case Decimal():
            whole = value.adjusted() < _DIGITS and value == value.to_integral_value()
            return int(value) if whole else value
        case list():
            return [_whole(each) for each in value]
        case dict():
            return {str(key): _whole(each) for key, each in value.items()}
        case _:
            return cast("Value", value)
