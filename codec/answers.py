"""What a codec's functions are asked, and what they answer, in JSON. Does no I/O."""

import re
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from codec.errors import Code, CodecError
from codec.sandbox import thrown

_HALF = re.compile(r"\\ud[89ab]..(?!\\ud[c-f]..)|(?<!\\ud[89ab]..)\\ud[c-f]..")


class Function(StrEnum):
    """The functions of the Payload Codec API (TS013) that are called, by their names there."""

    DECODE_UPLINK = "decodeUplink"
    DECODE_DOWNLINK = "decodeDownlink"
    ENCODE_DOWNLINK = "encodeDownlink"


_MISSING = {
    Function.DECODE_UPLINK: (Code.NO_DECODER, "no decodeUplink, Decode or Decoder in it"),
    Function.DECODE_DOWNLINK: (Code.NO_DECODER, "no decodeDownlink in it"),
    Function.ENCODE_DOWNLINK: (Code.NO_ENCODER, "no encodeDownlink, Encode or Encoder in it"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a codec answered without errors. It may be anything but for the warnings."""

    data: object
    bytes: object
    port: object
    warnings: tuple[str, ...]


class _Outcome(msgspec.Struct):
    """As call.js has it."""

    answer: object = None
    threw: str | None = None
    missing: Function | None = None


class _Written(msgspec.Struct, rename={"port": "fPort"}):
    """What a codec may answer. Other fields are ignored."""

    data: object = None
    bytes: object = None
    port: object = None
    warnings: object = None
    errors: object = None


def question(function: Function, given: object) -> str:
    """Return what asks a codec's function, with its input; with None, whether it has it."""
    return msgspec.json.encode({"name": function, "input": given}).decode()


def read_answer(said: str | CodecError) -> Answer:
    """Read what a codec said to a question.

    Raises:
        CodecError: it failed, has no such function, answers with errors, or with no object.

    """
    try:
        written = msgspec.convert(read_any(said), _Written)
    except msgspec.ValidationError as error:
        raise CodecError(Code.BAD_RESULT, str(error)) from None
    errors = _texts(written.errors)
    if errors:
        raise CodecError(Code.ERRORS, "; ".join(errors))
    return Answer(written.data, written.bytes, written.port, _texts(written.warnings))


def read_any(said: str | CodecError) -> object:
    """Read what a codec said to a question, be it an answer of the Payload Codec API or not.

    Raises:
        CodecError: it failed, or has no such function.

    """
    if isinstance(said, CodecError):
        raise said
    outcome = _outcome(said)
    if outcome.missing is not None:
        raise CodecError(*_MISSING[outcome.missing])
    if outcome.threw is not None:
        raise thrown(outcome.threw)
    return outcome.answer


def _outcome(text: str) -> _Outcome:
    try:
        return msgspec.json.decode(text, type=_Outcome)
    except (msgspec.DecodeError, RecursionError) as error:
        half = _HALF.search(text) is not None
        message = "half a surrogate pair in a text" if half else str(error)
        raise CodecError(Code.BAD_RESULT, message) from None


def _texts(told: object) -> tuple[str, ...]:
    """Return what a codec tells, as a list or one text. Anything else tells nothing."""
    if isinstance(told, list):
        return tuple(map(_text, told))
    return (told,) if isinstance(told, str) and told else ()


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
