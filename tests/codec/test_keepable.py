"""Codecs that might mean something else in strict mode, without throwing, are found."""

import pytest

from codec.engine import CAYENNE_LPP
from codec.keepable import says_the_same


@pytest.mark.parametrize(
    "source",
    [
        "try { x() } catch (error) { }",
        "for (const a of b) try { x() } finally { y() }",
        "x = this",
        "f(this)",
        "function f() { return g.bind(this) }",
        "this['__proto__'] = f",
        "this.__proto__ = f",
        "this.split(f)",
        "a = b <!--c + `\n`",
        "a\n--> `\n`",
        "while (a --> 0) b()",
        "Object.prototype.toString.call(this)",
        "`${this}`",
        "this?.x",
        "this === undefined",
        "a[this]",
        "(function () { return this })()",
        "function f(a) { a = 1; return arguments[0] }",
        "function f() { return \\u0061rguments }",
        "async function f() { }",
        "const f = async () => 1",
        "({ async m() {} })",
        "x = await /this/g",
        "import(x)",
        "({ m() { return super.m() } })",
        "({ m() { return super['m'] } })",
        "if (a) { function f() {} }",
        "switch (a) { case 1: function f() {} }",
        "{ function* f() {} }",
        "label: function f() {}",
        "var console = console || {log: f}",
        "var a, NaN",
        "var { a: [console = 1] } = b",
        "for (var Math in a);",
        "for (var [Math] of a);",
        "a }); b(function () {",
        "function f( {",
    ],
)
def test_what_may_differ(source: str) -> None:
    """Where strict mode goes on and does something else, nothing is promised."""
    assert not says_the_same(source)


@pytest.mark.parametrize(
    "source",
    [
        CAYENNE_LPP.source,
        "function f() { function g() {} } var h = function () { function i() {} }",
        "const f = () => { function g() {} }; class C { m() { function g() {} } }",
        "({ decode: function (x) { return this.scale * this.convert(x) } })",
        "class A extends B { constructor() { super(1) } }",
        "new Function('return eval')(Promise, globalThis, Object.isFrozen)",  # refused when used
        "for (const [a, b] of c) for (var d in e);",
        "var module = module || {}; let console = 1; function parseInt() {}",
        "// this: try { eval('with') } catch\nvar text = 'arguments /* globalThis'; /Function/",
        "counter = 1; Math.x = 2; delete Math.PI",  # strict mode throws at these
        "x /= 2; y = a / b / c; z = (d) / 2; e = /'/.test(f) ? '\"' : 1",
        "",
    ],
)
def test_what_does_not_differ(source: str) -> None:
    """What strict mode has the same way, or throws at, is promised."""
    assert says_the_same(source)
