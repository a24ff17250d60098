"""Runs one codec on one uplink, in a JavaScript engine without files, network or processes.

Codecs are written to the LoRa Alliance's Payload Codec API (TS013), or in the older forms that
network servers knew before it: ``Decode(fPort, bytes)`` and ``Decoder(bytes, port)``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from time import process_time
from typing import Literal, cast

import msgspec
import quickjs

_SECONDS = 0.2  # of CPU time, from the codec's first line to its answer
_MEMORY = 33_554_432  # bytes: the engine takes 100 kB of them, and a codec as many
_STACK = 262_144  # bytes
_LONGEST = 1000  # characters of an error's message
_MAX_RESULT = 65_536  # bytes of JSON: a row takes 400 KB in DynamoDB, with all else in it

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


class Code(StrEnum):
    """Why an uplink was not decoded."""

    TIMEOUT = "timeout"
    MEMORY = "memory"
    EXCEPTION = "exception"  # the codec threw it, or is not JavaScript
    ERRORS = "errors"  # the codec's own answer
    NO_DECODER = "no_decoder"  # it has none of the known functions
    BAD_RESULT = "bad_result"  # no object, or one that cannot be kept


class CodecError(Exception):
    """An uplink that a codec did not decode."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(f"{code}: {message[:_LONGEST]}")
        self.code = code
        self.message = message[:_LONGEST]


_NO_DECODER = CodecError(Code.NO_DECODER, "no decodeUplink, Decode or Decoder in it")


@dataclass(frozen=True, slots=True)
class Codec:
    """A codec's JavaScript, under the name that errors give it."""

    name: str
    source: str


@dataclass(frozen=True, slots=True)
class Received:
    """What a codec is given: bytes, FPort, and the time of receipt in microseconds since 1970."""

    data: bytes
    port: int
    time: int = 0


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a codec made of an uplink."""

    data: dict[str, Json]
    warnings: tuple[str, ...] = ()


class _Answer(msgspec.Struct):
    """What a codec may answer; other fields of it are nobody's concern."""

    data: object = None
    warnings: list[object] | None = None
    errors: list[object] | None = None


class _Outcome(msgspec.Struct):
    answer: object = None
    threw: str | None = None
    form: Literal["none"] | None = None


def _script(name: str) -> str:
    return resources.files("codec").joinpath(name).read_text(encoding="utf-8")


_GLOBALS = _script("globals.js")
_BUFFER = _script("buffer.js")
_CALL = _script("call.js").strip().removesuffix(";")

CAYENNE_LPP = Codec("cayenne-lpp", _script("cayenne_lpp.js"))
"""Cayenne LPP, a codec like any other."""


def decode(codec: Codec, received: Received, variables: Mapping[str, str] | None = None) -> Decoded:
    """Return what ``codec`` makes of an uplink. It sees nothing of other uplinks.

    Raises:
        CodecError: it did not decode it.

    """
    given = {
        "bytes": list(received.data),
        "fPort": received.port,
        "recvTime": received.time / 1000,
        "variables": variables or {},
    }
    argument = msgspec.json.encode(msgspec.json.encode(given).decode()).decode()
    text = _run(codec.source, f"{_CALL}(JSON.parse({argument}))")
    if len(text) > _MAX_RESULT:
        raise CodecError(Code.BAD_RESULT, f"{len(text)} characters, of {_MAX_RESULT} at most")
    return _decoded(_parsed(text))


def check(codec: Codec) -> None:
    """Run a codec's source without an uplink.

    Raises:
        CodecError: it is not JavaScript, or has none of the known functions.

    """
    outcome = _parsed(_run(codec.source, f"{_CALL}(null)"))
    if outcome.form == "none":
        raise _NO_DECODER


def literal(text: str) -> object:
    """Return what a JavaScript literal says: JSON with comments, trailing commas, hexadecimal.

    Raises:
        CodecError: it is none.

    """
    return _parsed(_run("", f"JSON.stringify({{answer: ({text})}})")).answer


def as_json(decoded: Decoded) -> str:
    """Return it as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(decoded), indent=2).decode()


def _run(source: str, call: str) -> str:
    """Return what ``call`` says after ``source``, as text.

    A new engine takes a tenth of a millisecond, and nothing of another uplink can be in it.
    """
    engine = quickjs.Context()
    engine.set_memory_limit(_MEMORY)
    engine.set_max_stack_size(_STACK)
    began = process_time()
    engine.set_time_limit(_SECONDS)
    try:
        engine.eval(_GLOBALS)
        if "Buffer" in source:  # to make it takes as long as all the rest
            engine.eval(_BUFFER)
        engine.eval(source)
        engine.set_time_limit(max(0.0, _SECONDS - (process_time() - began)))
        return str(engine.eval(call))
    except quickjs.JSException as error:
        raise _failure(str(error)) from None
    except ValueError as error:  # NUL in the source, or a text with half a surrogate pair
        raise CodecError(Code.EXCEPTION, str(error)) from None


def _failure(text: str) -> CodecError:
    if text.startswith("InternalError: interrupted"):
        return CodecError(Code.TIMEOUT, f"not done after {_SECONDS:.1f} s")
    # Where even the error has no memory left, there is none.
    if text.startswith(("InternalError: out of memory", "null")):
        return CodecError(Code.MEMORY, f"more than {_MEMORY // 1_048_576} MiB")
    return CodecError(Code.EXCEPTION, text.strip())


def _decoded(outcome: _Outcome) -> Decoded:
    if outcome.form == "none":
        raise _NO_DECODER
    if outcome.threw is not None:
        raise _failure(outcome.threw)
    answer = _converted(outcome.answer)
    if answer.errors:
        raise CodecError(Code.ERRORS, "; ".join(map(_text, answer.errors)))
    if not isinstance(answer.data, dict):
        raise CodecError(Code.BAD_RESULT, "its data is no object")
    data = cast("dict[str, Json]", answer.data)  # JSON text has made it
    return Decoded(data, tuple(map(_text, answer.warnings or ())))


def _parsed(text: str) -> _Outcome:
    try:
        return msgspec.json.decode(text, type=_Outcome)
    except (msgspec.DecodeError, RecursionError) as error:
        raise CodecError(Code.BAD_RESULT, str(error)) from None


def _converted(answer: object) -> _Answer:
    try:
        return msgspec.convert(answer, _Answer)
    except msgspec.ValidationError as error:
        raise CodecError(Code.BAD_RESULT, str(error)) from None


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
