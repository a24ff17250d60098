"""Finds the examples that codecs ship, in three habits.

The Things Stack: a YAML file with ``uplinkDecoder: {fileName, examples: [{description, input,
output}]}``. ChirpStack: ``test_decode_NAME.json`` beside ``NAME.js``, a JavaScript literal of a
list of ``{name, input, expected}``. Payload Codec API (TS013): ``examples.json`` beside
``index.js``, a list of ``{type, description, input, output}``.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from codec.engine import Codec, Received, literal
from codec.errors import CodecError
from codec.source import read_source
from contract.errors import BridgeError

_PREFIX = "test_decode_"
_TS013 = "examples.json"
_MOST = 1_000_000  # values in a file: aliases of YAML can make any number of them


class _Input(msgspec.Struct, rename={"port": "fPort", "time": "recvTime"}):
    bytes: list[Annotated[int, msgspec.Meta(ge=0, le=255)]] | str  # hexadecimal
    port: Annotated[int, msgspec.Meta(ge=0, le=255)] = 1
    time: datetime | None = None
    variables: dict[str, str] = {}


class _Kind(msgspec.Struct):
    """What an example is of; only the Payload Codec API's say it."""

    type: str = "uplink"


class Expected(msgspec.Struct, frozen=True):
    """What a codec should answer; ``data`` None where it should refuse, with ``errors``."""

    data: object = None
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
    examples: list[object] = []


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
    """A codec, its examples, and what is wrong with others."""

    codec: Codec
    examples: list[Example]
    problems: list[str]


def shipped(path: Path) -> Shipped | None:
    """Return the codec whose examples a file has, None where it has none.

    Raises:
        BridgeError: a file cannot be read, or its examples have another form.

    """
    if path.suffix in {".yaml", ".yml"}:
        return _of_the_things_stack(path)
    if path.name.startswith(_PREFIX) and path.suffix == ".json":
        return _of_literal(path, path.with_name(path.stem.removeprefix(_PREFIX) + ".js"))
    index = path.with_name("index.js")
    return _of_literal(path, index) if path.name == _TS013 and index.exists() else None


def _of_the_things_stack(path: Path) -> Shipped | None:
    text = _read(path)
    if "uplinkDecoder" not in text:
        return None
    try:
        # YAML 1.2, as The Things Stack reads it: "on" is a text.
        written: object = YAML(typ="safe", pure=True).load(text)
        _require_few(written)
        decoder = msgspec.convert(written, _Definition).uplink_decoder if written else None
    except (YAMLError, msgspec.ValidationError, ValueError, RecursionError) as error:
        raise BridgeError(f"{path}: {' '.join(str(error).split())}") from None
    if not decoder or not decoder.examples:
        return None
    return _shipped(path, path.parent / decoder.file_name, decoder.examples)


def _of_literal(path: Path, codec: Path) -> Shipped:
    try:
        written = msgspec.convert(literal(_read(path)), list[object])
    except (CodecError, msgspec.ValidationError) as error:
        raise BridgeError(f"{path}: {error}") from None
    return _shipped(path, codec, written)


def _shipped(path: Path, codec: Path, written: list[object]) -> Shipped:
    """Read each example by itself: an odd one must not hide the others."""
    found = Shipped(_codec(codec), [], [])
    for number, each in enumerate(written, start=1):
        try:
            if msgspec.convert(each, _Kind).type == "uplink":
                found.examples.append(_example(msgspec.convert(each, _Shipped), number))
        except ValueError as error:
            found.problems.append(f"{path}: example {number}: {error}")
    return found


def _example(written: _Shipped, number: int) -> Example:
    given = written.input
    data = bytes.fromhex(given.bytes) if isinstance(given.bytes, str) else bytes(given.bytes)
    return Example(
        written.name or written.description or f"example {number}",
        Received(data, given.port, _micros(given.time), given.variables),
        written.expected or written.output or Expected(),
    )


def _require_few(value: object) -> None:
    waiting = [value]
    for _ in range(_MOST):
        if not waiting:
            return
        match waiting.pop():
            case list() as items:
                waiting += items
            case dict() as fields:
                waiting += fields.values()
    raise ValueError(f"more than {_MOST} values")


def _micros(time: datetime | None) -> int:
    if time is None:
        return 0
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1_000_000)


def _codec(path: Path) -> Codec:
    try:
        return Codec(str(path), read_source(path))
    except (OSError, ValueError) as error:  # ValueError: no name of a file
        raise BridgeError(f"{path}: cannot read it: {error}") from None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:  # ValueError: not UTF-8, or no name of a file
        raise BridgeError(f"{path}: cannot read it: {error}") from None
