"""Runs one codec on one uplink.

Codecs are written to the LoRa Alliance's Payload Codec API (TS013), or in the older forms that
network servers knew before it: ``Decode(fPort, bytes)`` and ``Decoder(bytes, port)``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import cast

import msgspec

from codec.answers import Answer, Function, question, read_answer, read_any
from codec.errors import Code, CodecError
from codec.sandbox import script
from codec.storable import Json, require_storable
from codec.worker import run_in_worker


@dataclass(frozen=True, slots=True)
class Codec:
    """A codec's JavaScript, under the name that errors give it."""

    name: str
    source: str


@dataclass(frozen=True, slots=True)
class Received:
    """What a codec is given: bytes, FPort, and the time of receipt in microseconds since 1970.

    ``variables`` are the device's, from ``codecs.toml``. A ``downlink`` is one that the device
    received: the codec reads back what it would have encoded.
    """

    data: bytes
    port: int
    time: int = 0
    variables: Mapping[str, str] = field(default_factory=dict)
    downlink: bool = False


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a codec made of an uplink."""

    data: dict[str, Json]
    warnings: tuple[str, ...] = ()


CAYENNE_LPP = Codec("cayenne-lpp", script("cayenne_lpp.js"))
"""Cayenne LPP, a codec like any other."""


def decode(codec: Codec, received: Received) -> Decoded:
    """Return what ``codec`` makes of an uplink.

    Raises:
        CodecError: it did not decode it.

    """
    (found,) = decode_all(codec, [received])
    if isinstance(found, CodecError):
        raise found
    return found


def decode_all(codec: Codec, batch: Iterable[Received]) -> list[Decoded | CodecError]:
    """Return what ``codec`` makes of each uplink, or why nothing; each sees nothing of others."""
    return [_found(said) for said in run_in_worker(codec.source, [*map(_question, batch)])]


def check(codec: Codec) -> None:
    """Run a codec's source without an uplink.

    Raises:
        CodecError: it is not JavaScript, or has none of the known functions.

    """
    _ask(codec.source, None)


def literal(text: str) -> object:
    """Return what a JavaScript literal says: JSON with comments, trailing commas, hexadecimal.

    Raises:
        CodecError: it is none.

    """
    return _ask(f"const decodeUplink = () => (\n{text}\n)", {})


def as_json(decoded: Decoded) -> str:
    """Return it as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(decoded), indent=2).decode()


def _ask(source: str, given: object) -> object:
    (said,) = run_in_worker(source, [question(Function.DECODE_UPLINK, given)])
    return read_any(said)


def _question(received: Received) -> str:
    given = {
        "bytes": list(received.data),
        "fPort": received.port,
        "recvTime": received.time / 1000,
        "variables": received.variables,
    }
    downlink = received.downlink
    return question(Function.DECODE_DOWNLINK if downlink else Function.DECODE_UPLINK, given)


def _found(said: str | CodecError) -> Decoded | CodecError:
    try:
        return _decoded(read_answer(said))
    except CodecError as error:
        return error


def _decoded(answer: Answer) -> Decoded:
    if answer.data is None and answer.warnings:
        return Decoded({}, answer.warnings)
    if not isinstance(answer.data, dict):
        raise CodecError(Code.BAD_RESULT, "its data is no object")
    data = cast("dict[str, Json]", answer.data)  # JSON text has made it
    require_storable(data)
    return Decoded(data, answer.warnings)
