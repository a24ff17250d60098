"""A codec decodes an uplink, and whatever it does costs that uplink alone."""

import pytest

from codec.engine import CAYENNE_LPP, Codec, Decoded, Received, decode, decode_all, literal
from codec.errors import Code, CodecError

AT = 1_441_843_200_000_000  # 2015-09-10T00:00:00Z


def run(source: str, data: bytes = b"\x01\xfe", variables: dict[str, str] | None = None) -> Decoded:
    """Decode an uplink on FPort 7."""
    return decode(Codec("test", source), Received(data, 7, AT, variables or {}))


def fails(source: str) -> tuple[Code, str]:
    """Return code and message of what a codec does not decode."""
    with pytest.raises(CodecError) as caught:
        run(source)
    return caught.value.code, caught.value.message


@pytest.mark.parametrize(
    "source",
    [
        "function decodeUplink(i) { return {data: {n: i.bytes.length, port: i.fPort}} }",
        "const decodeUplink = ({bytes, fPort}) => ({data: {n: bytes.length, port: fPort}})",
        "'use strict'; var decodeUplink = i => ({data: {n: i.bytes.length, port: i.fPort}});",
        "exports.decodeUplink = i => ({data: {n: i.bytes.length, port: i.fPort}})",
        "module.exports = {decodeUplink: i => ({data: {n: i.bytes.length, port: i.fPort}})}",
        "function Decode(fPort, bytes, variables) { return {n: bytes.length, port: fPort} }",
        "function Decoder(bytes, port) { return {n: bytes.length, port: port} }",
        "function Decoder(b, port) { d = {}; d.n = b.length; d.port = port; return d } // end",
    ],
)
def test_every_form_is_called(source: str) -> None:
    """The forms of the Payload Codec API and the older ones get bytes and port."""
    assert run(source) == Decoded({"n": 2, "port": 7})


def test_what_else_a_codec_is_given() -> None:
    """`recvTime` is a Date, and `variables` are those of the device."""
    source = """function decodeUplink({recvTime, variables}) {
        return {data: {time: recvTime.toISOString(), offset: variables.offset}}
    }"""
    assert run(source, variables={"offset": "3"}).data == {
        "time": "2015-09-10T00:00:00.000Z",
        "offset": "3",
    }


def test_warnings_are_kept() -> None:
    """Warnings come with the data."""
    source = "function decodeUplink() { return {data: {}, warnings: ['low battery', 3]} }"
    assert run(source) == Decoded({}, ("low battery", "3"))


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("b.readInt16BE(0)", 510),
        ("b.readInt16LE(0)", -511),
        ("b.readUint8(1)", 254),
        ("b.readInt8(1)", -2),
        ("b.readUIntBE(0, 2)", 510),
        ("b.readIntLE(0, 2)", -511),
        ("b.slice(1).length", 1),
        ("b.toString('hex')", "01fe"),
        ("b.toString('base64')", "Af4="),
        ("Buffer.from('01fe', 'hex').equals(b)", True),
        ("Buffer.from('Af4=', 'base64').equals(b)", True),
        ("Buffer.from('grün').toString()", "grün"),
        ("Buffer.from('grün').length", 5),
        ("Buffer.concat([b, b]).length", 4),
        ("Buffer.from([0x41, 0xc8, 0, 0]).readFloatBE(0)", 25),
        ("Buffer.isBuffer(b)", True),
        ("Buffer.alloc(2).writeInt16LE(-2)", 2),
    ],
)
def test_buffer(expression: str, value: object) -> None:
    """Codecs read bytes with Node's Buffer."""
    source = f"""function decodeUplink(input) {{
        const b = Buffer.from(input.bytes);
        return {{data: {{value: {expression}}}}}
    }}"""
    assert run(source).data == {"value": value}


def test_names_of_its_own() -> None:
    """A codec may declare what is otherwise given."""
    source = "const Buffer = 1; let console = 2; var module = 3; function Decoder() { return {} }"
    assert run(source) == Decoded({})


def test_names_that_are_used_for_it() -> None:
    """A codec may have names of its own for whatever it is called, given Buffer or answers with."""
    source = """
        class JSON {} const Promise = 1; let String, TypeError; function Date() {}
        function Array() {} function parseInt() {} const Uint8Array = 2, Math = 3;
        function Decoder() { return {n: Buffer.from("1f", "hex").readUInt8()} }"""
    assert run(source) == Decoded({"n": 31})


def test_nothing_of_another_uplink_is_seen() -> None:
    """What a codec leaves behind, anywhere, is gone with the next uplink."""
    source = """function decodeUplink() {
        count = typeof count === 'undefined' ? 1 : count + 1;
        Array.prototype.count = (Array.prototype.count || 0) + 1;
        return {data: {count, other: [].count}}
    }"""
    alone, *batch = run(source), *decode_all(Codec("test", source), [Received(b"", 1)] * 3)
    assert [each == Decoded({"count": 1, "other": 1}) for each in (alone, *batch)] == [True] * 4


@pytest.mark.parametrize(
    "body",
    [
        "while (true);",
        "try { while (true); } catch (e) { while (true); }",
        "/(a+)+$/.test('a'.repeat(40) + 'b');",
        "[3, 2, 1].sort(function () { while (true); });",
    ],
)
def test_without_end(body: str) -> None:
    """A codec that does not come to an end is stopped, wherever it is."""
    assert fails(body)[0] is Code.TIMEOUT
    assert fails(f"function decodeUplink() {{ {body} }}") == (Code.TIMEOUT, "not done after 0.2 s")


@pytest.mark.parametrize(
    "body",
    [
        "const a = []; while (true) a.push(new Array(1000));",
        "const a = []; while (true) a.push({});",
        "let a; while (true) a = {a};",
        "const a = []; for (let i = 0; ; i++) a[i] = 's' + i;",
        "const a = []; while (true) a.push(String(a.length) + '.' + a.length);",
        "const a = {}; for (let i = 0; ; i++) a['k' + i] = i;",
        "const a = []; while (true) a.push(Symbol());",
        "const a = []; while (true) a.push(new Uint8Array(1e7).fill(1));",
        "new Array(2 ** 28).fill(7);",
        "'x'.repeat(2 ** 29);",
    ],
)
def test_without_measure(body: str) -> None:
    """A codec that wants more memory than it may have does not get it, wherever it is."""
    assert fails(body) == (Code.MEMORY, "more than 32 MiB")
    assert fails(f"function decodeUplink() {{ {body} }}") == (Code.MEMORY, "more than 32 MiB")


@pytest.mark.parametrize(
    ("source", "code", "words"),
    [
        ("function decodeUplink() { throw new Error('no sensor') }", Code.EXCEPTION, "no sensor"),
        ("function decodeUplink() { return missing.x }", Code.EXCEPTION, "missing is not defined"),
        ("function f() { f() } f()", Code.EXCEPTION, "call stack"),
        ("function decodeUplink( {", Code.EXCEPTION, "SyntaxError"),
        ("function decodeUplink() { return {data: {n: 1n}} }", Code.EXCEPTION, "BigInt"),
        ("function Decoder() { return {} }\0", Code.EXCEPTION, "null character"),
        (
            (
                "const s = JSON.stringify; JSON.stringify = (x) => ' '.repeat(9000) + s(x) + ' ';"
                "function Decoder() { return {} }"
            ),
            Code.EXCEPTION,
            "quickjs tag",
        ),
        ("function Decoder() { throw 'null frame' }", Code.EXCEPTION, "null frame"),
        ("async function decodeUplink() { return {data: {}} }", Code.EXCEPTION, "a Promise"),
        ("async function Decoder() { return {} }", Code.EXCEPTION, "a Promise"),
        ("function decodeUplink() { return {errors: 'bad'} }", Code.ERRORS, "bad"),
        ("function Decoder() { throw {toString() { throw 1 }} }", Code.EXCEPTION, "1"),
        ("throw Symbol('x')", Code.EXCEPTION, ""),
        ("require('fs')", Code.EXCEPTION, "Cannot find module 'fs'"),
        (
            "function decodeUplink() { return {errors: ['bad', {at: 2}]} }",
            Code.ERRORS,
            'bad; {"at":2}',
        ),
        ("function encodeDownlink() {}", Code.NO_DECODER, "decodeUplink"),
        ("function decodeUplink() {}", Code.BAD_RESULT, "object"),
        ("function decodeUplink() { return {data: 5} }", Code.BAD_RESULT, "object"),
        ("function Decoder() { return [1] }", Code.BAD_RESULT, "object"),
        ("function Decoder() { return {t: 'x'.repeat(1e5)} }", Code.BAD_RESULT, "65536 at most"),
        ("function Decoder() { return {t: '€'.repeat(3e4)} }", Code.BAD_RESULT, "65536 at most"),
        ("function Decoder() { return {t: '\\ud800'} }", Code.BAD_RESULT, ""),
        ("JSON.stringify = () => 'x'; function Decoder() { return {} }", Code.BAD_RESULT, ""),
    ],
)
def test_what_cannot_be_decoded(source: str, code: Code, words: str) -> None:
    """Each way to fail has its code, and says what happened."""
    found, message = fails(source)
    assert found is code
    assert words in message


@pytest.mark.parametrize(
    ("thrown", "text"),
    [
        ("null", "null"),
        ("undefined", "undefined"),
        ("7", "7"),
        ("''", ""),
        ("'null'", "null"),
        ("'InternalError: interrupted'", "InternalError: interrupted"),
        ("'InternalError: out of memory'", "InternalError: out of memory"),
        ("{}", "[object Object]"),
        ("{toString() { return 'null' }}", "null"),
    ],
)
@pytest.mark.parametrize(
    "source",
    [
        "throw THROWN",
        "function Decoder() { throw THROWN }",
        "function Decoder() { const a = Array(1e5).fill().map(() => ({})); throw THROWN }",
        "function Decoder(b) { if (b.length) throw THROWN; return {} }",  # kept after an answer
    ],
)
def test_anything_may_be_thrown(source: str, thrown: str, text: str) -> None:
    """A codec that throws what is no error is told by its text, not by a limit."""
    codec = Codec("test", source.replace("THROWN", thrown))
    lengths = (0, 1, 0, 1)
    for found in decode_all(codec, [Received(b"1" * length, 1) for length in lengths])[1::2]:
        assert isinstance(found, CodecError)
        assert (found.code, found.message) == (Code.EXCEPTION, text)


def test_a_batch() -> None:
    """Each uplink of a batch has its answer and its limits; one that fails costs itself alone."""
    source = """function Decoder(bytes, port) {
        while (port === 1);
        if (port === 2) throw new Error('no');
        return {n: 'x'.repeat(port === 3 ? 2 ** 29 : port)}
    }"""
    ports = (4, 5, 1, 6, 2, 7, 3, 8)
    found = decode_all(Codec("test", source), [Received(b"", port) for port in ports])
    assert [each.code if isinstance(each, CodecError) else each.data["n"] for each in found] == [
        *("x" * 4, "x" * 5, Code.TIMEOUT, "x" * 6),
        *(Code.EXCEPTION, "x" * 7, Code.MEMORY, "x" * 8),
    ]


def test_a_long_error_is_cut() -> None:
    """An error's text has a bound."""
    assert len(fails("throw new Error('x'.repeat(1e6))")[1]) == 1000


def test_no_way_out() -> None:
    """A codec finds no file, network, process or timer."""
    source = """function decodeUplink() {
        const names = ['process', 'fetch', 'XMLHttpRequest', 'setTimeout', 'os', 'std',
                       'Deno', 'WebAssembly', 'Worker'];
        return {data: {found: names.filter((name) => name in globalThis)}}
    }"""
    assert run(source).data == {"found": []}


@pytest.mark.parametrize(
    ("data", "readings"),
    [
        ("03670110056700FF", {"temperature_3": 27.2, "temperature_5": 25.5}),
        ("0167FFD7", {"temperature_1": -4.1}),
        ("067104D2FB2E0000", {"accelerometer_6": {"x": 1.234, "y": -1.234, "z": 0}}),
        (
            "018806765FF2960A0003E8",
            {"gps_1": {"latitude": 42.3519, "longitude": -87.9094, "altitude": 10}},
        ),
        (
            "0102FFFF 026864 0373 2763",
            {
                "analog_in_1": -0.01,
                "relative_humidity_2": 50,
                "barometric_pressure_3": 1008.3,
            },
        ),
        ("", {}),
    ],
)
def test_cayenne_lpp(data: str, readings: dict[str, object]) -> None:
    """The built-in codec reads the values of Cayenne's own examples."""
    assert decode(CAYENNE_LPP, Received(bytes.fromhex(data), 1)).data == readings


@pytest.mark.parametrize(
    ("data", "words"), [("0367", "cut off at byte 2"), ("03FF00", "unknown type 255 at byte 1")]
)
def test_cayenne_lpp_that_is_none(data: str, words: str) -> None:
    """Bytes that are not Cayenne LPP are said to be none."""
    with pytest.raises(CodecError, match=words):
        decode(CAYENNE_LPP, Received(bytes.fromhex(data), 1))


def test_literal() -> None:
    """JSON as JavaScript writes it: comments, hexadecimal, trailing commas, names bare."""
    assert literal("[ // one\n {bytes: [0x0A, 1,], 'name': \"x\",},\n]") == [
        {"bytes": [10, 1], "name": "x"}
    ]
    with pytest.raises(CodecError):
        literal("[1, 2")
