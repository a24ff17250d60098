"""What becomes of a stored uplink: its reading, or why it has none. Does no I/O."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from codec.engine import Codec, Decoded, Received, decode_all
from codec.errors import Code, CodecError
from codec.mapping import Assigned, Mapping
from codec.storable import Json
from contract.names import (
    DECODE_ERROR,
    DECODE_WARNINGS,
    DECODED,
    DECODED_BY,
    ENCRYPTED,
    OF_THE_DECODER,
    PARTITION_KEY,
    SAID,
    SAID_BY,
    SORT_KEY,
)
from contract.rows import Row, Value, port_and_data
from contract.times import parse_time
from decoder import said

_MAC_COMMANDS = 0  # FPort: such frames are the network server's own (LoRaWAN L2 1.0.4, 4.3.2)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Uplink:
    """A stored uplink, and the row in whose place it was stored, if there was one.

    The second bridge of a pair puts its uplink over that of the first.
    """

    row: Row
    before: Row | None = None


@dataclass(frozen=True, slots=True)
class New:
    """What a codec has just made of an uplink that came on ``port``."""

    port: int
    decoded: Decoded


@dataclass(frozen=True, slots=True)
class Reading:
    """The attributes to add to an uplink's row; ``new`` is None if it is an error or was known."""

    attributes: dict[str, Value]
    new: New | None = None


def readings(uplinks: Sequence[Uplink], codecs: Mapping) -> list[Reading | None]:
    """Decode the uplinks of a batch; None for one that has no bytes, no codec, or an answer.

    What goes wrong beyond the codec is an error of the one uplink with which it goes wrong.
    """
    try:
        return _decoded(uplinks, codecs)
    except Exception as error:  # noqa: BLE001  # whatever it is, the others are decoded
        if len(uplinks) == 1:
            _log.exception("not decoded: %s", uplinks[0].row.get(PARTITION_KEY))
            return [internal(error)]
        return [reading for each in uplinks for reading in readings([each], codecs)]


def internal(error: Exception) -> Reading:
    """Return the reading of an uplink that this program could not deal with."""
    told = CodecError(Code.INTERNAL, f"{type(error).__name__}: {error}")
    return _failed(told, Code.INTERNAL)


def _decoded(uplinks: Sequence[Uplink], codecs: Mapping) -> list[Reading | None]:
    found: list[Reading | None] = [None] * len(uplinks)
    batches: dict[Codec, list[tuple[int, Assigned, Received]]] = {}
    for number, uplink in enumerate(uplinks):
        content = _open(uplink.row)
        if content is None:
            continue
        asked = _asked(uplink.row, content, codecs)
        if asked is None:
            found[number] = _said(uplink, content[0])
            continue
        assigned, received = asked
        found[number] = _known(uplink, assigned.version)
        if found[number] is None:
            batches.setdefault(assigned.codec, []).append((number, assigned, received))
    for codec, batch in batches.items():
        answers = decode_all(codec, [received for _, _, received in batch])
        for (number, assigned, received), answer in zip(batch, answers, strict=True):
            found[number] = _reading(received.port, answer, assigned.version)
    return found


def _open(row: Row) -> tuple[int, bytes] | None:
    """Return the port and bytes of an uplink that may have a reading, and has none yet."""
    content = port_and_data(row)
    if content is None or row.keys() & {DECODED, DECODE_ERROR}:
        return None
    return None if content[0] == _MAC_COMMANDS or row.get(ENCRYPTED) else content


def _asked(
    row: Row, content: tuple[int, bytes], codecs: Mapping
) -> tuple[Assigned, Received] | None:
    """Return the codec of ours that is to decode an uplink, and its input; None if it has none."""
    port, data = content
    application, _, device = str(row.get(PARTITION_KEY)).partition("/")
    assigned = codecs.find(application, device, port)
    if assigned is None:
        return None
    time = parse_time(str(row.get(SORT_KEY))) or 0
    return assigned, Received(data, port, time, assigned.variables)


def _said(uplink: Uplink, port: int) -> Reading | None:
    """Return the reading that the network server's codec made, None where it made none."""
    text = uplink.row.get(SAID)
    if not isinstance(text, str):
        return None
    same = uplink.before is not None and uplink.before.get(SAID) == text
    known = _known(uplink, SAID_BY) if same else None
    return known or _reading(port, said.read(text), SAID_BY)


def _known(uplink: Uplink, version: str) -> Reading | None:
    """Return the reading that the same codec made of the same bytes, which were replaced."""
    row, before = uplink.row, uplink.before
    if before is None or before.get(DECODED_BY) != version or DECODED not in before:
        return None
    if port_and_data(before) != port_and_data(row):
        return None
    return Reading({name: before[name] for name in OF_THE_DECODER if name in before})


def _reading(port: int, answer: Decoded | CodecError, version: str) -> Reading:
    if isinstance(answer, CodecError):
        return _failed(answer, version)
    attributes: dict[str, Value] = {DECODED: _stored(answer.data), DECODED_BY: version}
    if answer.warnings:
        attributes[DECODE_WARNINGS] = list(answer.warnings)
    return Reading(attributes, New(port, answer))


def _failed(error: CodecError, version: str) -> Reading:
    said: dict[str, Value] = {"code": error.code.value, "message": error.message}
    return Reading({DECODE_ERROR: said, DECODED_BY: version})


def _stored(value: Json) -> Value:
    match value:
        case bool() | str() | None:
            return value
        case int() | float():
            return Decimal(repr(value))
        case list():
            return [*map(_stored, value)]
        case dict():
            return {name: _stored(each) for name, each in value.items()}
