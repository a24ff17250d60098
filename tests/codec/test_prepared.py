"""An engine that serves many uplinks gives each the answer of an engine of its own."""

import json

import pytest

from codec.engine import CAYENNE_LPP
from codec.errors import CodecError
from codec.javascript import engine_for, run
from codec.prepared import Engines, Prepared

COUNTING = {
    "a variable of the codec": "let n = 0; function decodeUplink() { return {data: {n: ++n}} }",
    "a table of the codec": ("const t = {n: 0}; var decodeUplink = () => ({data: {n: ++t.n}})"),
    "a name never declared": (
        "function Decoder() { n = typeof n === 'undefined' ? 1 : n + 1; return {n} }"
    ),
    "the global object": (
        "function Decoder() { globalThis.n = (globalThis.n || 0) + 1; return {n: globalThis.n} }"
    ),
    "a symbol of the global object": (
        "function Decoder() { const s = Symbol.for('n'); this[s] = (this[s] || 0) + 1;"
        " return {n: this[s]} }"
    ),
    "this at the top": "this.n = (this.n || 0) + 1; function Decoder() { return {n: this.n} }",
    "a property of the function": (
        "function Decoder() { Decoder.n = (Decoder.n || 0) + 1; return {n: Decoder.n} }"
    ),
    "the module": (
        "module.n = (module.n || 0) + 1; exports.decodeUplink = () => ({data: {n: module.n}})"
    ),
    "the console": "function Decoder() { console.n = (console.n || 0) + 1; return {n: console.n} }",
    "the name of a built-in": (
        "function Decoder() { const n = Date.n || 1; Date = {n: n + 1}; return {n} }"
    ),
    "indirect eval": (
        "function Decoder() { eval?.('var n = typeof n === \"number\" ? n + 1 : 1'); return {n} }"
    ),
    "indirect eval of let": (
        "function Decoder() { (0, eval)('let n = 1; m = () => n++'); return {n: m()} }"
    ),
    "a regular expression": (
        "const x = /a/g; function Decoder() { x.exec('aaaa'); return {n: x.lastIndex} }"
    ),
}


def given(**fields: object) -> str:
    """Return the input of an uplink."""
    everything = {"bytes": [1, 254], "fPort": 7, "recvTime": 0, "variables": {}}
    return json.dumps(everything | fields)


@pytest.mark.parametrize("source", [*COUNTING.values(), CAYENNE_LPP.source], ids=str)
def test_each_answer_is_the_first(source: str) -> None:
    """What a codec keeps between calls, in whatever place, is gone with the next uplink."""
    alone = run(engine_for(source), source, given())
    prepared = Prepared(source)
    assert [prepared.answer(given()) for _ in range(4)] == [alone] * 4


@pytest.mark.parametrize(
    "body",
    [
        "const n = [].n || 1; Array.prototype.n = n + 1; return {n}",
        "const n = Math.n || 1; Math.n = n + 1; return {n}",
        "const n = ({}).n || 1; Object.prototype.n = n + 1; return {n}",
        "const n = eval.n || 1; eval.n = n + 1; return {n}",
        "const p = Reflect.getPrototypeOf(function* () {}), n = p.n || 1; p.n = n + 1; return {n}",
        "const p = Object.getPrototypeOf([].keys()), n = p.n || 1; p.n = n + 1; return {n}",
        "const p = Reflect.getPrototypeOf(async () => 1), n = p.n || 1; p.n = n + 1; return {n}",
        "const p = Reflect.getPrototypeOf(''.matchAll(/a/g)); return {n: (p.n = (p.n || 0) + 1)}",
        "const n = Error.stackTraceLimit; Error.stackTraceLimit = n + 1; return {n}",
        "const n = Error.prepareStackTrace ? 2 : 1; Error.prepareStackTrace = (e) => e; return {n}",
        "const n = Buffer.n || 1; Buffer.n = n + 1; return {n}",
        "const n = Buffer.from([]).n || 1; Buffer.prototype.n = n + 1; return {n}",
        "const c = arguments.callee.caller; return {n: c ? (c.n = (c.n || 0) + 1) : 1}",
        "const n = Object.isExtensible(this); Object.preventExtensions(globalThis); return {n}",
        "const n = this.n || 1; Object.defineProperty(this, 'n', {value: n + 1}); return {n}",
        (
            "const n = Object.getPrototypeOf(globalThis).n || 1;"
            "Object.setPrototypeOf(globalThis, {n: n + 1}); return {n}"
        ),
        "Object = {is: () => true}; const n = Date.n || 1; Date = {n: n + 1}; return {n}",
        "const n = globalThis.n || 1; module = null; console = {n: n + 1}; return {n: console.n}",
        "Object.defineProperty(globalThis, 'module', {value: 1}); return {n: module}",
        "const n = this.n || 1; Promise.resolve().then(() => { this.n = n + 1 }); return {n}",
        "const n = 1; Object.defineProperty(globalThis, 'Date', {get() { return 5 }}); return {n}",
    ],
)
@pytest.mark.parametrize("strict", ["", "'use strict';"])
def test_what_is_shared_is_not_changed(strict: str, body: str) -> None:
    """A codec that changes what scripts share answers to each uplink as in an engine of its own."""
    source = f"{strict} function Decoder() {{ {body} }}"
    engines = Engines()
    answers = []
    for _ in range(4):
        try:
            answers.append(engines.run(source, given(), more=True))
        except CodecError as error:
            answers.append(str(error))
    assert answers == answers[:1] * 4


@pytest.mark.parametrize(
    "body",
    [
        "Math.DEGREE = Math.PI / 180",
        "String.prototype.twice = function () { return this + this }",
        "Object.prototype.toString = () => 'mine'",
        "JSON.parse = JSON.stringify",
        "Object.freeze(Array.prototype)",
        "Object.setPrototypeOf(Map.prototype, Array.prototype)",
        "delete String.prototype.at",
        "Array.prototype.every = () => { while (true); }",
        "#!/usr/bin/node\n",
    ],
)
def test_a_codec_that_changes_the_language_has_new_engines(body: str) -> None:
    """What it does to the language, and may rely on, is not undone while it runs."""
    source = f"{body}\n; function Decoder() {{ return {{}} }}"
    engines = Engines()
    engines.run(source, given(), more=True)
    assert engines._prepared == {source: None}


@pytest.mark.parametrize(
    "body",
    [
        "const e = new Error(); e.message = 'm'; e.name = 'N'; return {e: String(e)}",
        (
            "class E extends Error { constructor() { super('m'); this.name = 'N' } }"
            " return {e: String(new E())}"
        ),
        "const o = {toString: 1}; o.constructor = 5; o.valueOf = 6; return {o: Object.keys(o)}",
        "const o = {}; o.toString = () => 'mine'; return {o: `${o}`}",
        "function F() {} F.prototype.valueOf = () => 5; return {n: new F() + 1}",
        "const f = () => 1; f.call = 7; return {n: f.call}",
        "const o = JSON.parse('{\"__proto__\": 1}'); return {keys: Object.keys(o)}",
        "const o = {}; o.__proto__ = {n: 5}; return {n: o.n}",
        "const e = new TypeError('x'); e.stack = 's'; return {s: e.stack}",
        "const a = []; a.name = 'a'; a.map = 4; return {n: a.name, m: a.map}",
        "temperature = 5; humidity = 6; return {temperature, humidity}",
        "return {a: typeof module, b: typeof exports, c: typeof console.log, d: typeof Buffer}",
        "return {t: this === globalThis, u: typeof decodeUplink, k: typeof globalThis.console}",
    ],
)
def test_ordinary_scripts_do_not_notice(body: str) -> None:
    """A codec does in a prepared engine what it does in one of its own."""
    source = f"function Decoder() {{ {body} }} // Buffer"
    alone = run(engine_for(source), source, given())
    assert '"answer"' in alone
    engines = Engines()
    assert [engines.run(source, given(), more=True) for _ in range(3)] == [alone] * 3


def test_a_failure_is_that_of_a_new_engine() -> None:
    """An uplink at which a codec throws costs no other, and no engine."""
    source = "function Decoder(bytes, port) { if (port === 1) throw new Error('x'); return {port} }"
    engines = Engines()
    answers = [engines.run(source, given(fPort=port), more=True) for port in (1, 2, 3, 1, 4)]
    assert [json.loads(each) for each in answers] == [
        {"threw": "Error: x"},
        {"answer": {"data": {"port": 2}}},
        {"answer": {"data": {"port": 3}}},
        {"threw": "Error: x"},
        {"answer": {"data": {"port": 4}}},
    ]
    assert engines._prepared[source] is not None


def test_garbage_does_not_add_up() -> None:
    """Cycles that uplinks leave behind are collected before they reach the limit."""
    source = """function Decoder() {
        const a = new Array(10000).fill(1); a.push(a);
        return {n: a.length};
    }"""
    prepared = Prepared(source)
    assert {prepared.answer(given()) for _ in range(1000)} == {'{"answer":{"data":{"n":10001}}}'}


def test_the_engines_kept_have_a_bound() -> None:
    """Of many codecs those used first give up their engines."""
    engines = Engines()
    for number in range(20):
        source = f"function Decoder() {{ return {{n: {number}}} }}"
        engines.run(source, given(), more=True)
    assert len(engines._prepared) == 16
    assert source in engines._prepared


def test_an_uplink_alone_prepares_nothing() -> None:
    """It would take longer than to decode it."""
    engines = Engines()
    engines.run(CAYENNE_LPP.source, given(), more=False)
    assert engines._prepared == {}
