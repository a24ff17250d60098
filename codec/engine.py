"""Runs one codec on one uplink.

Codecs are written to the LoRa Alliance's Payload Codec API (TS013), or in the older forms that
network servers knew before it: ``Decode(fPort, bytes)`` and ``Decoder(bytes, port)``.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, cast

import msgspec

from codec.errors import Code, CodecError
from codec.sandbox import script, thrown
from codec.storable import Json, require_storable
from codec.worker import run_in_worker

_HALF = re.compile(r"\\ud[89ab]..(?!\\ud[c-f]..)|(?<!\\ud[89ab]..)\\ud[c-f]..")
_NO_DECODER = CodecError(Code.NO_DECODER, "no decodeUplink, Decode or Decoder in it")


@dataclass(frozen=True, slots=True)
class Codec:
    """A codec's JavaScript, under the name that errors give it."""

    name: str
    source: str


@dataclass(frozen=True, slots=True)
class Received:
    """What a codec is given: bytes, FPort, and the time of receipt in microseconds since 1970.

    ``variables`` are the device's, from ``codecs.toml``.
    """

    data: bytes
    port: int
    time: int = 0
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a codec made of an uplink."""

    data: dict[str, Json]
    warnings: tuple[str, ...] = ()


class _Answer(msgspec.Struct):
    """What a codec may answer. Other fields are ignored."""

    data: object = None
    warnings: object = None
    errors: object = None


class _Outcome(msgspec.Struct):
    answer: object = None
    threw: str | None = None
    form: Literal["none"] | None = None


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
    return [_found(answer) for answer in run_in_worker(codec.source, [*map(_input, batch)])]


def check(codec: Codec) -> None:
    """Run a codec's source without an uplink.

    Raises:
        CodecError: it is not JavaScript, or has none of the known functions.

    """
    if _outcome(codec.source, "null").form == "none":
        raise _NO_DECODER


def literal(text: str) -> object:
    """Return what a JavaScript literal says: JSON with comments, trailing commas, hexadecimal.

    Raises:
        CodecError: it is none.

    """
    outcome = _outcome(f"const decodeUplink = () => (\n{text}\n)", "{}")
    if outcome.threw is not None:
        raise thrown(outcome.threw)
    return outcome.answer


def as_json(decoded: Decoded) -> str:
    """Return it as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(decoded), indent=2).decode()


def _input(received: Received) -> str:
    given = {
        "bytes": list(received.data),
        "fPort": received.port,
        "recvTime": received.time / 1000,
        "variables": received.variables,
    }
    return msgspec.json.encode(given).decode()


def _outcome(source: str, argument: str) -> _Outcome:
    (answer,) = run_in_worker(source, [argument])
    if isinstance(answer, CodecError):
        raise answer
    return _parsed(answer)


def _found(answer: str | CodecError) -> Decoded | CodecError:
    if isinstance(answer, CodecError):
        return answer
    try:
        return _decoded(_parsed(answer))
    except CodecError as error:
        return error


def _decoded(outcome: _Outcome) -> Decoded:
    if outcome.form == "none":
        raise _NO_DECODER
    if outcome.threw is not None:
        raise thrown(outcome.threw)
    answer = _converted(outcome.answer)
    errors, warnings = _texts(answer.errors), _texts(answer.warnings)
    if errors:
        raise CodecError(Code.ERRORS, "; ".join(errors))
    if answer.data is None and warnings:
        return Decoded({}, warnings)
    if not isinstance(answer.data, dict):
        raise CodecError(Code.BAD_RESULT, "its data is no object")
    data = cast("dict[str, Json]", answer.data)  # JSON text has made it
    require_storable(data)
    return Decoded(data, warnings)


def _parsed(text: str) -> _Outcome:
    try:
        return msgspec.json.decode(text, type=_Outcome)
    except (msgspec.DecodeError, RecursionError) as error:
        half = _HALF.search(text) is not None
        message = "half a surrogate pair in a text" if half else str(error)
        raise CodecError(Code.BAD_RESULT, message) from None


def _converted(answer: object) -> _Answer:
    try:
        return msgspec.convert(answer, _Answer)
    except msgspec.ValidationError as error:
        raise CodecError(Code.BAD_RESULT, str(error)) from None


def _texts(told: object) -> tuple[str, ...]:
    """Return what a codec tells, as a list or one text. Anything else tells nothing."""
    if isinstance(told, list):
        return tuple(map(_text, told))
    return (told,) if isinstance(told, str) and told else ()


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
