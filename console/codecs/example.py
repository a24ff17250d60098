"""One example of what a codec should do, as its file writes it. Does no I/O."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, cast

import msgspec

from codec.encoding import Command
from codec.engine import Codec, Received
from codec.storable import Json
from contract.downlinks import MAX_PORT

_Bytes = list[Annotated[int, msgspec.Meta(ge=0, le=255)]] | str  # hexadecimal


class Kind(StrEnum):
    """What an example is of, in the words of the Payload Codec API (TS013)."""

    UPLINK = "uplink"
    ENCODE = "downlink-encode"
    DECODE = "downlink-decode"


class _Received(msgspec.Struct, rename={"port": "fPort", "time": "recvTime"}):
    bytes: _Bytes
    port: Annotated[int, msgspec.Meta(ge=0, le=255)] = 1
    time: datetime | None = None
    variables: dict[str, str] = {}


class _Command(msgspec.Struct, rename={"port": "fPort"}):
    data: object
    port: Annotated[int, msgspec.Meta(ge=1, le=MAX_PORT)] | None = None
    variables: dict[str, str] = {}


class Expected(msgspec.Struct, frozen=True, rename={"port": "fPort"}):
    """What a codec should answer: ``data``, ``bytes``, or ``errors`` where it should refuse."""

    data: object = None
    bytes: _Bytes = []
    port: int | None = None
    warnings: list[str] | None = None
    errors: list[str] | None = None


class _Written(msgspec.Struct):
    """An example as it is written, in any habit."""

    input: object
    output: Expected | None = None
    expected: Expected | None = None
    description: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """What a codec is given, and what becomes of it."""

    codec: Codec
    name: str
    given: Received | Command
    expected: Expected


def read_example(codec: Codec, kind: Kind, written: object, name: str) -> Example:
    """Read an example, whose name may be its own.

    Raises:
        ValueError: it has another form.

    """
    found = msgspec.convert(written, _Written)
    expected = found.expected or found.output or Expected()
    return Example(
        codec,
        found.name or found.description or name,
        _command(found.input) if kind is Kind.ENCODE else _received(found.input, kind),
        msgspec.structs.replace(expected, bytes=[*_as_bytes(expected.bytes)]),
    )


def _as_bytes(written: _Bytes) -> bytes:
    return bytes.fromhex(written) if isinstance(written, str) else bytes(written)


def _received(written: object, kind: Kind) -> Received:
    given = msgspec.convert(written, _Received)
    return Received(
        _as_bytes(given.bytes),
        given.port,
        _micros(given.time),
        given.variables,
        downlink=kind is Kind.DECODE,
    )


def _command(written: object) -> Command:
    given = msgspec.convert(written, _Command)
    try:
        data = msgspec.json.decode(msgspec.json.encode(given.data), type=dict[str, object])
    except (TypeError, RecursionError) as error:  # YAML has keys, and depths, that JSON has not
        raise ValueError(str(error)) from None
    return Command(cast("dict[str, Json]", data), given.port, given.variables)


def _micros(time: datetime | None) -> int:
    if time is None:
        return 0
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1_000_000)
