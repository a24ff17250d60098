"""A kept engine gives each message the answer of a new one, and is left as it was."""

import json
from collections.abc import Iterator

import pytest

import codec.kept_engine
from codec.answers import Function, question
from codec.engine import CAYENNE_LPP
from codec.errors import CodecError
from codec.kept_engine import runner
from codec.sandbox import run


def given(port: int = 7) -> str:
    """Return the question of an uplink."""
    received = {"bytes": [1, 254], "fPort": port, "recvTime": 0, "variables": {}}
    return question(Function.DECODE_UPLINK, received)


@pytest.fixture
def new_engines(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows with each message that is run in a new engine."""
    ran: list[str] = []

    def run_and_note(source: str, argument: str) -> str:
        ran.append(argument)
        return run(source, argument)

    monkeypatch.setattr(codec.kept_engine, "run", run_and_note)
    runner.cache_clear()
    return ran


def answers(source: str, ports: Iterator[int] | tuple[int, ...] = (7, 7, 7, 7)) -> list[str]:
    """Return what comes of messages, one after the other."""
    found = []
    for port in ports:
        try:
            found.append(runner(source).run(given(port)))
        except CodecError as error:
            found.append(str(error))
    return found


def alone(source: str) -> str:
    """Return what comes of a message in a new engine."""
    try:
        return run(source, given())
    except CodecError as error:
        return str(error)


KEPT = {
    "a variable at the top": "let n = 0; function decodeUplink() { return {data: {n: ++n}} }",
    "a table at the top": "const t = {n: 0}; var decodeUplink = () => ({data: {n: ++t.n}})",
    "a property of a function": (
        "function Decoder() { Decoder.n = (Decoder.n || 0) + 1; return {n: Decoder.n} }"
    ),
    "the module": (
        "module.n = (module.n || 0) + 1; exports.decodeUplink = () => ({data: {n: module.n}})"
    ),
    "other exports": "module.exports = {decodeUplink: () => ({data: {n: typeof exports}})}",
    "a module of its own": "var module = 3; function Decoder() { return {n: module} }",
    "a regular expression": (
        "const x = /a/g; function Decoder() { x.exec('aaaa'); return {n: x.lastIndex} }"
    ),
    "names of its own": "const Buffer = 1; let console = 2; function Decoder() { return {Buffer} }",
    "names that this program uses": (
        "class JSON {} const Promise = 1; let String; function Date() {} function Array() {}"
        " function Decoder() { return {n: Buffer.from('1f', 'hex')} }"
    ),
    "a class": (
        "class E extends Array { static n = 0; #x = ++E.n; get x() { return this.#x } }"
        " function Decoder() { return {n: new E().x} }"
    ),
    "a tagged template": (
        "const seen = new WeakMap(), tag = (t) => seen.set(t, (seen.get(t) || 0) + 1).get(t);"
        " function Decoder() { return {n: tag`x`} }"
    ),
    "a task left behind": (
        "let n = 0; function Decoder() { queueMicrotask(() => n++); return {n} }"
    ),
    "a member of this": (
        "var o = {n: 1, get() { return this.n }}; function Decoder() { return {n: o.get()} }"
    ),
    "what could be asked": (
        "function Decoder(b) { return {n: typeof Object.isFrozen + typeof Promise.all,"
        " m: b instanceof Function || b instanceof Promise} }"
    ),
    "Buffer": "function Decoder(b) { return {n: Buffer.from(b).readUInt16BE(0)} }",
    "a comment at the end": "function Decoder() { return {} } // end",
    "Cayenne LPP": CAYENNE_LPP.source.replace("input.bytes;", "[1, 103, 0, 255];"),
}
"""Codecs whose engine is kept."""


@pytest.mark.parametrize("source", KEPT.values(), ids=KEPT)
def test_an_engine_is_kept(source: str, new_engines: list[str]) -> None:
    """From the second message on it answers as a new one does, whatever the codec keeps itself."""
    assert answers(source) == [alone(source)] * 4
    assert len(new_engines) == 1


DENIED = {
    "a name never declared": (
        "function Decoder() { n = typeof n === 'undefined' ? 1 : n + 1; return {n} }"
    ),
    "a built-in object": "const n = [].n || 1; Array.prototype.n = n + 1; return {n}",
    "a namespace": "const n = Math.n || 1; Math.n = n + 1; return {n}",
    "all objects": "const n = ({}).n || 1; Object.prototype.n = n + 1; return {n}",
    "the name of a built-in": "const n = Date.n || 1; Date = {n: n + 1}; return {n}",
    "a private name": (
        "class To { constructor(o) { return o } }"
        " class Mark extends To { #n = 1; static has(o) { return #n in o } }"
        " const n = Mark.has(Math); new Mark(Math); return {n}"
    ),
    "the console": "console.n = (console.n || 0) + 1; return {n: console.n}",
    "Buffer": "const n = Buffer.n || 1; Buffer.n = n + 1; return {n}",
    "Buffer's objects": "const n = Buffer.from([]).n || 1; Buffer.prototype.n = n + 1; return {n}",
    "iterators": (
        "const p = Object.getPrototypeOf([].keys()), n = p.n || 1; p.n = n + 1; return {n}"
    ),
    "generators": (
        "const p = Object.getPrototypeOf(function* () {}), n = p.n || 1; p.n = n + 1; return {n}"
    ),
    "stack traces": ("const n = Error.stackTraceLimit; Error.stackTraceLimit = n + 1; return {n}"),
    "their making": (
        "const n = Error.prepareStackTrace ? 2 : 1; Error.prepareStackTrace = (e) => e; return {n}"
    ),
    "a symbol of the global object": (
        "const s = Symbol.for('n'); globalThis[s] = (globalThis[s] || 0) + 1;"
        " return {n: globalThis[s]}"
    ),
    "this": "this.n = (this.n || 0) + 1; return {n: this.n}",
    "indirect eval": "(0, eval)('var n = typeof n === \"number\" ? n + 1 : 1'); return {n}",
    "indirect eval of let": "(0, eval)('let n = 1; m = () => n++'); return {n: m()}",
    "functions from text": "const n = Function('return this.n = (this.n || 0) + 1')(); return {n}",
    "the caller": "const c = arguments.callee.caller; return {n: c ? (c.n = (c.n || 0) + 1) : 1}",
    "a prototype": (
        "const n = Object.getPrototypeOf(globalThis).n || 1;"
        " Object.setPrototypeOf(globalThis, {n: n + 1}); return {n}"
    ),
    "the global object's end": (
        "const n = Object.isExtensible(this); Object.preventExtensions(globalThis); return {n}"
    ),
    "an error's name": "const e = new Error('m'); e.name = 'N'; return {e: String(e)}",
    "members that all objects have": "const o = {}; o.toString = () => 'mine'; return {o: `${o}`}",
    "what is caught": "try { x = 1 } catch (e) { return {n: 'caught'} } return {n: x}",
    "properties at the top": "return {n: this === globalThis, t: typeof globalThis.Decoder}",
    "a function in a block": (
        "function f() { return 1 } if (true) { function f() { return 2 } } return {n: f()}"
    ),
    "parameters": "return (function (a) { a = 2; return {n: arguments[0]} })(1)",
    "a name assigned for ever": "(function f() { f = 1 })(); return {n: 1}",
    "a scope": "with ({n: 1}) { return {n} }",
    "an octal number": "return {n: 010}",
    "what is frozen, asked": "return {n: Object.isFrozen(Math)}",
    "the same by another name": "return {n: Object['is' + 'Frozen'](Math)}",
    "what can be written": "return {n: Reflect.set(Math, 'n', 1)}",
    "a function's place": "return {n: Decoder.columnNumber}",
    "an error's place": "return {n: new Error()['st' + 'ack']}",
    "functions from text without their name": (
        "return {n: (() => 0).constructor('return typeof Decoder')()}"
    ),
    "functions from text of their kind's kind": (
        "return {n: Object.getPrototypeOf(function* () {}.constructor)('return typeof Decoder')()}"
    ),
    "what a promise keeps": "new Promise(() => { n = 1 }); return {n: typeof n}",
    "what an asynchronous function keeps": "(async () => { n = 1 })(); return {n: typeof n}",
    "what an import keeps": "import({toString() { n = 1 }}); return {n: typeof n}",
    "what arrays of promises keep": (
        "Array.fromAsync({get length() { n = 1 }}); return {n: typeof n}"
    ),
    "what a primitive becomes": (
        "return {n: (function () { this.__proto__ = {n: 1}; return this.n }).call(5)}"
    ),
    "built-in functions bound to this": "return {n: Object.prototype.toString.bind(this)()}",
    "methods called bind": "const o = {bind: (x) => typeof x}; return {n: o.bind(this)}",
    "a primitive that is handed on": (
        "const by = {[Symbol.split]: (o) => typeof o};"
        " return {n: (function () { return this.split(by) }).call('')}"
    ),
    "a setter that was": (
        "return {n: typeof Object.prototype.__lookupSetter__.call(Error, 'stackTraceLimit')}"
    ),
    "what Buffer keeps": (
        "let k = 0; const o = {valueOf() { if (++k > 1) n = 1; return 65 }};"
        " return {t: Buffer.prototype.toString.call({length: 1, subarray: () => [o]}), n: typeof n}"
    ),
    "comments as in HTML": (
        "var a = 1, b = 1; a <!--b + `\n;return {n: (function () { return typeof this })()} //`"
    ),
    "a method of all objects": ("const {m} = {m() { return super.toString() }}; return {n: m()}"),
    "a name written with an escape": "return {n: typeof gl\\u006fbalThis.Decoder}",
    "a given name in a loop": (
        "for (var console in {}); function Decoder() { return {n: typeof console} }"
    ),
    "a given name in a pattern": (
        "var n = typeof Buffer; var {Buffer} = {}; function Decoder() { return {n} }"
    ),
    "when memory is collected": "return {n: new WeakRef({}).deref()}",
    "no answer": "return undefined.x",
    "an error of its own": "throw new Error('x')",
    "too long": "return {t: 'x'.repeat(1e5)}",
}
"""Bodies of codecs each of whose messages needs a new engine."""


@pytest.mark.parametrize("body", DENIED.values(), ids=DENIED)
def test_a_new_engine_is_made(body: str, new_engines: list[str]) -> None:
    """What a kept engine would answer otherwise, or not at all, is the answer of a new one."""
    source = f"function Decoder() {{ {body} }}" if "Decoder()" not in body else body
    assert answers(source) == [alone(source)] * 4
    assert len(new_engines) == 4


@pytest.mark.parametrize(
    "source",
    ["return; function Decoder() { return {} }", "}); (function () { function Decoder() {}"],
)
def test_only_a_script_runs_as_a_function(source: str, new_engines: list[str]) -> None:
    """What is no script is none to a kept engine, either."""
    assert answers(source) == [alone(source)] * 4
    assert "SyntaxError" in alone(source)
    assert len(new_engines) == 4


def test_a_failure_costs_no_engine(new_engines: list[str]) -> None:
    """A message at which a codec throws is run anew, and those after it are not."""
    source = "function Decoder(b, port) { if (port === 1) throw new Error('x'); return {port} }"
    found = [json.loads(each) for each in answers(source, (1, 2, 3, 1, 4))]
    good = [{"answer": {"data": {"port": port}}} for port in (2, 3, 4)]
    bad = {"threw": "Error: x"}
    assert found == [bad, good[0], good[1], bad, good[2]]
    assert new_engines == [given(1), given(2), given(1)]


def test_a_message_without_end_costs_no_engine(new_engines: list[str]) -> None:
    """A message that takes too long is stopped, once, and those after it are not run anew."""
    source = "function Decoder(b, port) { while (port === 1); return {port} }"
    assert answers(source, (2, 1, 3))[1] == "timeout: not done after 0.2 s"
    assert new_engines == [given(2)]


def test_what_strict_mode_refuses_once_is_not_tried_again(new_engines: list[str]) -> None:
    """A codec for which the kept engine was of no use is run in new ones from then on."""
    source = "let n = 0; function Decoder(b, port) { if (port === 1) lost = 1; return {n: ++n} }"
    assert answers(source, (2, 3, 1, 4, 5)) == ['{"answer":{"data":{"n":1}}}'] * 5
    assert new_engines == [given(2), given(1), given(4), given(5)]


def test_a_very_long_codec_is_not_looked_at(new_engines: list[str]) -> None:
    """To look at the syntax of any length would hold up the uplinks of others."""
    source = "function Decoder() { return {} }" + " " * 131_072
    assert answers(source) == ['{"answer":{"data":{}}}'] * 4
    assert len(new_engines) == 4


def test_what_messages_leave_in_an_engine_does_not_add_up(new_engines: list[str]) -> None:
    """An engine that fills with what nobody can reach is replaced before it is full."""
    source = """function Decoder() {
        const held = new Array(200000).fill(1);
        queueMicrotask(() => held);
        return {n: held.length};
    }"""
    for _ in range(50):
        assert answers(source) == ['{"answer":{"data":{"n":200000}}}'] * 4
        runner(source).tidy()
    assert len(new_engines) == 1


def test_the_engines_kept_have_a_bound() -> None:
    """Of very many codecs, those used first give up their engines."""
    for number in range(100):
        runner(f"function Decoder() {{ return {{n: {number}}} }}")
    assert runner.cache_info().currsize == 32


def test_downlinks_are_encoded_in_kept_engines(new_engines: list[str]) -> None:
    """The engine that is kept for a codec serves all of its functions."""
    source = """let n = 0;
        function encodeDownlink(input) { return {bytes: [++n, input.data.n]} }
        function decodeUplink() { return {data: {n: ++n}} }"""
    asked = question(Function.ENCODE_DOWNLINK, {"data": {"n": 3}, "variables": {}})
    found = [runner(source).run(asked) for _ in range(3)]
    assert found == ['{"answer":{"bytes":[1,3]}}'] * 3
    assert runner(source).run(given()) == '{"answer":{"data":{"n":1}}}'
    assert len(new_engines) == 1
