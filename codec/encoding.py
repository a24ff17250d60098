"""Makes the bytes of a downlink from an object, with one codec.

Codecs are written to the LoRa Alliance's Payload Codec API (TS013), or in the older forms that
network servers knew before it: ``Encode(fPort, obj, variables)`` and ``Encoder(object, port)``.

ChirpStack and The Things Stack take less than bytes from them, and each in its own way (their
sources: chirpstack/src/codec/js/mod.rs, pkg/messageprocessors/javascript/javascript.go). What both
take for the same bytes is taken here, and what they would send differently is refused.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

import msgspec

from codec.answers import Function, question, read_answer
from codec.engine import Codec
from codec.errors import Code, CodecError
from codec.storable import Json
from codec.worker import run_in_worker
from contract.downlinks import MAX_BYTES, MAX_PORT

_BYTE = 256
_DEFAULT_PORT = 1
"""As in The Things Stack, where neither the codec nor who asks names one."""


@dataclass(frozen=True, slots=True)
class Command:
    """What a codec is to make bytes of: an object, and the FPort if who asks names one.

    ``variables`` are the device's, as for an uplink.
    """

    data: Mapping[str, Json]
    port: int | None = None
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Encoded:
    """What a codec made of it: at most 242 bytes, which may be none, on FPort 1 to 223.

    ``port_named`` says whether the codec or who asked has named the port.
    """

    port: int
    data: bytes
    warnings: tuple[str, ...] = ()
    port_named: bool = True


def encode(codec: Codec, command: Command) -> Encoded:
    """Return the downlink that ``codec`` makes of an object.

    The FPort is the codec's, or else that of the command, or else 1.

    Raises:
        CodecError: it did not encode it.

    """
    asked = {} if command.port is None else {"fPort": command.port}
    given = {"data": command.data, "variables": command.variables, **asked}
    (said,) = run_in_worker(codec.source, [question(Function.ENCODE_DOWNLINK, given)])
    answer = read_answer(said)
    port = command.port if answer.port is None else answer.port
    named = port is not None
    chosen = _port(port) if named else _DEFAULT_PORT
    return Encoded(chosen, _bytes(answer.bytes), answer.warnings, named)


def _port(value: object) -> int:
    if type(value) is not int or not 1 <= value <= MAX_PORT:
        raise _bad(f"its fPort is not 1 to {MAX_PORT}", value)
    return value


def _bytes(value: object) -> bytes:
    if not isinstance(value, list):
        raise CodecError(Code.BAD_RESULT, "its bytes are no list")
    if len(value) > MAX_BYTES:
        raise CodecError(Code.BAD_RESULT, f"{len(value)} bytes, of {MAX_BYTES} at most")
    return bytes(_each(cast("list[object]", value)))


def _each(values: list[object]) -> Iterator[int]:
    """Yield the bytes; fractions are cut off, as by both servers."""
    for place, value in enumerate(values):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not (number and -1 < cast("float", value) < _BYTE):
            raise _bad(f"bytes[{place}] is no number from 0 to 255", value)
        yield int(cast("float", value))


def _bad(problem: str, value: object) -> CodecError:
    return CodecError(Code.BAD_RESULT, f"{problem}: {msgspec.json.encode(value).decode()}")
