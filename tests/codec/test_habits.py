"""Codecs run as vendors write them for other servers, whatever their habits."""

import pytest

from codec.answers import Function, question
from codec.engine import Codec, Decoded, Received, decode
from codec.errors import Code, CodecError
from codec.source import as_script

AT = 1_617_242_400_000_000  # 2021-04-01T02:00:00Z, a time that summer time and zones would move
BUFFER = "({bytes}) => ({data: {t: Buffer.from(bytes).readUInt8(0)}})"
ANSWER = "({bytes}) => ({data: {t: bytes[0]}})"


def run(source: str) -> Decoded:
    """Decode an uplink, twice: in a new engine and in one that may be kept."""
    codec, received = Codec("test", as_script(source)), Received(b"\x15", 7, AT)
    first = decode(codec, received)
    assert decode(codec, received) == first
    return first


def fails(source: str) -> tuple[Code, str]:
    """Return code and message of what a codec does not decode."""
    with pytest.raises(CodecError) as caught:
        run(source)
    return caught.value.code, caught.value.message


@pytest.mark.parametrize(
    "source",
    [
        f"var driver = {{decodeUplink: {ANSWER}}};",
        f"exports.driver = {{decodeUplink: {ANSWER}}};",
        "const driver = {of: 0, decodeUplink(i) { return {data: {t: i.bytes[this.of]}} }};",
        f"module.exports = {ANSWER};",
        "export function decodeUplink({bytes}) { return {data: {t: bytes[0]}} }",
        "export default function decodeUplink({bytes}) { return {data: {t: bytes[0]}} }",
        f"export const decodeUplink = {ANSWER};",
        f"export default {{decodeUplink: {ANSWER}}};",
        f"export default {ANSWER};",
        f"const decodeUplink = {ANSWER};\nexport {{ decodeUplink }};",
        f"const f = {ANSWER};\nexport {{\n  f as decodeUplink,\n}};",
        f"if (require.main === module) {{ throw 1 }}\nvar decodeUplink = {ANSWER};",
        "const { Buffer } = require('buffer'); exports.decodeUplink = READ;".replace(
            "READ", BUFFER
        ),
        "const b = require('node:buffer'); exports.decodeUplink = READ;".replace("READ", BUFFER),
    ],
)
def test_every_habit_decodes(source: str) -> None:
    """Drivers, modules and what is required of Node are understood."""
    assert run(source) == Decoded({"t": 21})


def test_lines_keep_their_numbers() -> None:
    """A module becomes a script of as many lines, so that errors name the right one."""
    module = "export {\n  a,\n  b as c\n};\nexport default {};\nexport const d = 1;\n"
    assert as_script(module).count("\n") == module.count("\n")


def test_what_is_no_export_is_left_alone() -> None:
    """A codec that only speaks of exports is no module."""
    source = "// export this\nconst text = 'export default';\nmodule.exports.decodeUplink = f;"
    assert as_script(source) == source


@pytest.mark.parametrize("name", ["crypto", "node:crypto", "node-aes-cmac", "./tables.js"])
def test_other_modules_are_missing(name: str) -> None:
    """The error begins as Node's own, names the module, and says what there is."""
    code, message = fails(f"require('{name}'); function decodeUplink() {{}}")
    assert code is Code.EXCEPTION
    assert message.startswith(f"Error: Cannot find module '{name}': of modules a codec has buffer")


def test_what_is_no_module_here_is_named() -> None:
    """Of Node's globals, `crypto` is missing, and the error says so."""
    code, message = fails("function decodeUplink() { return {data: {n: crypto.randomUUID()}} }")
    assert (code, message) == (Code.EXCEPTION, "ReferenceError: crypto is not defined")


def test_a_codec_may_do_without() -> None:
    """A codec that asks for a module only to see whether it is there decodes."""
    source = f"let c; try {{ c = require('crypto') }} catch {{ }} exports.decodeUplink = {ANSWER};"
    assert run(source) == Decoded({"t": 21})


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("at.toLocaleString()", "4/1/2021, 2:00:00 AM"),
        ("at.toLocaleString('en-US')", "4/1/2021, 2:00:00 AM"),
        ("at.toLocaleDateString()", "4/1/2021"),
        ("new Date(2021, 11, 31, 12, 5).toLocaleTimeString()", "12:05:00 PM"),
        ("new Date(NaN).toLocaleString()", "Invalid Date"),
        ("(1234567.8912).toLocaleString()", "1,234,567.891"),
        ("(-21.5).toLocaleString()", "-21.5"),
        ("(0).toLocaleString()", "0"),
        ("at.getTimezoneOffset()", 0),
    ],
)
def test_local_texts_are_as_node_has_them(expression: str, text: object) -> None:
    """The locale is that of the United States and the zone UTC, wherever the codec runs."""
    source = f"function decodeUplink({{recvTime: at}}) {{ return {{data: {{x: {expression}}}}} }}"
    assert run(source).data == {"x": text}


@pytest.mark.parametrize(
    "expression",
    [
        "at.toLocaleString('fr-FR')",
        "at.toLocaleString(undefined, {timeZone: 'Europe/Paris'})",
        "(1234.5).toLocaleString('de-DE')",
        "(1.5).toLocaleString('en-US', {minimumFractionDigits: 2})",
        "new Intl.DateTimeFormat('fr')",
    ],
)
def test_a_locale_that_is_not_known_is_an_error(expression: str) -> None:
    """Nothing is silently written as somebody else would write it."""
    source = f"function decodeUplink({{recvTime: at}}) {{ return {{data: {{x: {expression}}}}} }}"
    assert fails(source)[0] is Code.EXCEPTION


def test_the_zone_of_the_host_is_not_the_codec_s(monkeypatch: pytest.MonkeyPatch) -> None:
    """A laptop says what AWS says, where the zone is UTC."""
    from codec.worker import Worker  # noqa: PLC0415  # a process that starts now

    monkeypatch.setenv("TZ", "America/Los_Angeles")
    worker = Worker()
    source = "function decodeUplink() { return {data: {h: new Date(0).getHours()}} }"
    asked = question(Function.DECODE_UPLINK, {})
    assert worker.run(source, [asked]) == ['{"answer":{"data":{"h":0}}}']
    worker.close()


@pytest.mark.parametrize(
    ("answer", "decoded"),
    [
        ("{warnings: ['unknown FPort']}", Decoded({}, ("unknown FPort",))),
        ("{data: null, warnings: ['w']}", Decoded({}, ("w",))),
        ("{data: {a: 1}, errors: false}", Decoded({"a": 1})),
        ("{data: {a: 1}, errors: ''}", Decoded({"a": 1})),
        ("{data: {a: 1}, errors: {}}", Decoded({"a": 1})),
        ("{data: {a: 1}, warnings: true}", Decoded({"a": 1})),
        ("{data: {a: 1}, warnings: ''}", Decoded({"a": 1})),
        ("{data: {a: 1, b: undefined}}", Decoded({"a": 1})),
    ],
)
def test_answers_of_other_forms(answer: str, decoded: Decoded) -> None:
    """What is no list of errors or warnings tells of none; warnings need no data."""
    assert run(f"function decodeUplink() {{ return {answer} }}") == decoded


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("1e300", "the number 1e+300 cannot be stored"),
        ("1e126", "the number 1e+126 cannot be stored"),
        ("-1e-131", "the number -1e-131 cannot be stored"),
        ("5e-324", "the number 5e-324 cannot be stored"),
        ("{'': 1}", "a field without a name"),
        ("'\\ud83d'", "half a surrogate pair in a text"),
        ("'a\\udc00'", "half a surrogate pair in a text"),
        (f"{'[' * 31}{']' * 31}", "nested deeper than 31 levels"),
    ],
)
def test_what_cannot_be_stored_is_no_reading(value: str, why: str) -> None:
    """The verdict is the same on a laptop and in AWS, and says why."""
    source = f"function decodeUplink() {{ return {{data: {{x: {value}}}}} }}"
    assert fails(source) == (Code.BAD_RESULT, why)


@pytest.mark.parametrize("value", ["9.9e125", "1e-130", "0", "-0.0", "'\\ud83d\\ude00'", "null"])
def test_what_can_be_stored_is_a_reading(value: str) -> None:
    """The limits themselves are within them."""
    run(f"function decodeUplink() {{ return {{data: {{x: {value}}}}} }}")


def test_chance_tells_nothing_of_earlier_uplinks() -> None:
    """What Math.random returns does not depend on how often earlier uplinks called it."""
    source = """function decodeUplink({bytes}) {
        for (var n = 0; n < bytes[0]; n++) Math.random();
        return {data: {r: Math.random() >= 0}};
    }"""
    assert run(source).data == {"r": True}
