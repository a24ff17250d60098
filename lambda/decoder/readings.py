"""What becomes of a stored uplink: its reading, or why it has none. Does no I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from codec.engine import Codec, Decoded, Received, decode_all
from codec.errors import CodecError
from codec.mapping import Mapping
from codec.storable import Json
from contract.names import DECODE_ERROR, DECODE_WARNINGS, DECODED, PARTITION_KEY, SORT_KEY
from contract.rows import Row, port_and_data
from contract.times import parse_time

_MAC_COMMANDS = 0  # FPort: such frames are the network server's own (LoRaWAN L2 1.0.4, 4.3.2)

Stored = None | bool | int | Decimal | str | list["Stored"] | dict[str, "Stored"]
"""What DynamoDB keeps; ``codec.storable`` has checked it."""


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
    if port == _MAC_COMMANDS:
        return None
    application, _, device = str(row.get(PARTITION_KEY)).partition("/")
    assigned = codecs.find(application, device, port)
    if assigned is None:
        return None
    time = parse_time(str(row.get(SORT_KEY))) or 0
    return assigned.codec, Received(data, port, time, assigned.variables)


def _reading(port: int, answer: Decoded | CodecError) -> Reading:
    if isinstance(answer, CodecError):
        kept: dict[str, Stored] = {"code": answer.code.value, "message": answer.message}
        return Reading({DECODE_ERROR: kept}, port)
    return Reading(_attributes(answer), port, answer)


def _attributes(decoded: Decoded) -> dict[str, Stored]:
    attributes: dict[str, Stored] = {DECODED: _stored(decoded.data)}
    if decoded.warnings:
        attributes[DECODE_WARNINGS] = list(decoded.warnings)
    return attributes


def _stored(value: Json) -> Stored:
    match value:
        case bool() | str() | None:
            return value
        case int() | float():
            return Decimal(repr(value))
        case list():
            return [*map(_stored, value)]
        case dict():
            return {name: _stored(each) for name, each in value.items()}
