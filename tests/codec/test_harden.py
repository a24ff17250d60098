"""What scripts share is frozen in a kept engine, and what would tell of it is out of reach."""

import json

from codec.sandbox import new_engine, script

REACH = """
const { getOwnPropertyDescriptor, getPrototypeOf, isFrozen } = Object, { ownKeys } = Reflect;
const everything = globalThis;
const kinds = [
  class {}, () => {}, function* () {}, async () => {}, async function* () {},
  [], {}, /x/, new Error(), new Date(), new Map(), new Set(), 1n, "", 1, true, Symbol("x"),
  [].keys(), new Map().keys(), new Set().keys(), ""[Symbol.iterator](),
  "".matchAll(/x/g), [].keys().map((x) => x), Iterator.from({ next() {} }), Iterator.concat(),
  Promise.resolve(), new Uint8Array(), Buffer.from([]), new Proxy({}, {}), new WeakRef({}),
  (function () { return arguments; })(), new DisposableStack(), new AsyncDisposableStack(),
  new DOMException(), new FinalizationRegistry(() => {}), new DataView(new ArrayBuffer(1)),
];
const refused = [
  eval, Function, ...kinds.slice(1, 5).map((each) => each.constructor),
  Promise, Promise.resolve, Reflect.set, Array.fromAsync, Object.isFrozen, WeakRef, DOMException,
];
function reach() {
  const objects = new Map();
  const waiting = [
    ["global", everything],
    ...kinds.map((each) => [String(Object.prototype.toString.call(each)), getPrototypeOf(each)]),
  ];
  while (waiting.length) {
    const [path, found] = waiting.pop();
    if (Object(found) !== found || objects.has(found)) continue;
    objects.set(found, path);
    waiting.push([path + ".[[Prototype]]", getPrototypeOf(found)]);
    for (const key of ownKeys(found)) {
      const { value, get, set } = getOwnPropertyDescriptor(found, key);
      const name = path + "." + String(key);
      waiting.push([name, value], ["get " + name, get], ["set " + name, set]);
    }
  }
  return [...objects];
}
"""
"""Finds what scripts share, from the global object and from values of every kind."""


def reached(look: str) -> list[str]:
    """Return the places of shared objects, in a hardened engine, at which ``look`` is true."""
    engine = new_engine("Buffer")
    engine.eval(REACH)
    engine.eval(script("harden.js"))
    found = engine.eval(f"""JSON.stringify(
        reach().filter(([found]) => ({look})(found)).map(([, path]) => path))""")
    return [str(path) for path in json.loads(found)]


def test_all_that_scripts_share_is_frozen() -> None:
    """Nothing that a codec can reach, and did not make, can be changed."""
    assert len(reached("() => true")) > 700
    assert reached("(found) => !isFrozen(found)") == []


def test_nothing_that_scripts_share_takes_values() -> None:
    """Of setters, which freezing leaves as they are, only those are there that keep nothing."""
    setters = {path for path in reached("() => true") if path.startswith("set ")}
    assert {path.split("].")[-1] for path in setters} == {
        "__proto__",  # these change what they are called on
        "stack",
        "constructor",
        "Symbol(Symbol.toStringTag)",
        "arguments",  # throws, as the same one for caller does
    }


def test_what_is_refused_is_out_of_reach() -> None:
    """No way leads to a function that would tell which engine it is in, or keep an exception."""
    assert reached("(found) => refused.includes(found)") == []
