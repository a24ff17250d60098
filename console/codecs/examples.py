"""Finds the examples that codecs ship, in three habits.

The Things Stack: a YAML file with ``uplinkDecoder: {fileName, examples: [{description, input,
output}]}``, and the same with ``downlinkEncoder`` and ``downlinkDecoder``. ChirpStack:
``test_decode_NAME.json`` and ``test_encode_NAME.json`` beside ``NAME.js``, a JavaScript literal of
a list of ``{name, input, expected}``. Payload Codec API (TS013): ``examples.json`` beside
``index.js``, a list of ``{type, description, input, output}``.
"""

from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from codec.engine import Codec, literal
from codec.errors import CodecError
from codec.source import read_source
from console.codecs.example import Example, Kind, read_example
from contract.errors import BridgeError

_PREFIXES = {"test_decode_": Kind.UPLINK, "test_encode_": Kind.ENCODE}
_TS013 = "examples.json"
_KINDS = {
    "uplinkDecoder": Kind.UPLINK,
    "downlinkEncoder": Kind.ENCODE,
    "downlinkDecoder": Kind.DECODE,
}
"""What the parts of The Things Stack's files have examples of."""
_MOST = 1_000_000  # values in a file: aliases of YAML can make any number of them


class _Typed(msgspec.Struct):
    """What an example is of; only the Payload Codec API's say it."""

    type: str = ""


class _Part(msgspec.Struct, rename="camel"):
    """A codec's file in The Things Stack, and what it should do."""

    file_name: str
    examples: list[object] = []


@dataclass(frozen=True, slots=True)
class Shipped:
    """The examples of a file, and what is wrong with others."""

    examples: list[Example] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def shipped(path: Path) -> Shipped | None:
    """Return the examples that a file has, None where it has none.

    Raises:
        BridgeError: the file cannot be read, or its examples have another form.

    """
    if path.suffix in {".yaml", ".yml"}:
        return _of_the_things_stack(path)
    for prefix, kind in _PREFIXES.items():
        if path.name.startswith(prefix) and path.suffix == ".json":
            return _of_literal(path, path.with_name(path.stem.removeprefix(prefix) + ".js"), kind)
    index = path.with_name("index.js")
    return _of_literal(path, index, Kind.UPLINK) if path.name == _TS013 and index.exists() else None


def _of_the_things_stack(path: Path) -> Shipped | None:
    text = _read(path)
    if not any(part in text for part in _KINDS):
        return None
    found = Shipped()
    for name, part in _parts(path, text).items():
        _add(found, f"{path}: {name}", path.parent / part.file_name, _KINDS[name], part.examples)
    return found if found.examples or found.problems else None


def _parts(path: Path, text: str) -> dict[str, _Part]:
    """Return the parts of a file that have examples, by name."""
    try:
        # YAML 1.2, as The Things Stack reads it: "on" is a text.
        written: object = YAML(typ="safe", pure=True).load(text)
        _require_few(written)
        given = msgspec.convert(written or {}, dict[str, object])
        parts = {name: msgspec.convert(given[name], _Part) for name in _KINDS if given.get(name)}
    except (YAMLError, msgspec.ValidationError, ValueError, RecursionError) as error:
        raise BridgeError(f"{path}: {' '.join(str(error).split())}") from None
    return {name: part for name, part in parts.items() if part.examples}


def _of_literal(path: Path, codec: Path, kind: Kind) -> Shipped:
    try:
        written = msgspec.convert(literal(_read(path)), list[object])
    except (CodecError, msgspec.ValidationError) as error:
        raise BridgeError(f"{path}: {error}") from None
    found = Shipped()
    _add(found, str(path), codec, kind, written)
    return found


def _add(found: Shipped, where: str, path: Path, kind: Kind, written: list[object]) -> None:
    """Read each example of a codec by itself: an odd one must not hide the others."""
    try:
        codec = _codec(path)
    except BridgeError as error:
        found.problems.append(str(error))
        return
    for number, each in enumerate(written, start=1):
        try:
            of = _kind(each, kind)
            if of is not None:
                found.examples.append(read_example(codec, of, each, f"example {number}"))
        except ValueError as error:
            found.problems.append(f"{where}: example {number}: {error}")


def _kind(written: object, usual: Kind) -> Kind | None:
    """Return what an example is of; None where it is of something that is not known here."""
    told = msgspec.convert(written, _Typed).type or usual
    return Kind(told) if told in set(Kind) else None


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
