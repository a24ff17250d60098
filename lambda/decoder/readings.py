"""What becomes of a stored uplink: its reading, or why it has none. Does no I/O."""

from dataclasses import dataclass
from decimal import Decimal, DecimalException

from boto3.dynamodb.types import DYNAMODB_CONTEXT

from bridge.names import DECODE_ERROR, DECODE_WARNINGS, DECODED, PARTITION_KEY, SORT_KEY
from bridge.rows import Row, port_and_data
from bridge.timestamps import parse_time
from codec.engine import Decoded, Json, Received, decode
from codec.errors import Code, CodecError
from codec.mapping import Mapping

_DEEPEST = 31
"""Levels of lists and maps in an attribute; an item has 32 at most (DynamoDB, "Constraints")."""

Stored = None | bool | int | Decimal | str | list["Stored"] | dict[str, "Stored"]
"""What DynamoDB keeps; its numbers have 38 digits, and exponents from -130 to 125."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The attributes to add to an uplink's row, and the codec's answer if there is one."""

    attributes: dict[str, Stored]
    port: int
    decoded: Decoded | None = None


def is_open(row: Row) -> bool:
    """Whether the row has neither a reading nor the reason why not."""
    return not row.keys() & {DECODED, DECODE_ERROR}


def reading(row: Row, codecs: Mapping) -> Reading | None:
    """Decode an uplink; None where it has no bytes, or no codec is assigned to it."""
    content = port_and_data(row)
    application, _, device = str(row[PARTITION_KEY]).partition("/")
    if content is None:
        return None
    port, data = content
    assigned = codecs.find(application, device, port)
    if assigned is None:
        return None
    received = Received(data, port, parse_time(str(row[SORT_KEY])) or 0)
    try:
        decoded = decode(assigned.codec, received, assigned.variables)
        return Reading(_attributes(decoded), port, decoded)
    except CodecError as error:
        kept: dict[str, Stored] = {"code": error.code.value, "message": error.message}
        return Reading({DECODE_ERROR: kept}, port)


def _attributes(decoded: Decoded) -> dict[str, Stored]:
    attributes: dict[str, Stored] = {DECODED: _stored(decoded.data, _DEEPEST)}
    if decoded.warnings:
        attributes[DECODE_WARNINGS] = list(decoded.warnings)
    return attributes


def _stored(value: Json, levels: int) -> Stored:
    match value:
        case list() | dict() if levels == 0:
            raise CodecError(Code.BAD_RESULT, f"nested deeper than {_DEEPEST} levels")
        case float():
            return _number(value)
        case list():
            return [_stored(each, levels - 1) for each in value]
        case dict():
            if "" in value:
                raise CodecError(Code.BAD_RESULT, "a field without a name")
            return {name: _stored(each, levels - 1) for name, each in value.items()}
        case _:
            return value


def _number(value: float) -> Decimal:
    try:
        return DYNAMODB_CONTEXT.create_decimal(repr(value))
    except DecimalException:
        raise CodecError(Code.BAD_RESULT, f"the number {value!r} cannot be stored") from None
