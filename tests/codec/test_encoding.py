"""A codec makes the bytes of a downlink, or tells in one error why it does not."""

import pytest

from codec.encoding import Command, Encoded, encode
from codec.engine import Codec, Decoded, Received, decode
from codec.errors import Code, CodecError
from codec.source import as_script
from codec.storable import Json

BYTES = "{bytes: [data.interval >> 8, data.interval & 255]}"
DATA: dict[str, Json] = {"interval": 600}


def run(source: str, port: int | None = None, variables: dict[str, str] | None = None) -> Encoded:
    """Encode an object, twice: in a new engine and in one that may be kept."""
    codec, command = Codec("test", as_script(source)), Command(DATA, port, variables or {})
    first = encode(codec, command)
    assert encode(codec, command) == first
    return first


def answering(answer: str, port: int | None = None) -> Encoded:
    """Encode with a codec that answers with an expression."""
    return run(f"function encodeDownlink(input) {{ return {answer} }}", port)


def fails(source: str, port: int | None = None) -> tuple[Code, str]:
    """Return code and message of what a codec does not encode."""
    with pytest.raises(CodecError) as caught:
        run(source, port)
    return caught.value.code, caught.value.message


def refused(answer: str) -> str:
    """Return the message that tells what of an answer cannot be sent."""
    code, message = fails(f"function encodeDownlink(input) {{ return {answer} }}")
    assert code is Code.BAD_RESULT
    return message


@pytest.mark.parametrize(
    "source",
    [
        f"function encodeDownlink({{data}}) {{ return {BYTES} }}",
        f"const encodeDownlink = ({{data}}) => ({BYTES});",
        f"exports.encodeDownlink = ({{data}}) => ({BYTES});",
        f"module.exports = {{encodeDownlink: ({{data}}) => ({BYTES})}};",
        f"export function encodeDownlink({{data}}) {{ return {BYTES} }}",
        f"var driver = {{encodeDownlink: ({{data}}) => ({BYTES})}};",
        f"exports.driver = {{of: 1, encodeDownlink({{data}}) {{ return this.of && {BYTES} }} }};",
        "function Encode(fPort, obj, variables) { return [obj.interval >> 8, obj.interval & 255] }",
        "function Encoder(object, port) { return [object.interval >> 8, object.interval & 255] }",
        (
            "function Encoder() { return [9] } function Encode() { return [8] }"
            f"function encodeDownlink({{data}}) {{ return {BYTES} }}"
        ),
    ],
)
def test_every_form_is_called(source: str) -> None:
    """The forms of the Payload Codec API and the older ones of both servers get the data."""
    assert run(source, 10) == Encoded(10, b"\x02\x58")


def test_what_a_codec_is_given() -> None:
    """It is the object, the variables, and the FPort if there is one, as in both servers."""
    source = """function encodeDownlink(input) {
        return {bytes: Array.from(Object.keys(input).sort().join() + JSON.stringify(input.data) +
                                  input.variables.v + input.fPort, (c) => c.charCodeAt(0))};
    }"""
    assert run(source, variables={"v": "3"}).data == b'data,variables{"interval":600}3undefined'
    assert run(source, 8, {"v": "3"}).data == b'data,fPort,variables{"interval":600}38'


def test_what_older_codecs_are_given() -> None:
    """FPort, object and variables in ChirpStack 3; object and port in The Things Stack 2."""
    three = "function Encode(fPort, obj, variables) { return [fPort, obj.interval, +variables.v] }"
    two = "function Encoder() { return [arguments.length, arguments[1]] }"
    assert run(three.replace("interval", "interval / 60"), 7, {"v": "3"}).data == b"\x07\x0a\x03"
    assert run(two, 7).data == b"\x02\x07"


@pytest.mark.parametrize(
    ("answer", "asked", "port"),
    [
        ("{bytes: [], fPort: 20}", 10, 20),
        ("{bytes: [], fPort: 223}", None, 223),
        ("{bytes: []}", 10, 10),
        ("{bytes: [], fPort: null}", 10, 10),
        ("{bytes: [], fPort: undefined}", None, 1),
        ("{bytes: [], fPort: input.fPort}", None, 1),
    ],
)
def test_the_port(answer: str, asked: int | None, port: int) -> None:
    """It is the codec's, or else the one asked for, or else 1, as in The Things Stack."""
    assert answering(answer, asked).port == port


@pytest.mark.parametrize("port", ["0", "224", "-1", "1.5", "300", "'10'", "true", "[1]", "1e99"])
def test_a_port_that_is_none(port: str) -> None:
    """Servers make another of it, each in its own way; here it is refused."""
    assert refused(f"{{bytes: [1], fPort: {port}}}").startswith("its fPort is not 1 to 223: ")


@pytest.mark.parametrize(
    ("written", "data"),
    [
        ("[]", b""),
        ("[0, 255]", b"\0\xff"),
        ("[600 / 256, 255.9, -0.5, -0]", b"\x02\xff\0\0"),
        ("new Uint8Array([1, 2])", b"\1\2"),
        ("Buffer.from('0102', 'hex')", b"\1\2"),
        ("new Array(242).fill(7)", b"\7" * 242),
        ("new Proxy([1, 2], {})", b"\1\2"),
        ("[1, {toJSON: () => 2}]", b"\1\2"),
    ],
)
def test_bytes_that_can_be_sent(written: str, data: bytes) -> None:
    """They are numbers from 0 to 255, of which fractions are cut off, as by both servers."""
    assert answering(f"{{bytes: {written}}}", 1).data == data


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("[1, 256]", "bytes[1] is no number from 0 to 255: 256"),
        ("[-1]", "bytes[0] is no number from 0 to 255: -1"),
        ("[NaN]", "bytes[0] is no number from 0 to 255: null"),
        ("[1e400]", "bytes[0] is no number from 0 to 255: null"),
        ("[undefined]", "bytes[0] is no number from 0 to 255: null"),
        ("['12']", 'bytes[0] is no number from 0 to 255: "12"'),
        ("[true]", "bytes[0] is no number from 0 to 255: true"),
        ("[[1]]", "bytes[0] is no number from 0 to 255: [1]"),
        ("[{valueOf: () => 1}]", "bytes[0] is no number from 0 to 255: {}"),
        ("[10 ** 30]", "bytes[0] is no number from 0 to 255: 1e30"),
        ("new Array(243).fill(7)", "243 bytes, of 242 at most"),
        ("new Uint8Array(243)", "243 bytes, of 242 at most"),
        ("new Array(1e5).fill(7)", "of 65536 at most"),
        ("undefined", "its bytes are no list"),
        ("null", "its bytes are no list"),
        ("'0102'", "its bytes are no list"),
        ("{0: 1, length: 1}", "its bytes are no list"),
        ("{get 0() { return 1 }, get length() { return 1 }}", "its bytes are no list"),
        ("new Proxy({}, {get: () => 1})", ""),
    ],
)
def test_bytes_that_cannot_be_sent(written: str, words: str) -> None:
    """What one server sends as one byte and the other as another or not at all is refused."""
    assert words in refused(f"{{bytes: {written}}}")


@pytest.mark.parametrize("source", ["function encodeDownlink() { return [1, 2] }", "X"])
def test_an_answer_that_is_no_object(source: str) -> None:
    """A list of bytes alone is refused, as by both servers; no answer is no list of bytes."""
    source = source.replace("X", "function Encoder() {}")
    assert fails(source)[0] is Code.BAD_RESULT


def test_warnings_are_kept() -> None:
    """They come with the bytes."""
    assert answering("{bytes: [1], warnings: ['rounded', 3], errors: []}", 5) == Encoded(
        5, b"\1", ("rounded", "3")
    )


@pytest.mark.parametrize(
    ("source", "code", "words"),
    [
        (
            "function encodeDownlink() { return {bytes: [1], errors: ['no', {at: 2}]} }",
            Code.ERRORS,
            'no; {"at":2}',
        ),
        ("function encodeDownlink() { throw new Error('no led') }", Code.EXCEPTION, "no led"),
        ("function Encode() { throw 'blue' }", Code.EXCEPTION, "blue"),
        ("function Encoder() { throw {toString() { throw 1 }} }", Code.EXCEPTION, "1"),
        ("function encodeDownlink() { throw undefined }", Code.EXCEPTION, "undefined"),
        ("function encodeDownlink( {", Code.EXCEPTION, "SyntaxError"),
        ("async function encodeDownlink() { return {bytes: []} }", Code.EXCEPTION, "a Promise"),
        ("async function Encoder() { return [] }", Code.EXCEPTION, "a Promise"),
        ("function encodeDownlink() { return {bytes: [1n]} }", Code.EXCEPTION, "BigInt"),
        (
            "function encodeDownlink() { return {get bytes() { throw new Error('got') }} }",
            Code.EXCEPTION,
            "got",
        ),
        ("function decodeUplink() {}", Code.NO_ENCODER, "no encodeDownlink, Encode or Encoder"),
        ("module.exports = () => ({bytes: [1]})", Code.NO_ENCODER, ""),
        ("function encodeDownlink() { while (true); }", Code.TIMEOUT, "not done after 0.2 s"),
        ("function encodeDownlink() { new Array(1e9).join('x') }", Code.TIMEOUT, "not done"),
        (
            "function encodeDownlink() { return {get bytes() { while (true); }} }",
            Code.TIMEOUT,
            "not done",
        ),
        (
            "function encodeDownlink() { return {bytes: new Proxy([], {get: () => 1e9})} }",
            Code.TIMEOUT,
            "not done",
        ),
        (
            "function encodeDownlink() { return {bytes: new Array(1e9).fill(1)} }",
            Code.MEMORY,
            "more than 32 MiB",
        ),
        ("function encodeDownlink() { return {bytes: new Array(1e9)} }", Code.MEMORY, ""),
        ("function encodeDownlink() { 'x'.repeat(2 ** 29) }", Code.MEMORY, "more than 32 MiB"),
    ],
)
def test_what_cannot_be_encoded(source: str, code: Code, words: str) -> None:
    """Each way to fail has its code, and says what happened; none costs more than its limits."""
    found, message = fails(source)
    assert found is code
    assert words in message


def test_nothing_of_another_downlink_is_seen() -> None:
    """What a codec leaves behind is gone with the next, be it an uplink."""
    source = """let n = 0;
        function encodeDownlink() { return {bytes: [++n]} }
        function decodeUplink() { return {data: {n: ++n}} }
        function decodeDownlink() { return {data: {n: ++n}} }"""
    codec = Codec("test", source)
    for _ in range(3):
        assert encode(codec, Command(DATA)).data == b"\1"
        for downlink in (False, True):
            assert decode(codec, Received(b"", 1, downlink=downlink)) == Decoded({"n": 1})


def test_a_downlink_is_read_back() -> None:
    """`decodeDownlink` gets the bytes and the port; no older function is taken for it."""
    source = "decodeDownlink = ({bytes, fPort}) => ({data: {led: bytes[0], port: fPort}})"
    received = Received(b"\2", 9, downlink=True)
    assert decode(Codec("test", source), received) == Decoded({"led": 2, "port": 9})
    with pytest.raises(CodecError, match="no_decoder: no decodeDownlink in it"):
        decode(Codec("test", "function Decoder() { return {} }"), received)
