"""What becomes of a stored uplink: its reading, or why it has none. Does no I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, DecimalException

from boto3.dynamodb.types import DYNAMODB_CONTEXT

from codec.engine import Codec, Decoded, Json, Received, decode_all
from codec.errors import Code, CodecError
from codec.mapping import Mapping
from contract.names import DECODE_ERROR, DECODE_WARNINGS, DECODED, PARTITION_KEY, SORT_KEY
from contract.rows import Row, port_and_data
from contract.times import parse_time

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


def readings(rows: Sequence[Row], codecs: Mapping) -> list[Reading | None]:
    """Decode the uplinks of a batch; None for one that has no bytes, no codec, or an answer."""
    batches: dict[Codec, list[tuple[int, Received]]] = {}
    for number, row in enumerate(rows):
        if asked := _asked(row, codecs):
            batches.setdefault(asked[0], []).append((number, asked[1]))
    found: list[Reading | None] = [None] * len(rows)
    for codec, batch in batches.items():
        answers = decode_all(codec, [received for _number, received in batch])
        for (number, received), answer in zip(batch, answers, strict=True):
            found[number] = _reading(received.port, answer)
    return found


def _asked(row: Row, codecs: Mapping) -> tuple[Codec, Received] | None:
    """Return what is to decode an uplink, and the input."""
    content = port_and_data(row)
    if content is None or row.keys() & {DECODED, DECODE_ERROR}:
        return None
    port, data = content
    application, _, device = str(row.get(PARTITION_KEY)).partition("/")
    assigned = codecs.find(application, device, port)
    if assigned is None:
        return None
    time = parse_time(str(row.get(SORT_KEY))) or 0
    return assigned.codec, Received(data, port, time, assigned.variables)


def _reading(port: int, answer: Decoded | CodecError) -> Reading:
    try:
        if isinstance(answer, CodecError):
            raise answer
        return Reading(_attributes(answer), port, answer)
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
        case bool() | str() | None:
            return value
        case int() | float():
            return _number(value)
        case list():
            return [_stored(each, levels - 1) for each in value]
        case dict():
            if "" in value:
                raise CodecError(Code.BAD_RESULT, "a field without a name")
            return {name: _stored(each, levels - 1) for name, each in value.items()}


def _number(value: float) -> Decimal:
    try:
        return DYNAMODB_CONTEXT.create_decimal(repr(value))
    except DecimalException:
        raise CodecError(Code.BAD_RESULT, f"the number {value!r} cannot be stored") from None
