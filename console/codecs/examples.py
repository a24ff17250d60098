"""Finds the examples that codecs ship, in the habits of The Things Stack and of ChirpStack.

The Things Stack: a YAML file with ``uplinkDecoder: {fileName, examples: [{description, input,
output}]}``. ChirpStack: ``test_decode_NAME.json`` beside ``NAME.js``, a JavaScript literal of a
list of ``{name, input, expected}``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from codec.engine import Codec, Received, literal
from codec.errors import CodecError
from contract.errors import BridgeError

_PREFIX = "test_decode_"


class _Input(msgspec.Struct, rename={"port": "fPort", "time": "recvTime"}):
    bytes: list[Annotated[int, msgspec.Meta(ge=0, le=255)]]
    port: Annotated[int, msgspec.Meta(ge=0, le=255)] = 1
    time: datetime | None = None
    variables: dict[str, str] = {}


class Expected(msgspec.Struct, frozen=True):
    """What a codec should answer; ``data`` None where it should refuse, with ``errors``."""

    data: dict[str, object] | None = None
    warnings: list[str] | None = None
    errors: list[str] | None = None


class _Shipped(msgspec.Struct):
    """An example as it is written, in either habit."""

    input: _Input
    output: Expected | None = None
    expected: Expected | None = None
    description: str = ""
    name: str = ""


class _Decoder(msgspec.Struct, rename="camel"):
    file_name: str
    examples: list[_Shipped] = []


class _Definition(msgspec.Struct, rename="camel"):
    uplink_decoder: _Decoder | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """One uplink, and what becomes of it."""

    name: str
    received: Received
    expected: Expected


@dataclass(frozen=True, slots=True)
class Shipped:
    """A codec, and its examples."""

    codec: Codec
    examples: list[Example]


def shipped(path: Path) -> Shipped | None:
    """Return the codec whose examples a file has, None where it has none.

    Raises:
        BridgeError: a file cannot be read, or its examples have another form.

    """
    if path.suffix in {".yaml", ".yml"}:
        return _of_the_things_stack(path)
    if path.name.startswith(_PREFIX) and path.suffix == ".json":
        return _of_chirpstack(path)
    return None


def _of_the_things_stack(path: Path) -> Shipped | None:
    text = _read(path)
    if "uplinkDecoder" not in text:
        return None
    try:
        # YAML 1.2, as The Things Stack reads it: "on" is a text.
        written: object = YAML(typ="safe", pure=True).load(text)
        decoder = msgspec.convert(written, _Definition).uplink_decoder if written else None
    except (YAMLError, msgspec.ValidationError, ValueError, RecursionError) as error:
        raise BridgeError(f"{path}: {' '.join(str(error).split())}") from None
    if not decoder or not decoder.examples:
        return None
    codec = _codec(path.parent / decoder.file_name)
    return Shipped(codec, [*_examples(decoder.examples)])


def _of_chirpstack(path: Path) -> Shipped:
    codec = _codec(path.with_name(path.stem.removeprefix(_PREFIX) + ".js"))
    try:
        written = msgspec.convert(literal(_read(path)), list[_Shipped])
    except (CodecError, msgspec.ValidationError) as error:
        raise BridgeError(f"{path}: {error}") from None
    return Shipped(codec, [*_examples(written)])


def _examples(written: list[_Shipped]) -> Iterator[Example]:
    for number, each in enumerate(written, start=1):
        given = each.input
        yield Example(
            each.name or each.description or f"example {number}",
            Received(bytes(given.bytes), given.port, _micros(given.time), given.variables),
            each.expected or each.output or Expected(),
        )


def _micros(time: datetime | None) -> int:
    if time is None:
        return 0
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1_000_000)


def _codec(path: Path) -> Codec:
    return Codec(str(path), _read(path))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:  # ValueError: not UTF-8, or no name of a file
        raise BridgeError(f"{path}: cannot read it: {error}") from None
