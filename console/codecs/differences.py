"""Whether a codec does with an example what it should. Does no I/O."""

from collections.abc import Iterator

from codec.encoding import Command, Encoded, encode
from codec.engine import Decoded, decode
from codec.errors import Code, CodecError
from console.codecs.example import Example, Expected


def differences(example: Example) -> list[str]:
    """Return what differs between what was expected and what came, one line each."""
    expected = example.expected
    try:
        found = _answer(example)
    except CodecError as error:
        if expected.errors and error.code is Code.ERRORS:
            return [*_between("errors", "; ".join(expected.errors), error.message)]
        return [str(error)]
    if expected.errors:
        done = "decoded" if isinstance(found, Decoded) else "encoded"
        return [f"{done}, expected errors: {'; '.join(expected.errors)}"]
    return [*_of_content(expected, found), *_of_warnings(expected, list(found.warnings))]


def _answer(example: Example) -> Decoded | Encoded:
    if isinstance(example.given, Command):
        return encode(example.codec, example.given)
    return decode(example.codec, example.given)


def _of_content(expected: Expected, found: Decoded | Encoded) -> Iterator[str]:
    if isinstance(found, Decoded):
        yield from _between("data", expected.data or {}, found.data)
        return
    yield from _between("bytes", expected.bytes, [*found.data])
    if expected.port is not None:
        yield from _between("fPort", expected.port, found.port)


def _of_warnings(expected: Expected, warnings: list[str]) -> Iterator[str]:
    if expected.warnings is not None:
        yield from _between("warnings", expected.warnings, warnings)


def _between(where: str, expected: object, found: object) -> Iterator[str]:
    if isinstance(expected, dict) and isinstance(found, dict):
        for name in [*expected, *(name for name in found if name not in expected)]:
            # A field that is undefined is null to The Things Stack, and none to ChirpStack.
            one, other = expected.get(name), found.get(name)
            if other is None and one is not None:
                yield f"{where}.{name}: missing, expected {one!r}"
            elif one is None and other is not None:
                yield f"{where}.{name}: {other!r}, not expected"
            else:
                yield from _between(f"{where}.{name}", one, other)
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for number, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from _between(f"{where}[{number}]", one, other)
    elif expected != found or isinstance(expected, bool) != isinstance(found, bool):
        yield f"{where}: {found!r}, expected {expected!r}"
