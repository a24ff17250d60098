// Freezes all that is there before a codec, so that nothing of one message can be left in it for
// the next: whatever the global object leads to, and what only the language's own forms lead to.
// Refused, with an exception, is what would tell a codec which engine it is in, or would hide from
// this program that something threw: the message then gets a new engine.
(function () {
  "use strict";

  const { defineProperty, freeze, getOwnPropertyDescriptor, getPrototypeOf, setPrototypeOf } =
    Object;
  const { ownKeys } = Reflect;
  const isObject = (found) => Object(found) === found;
  const methods = (of) => ownKeys(of).map((key) => of[key]).filter((it) => it instanceof Function);
  const getter = (of, key) => getOwnPropertyDescriptor(of, key).get;
  const forms = [function () {}, function* () {}, async function () {}, async function* () {}];

  const refuse = () => {
    throw new TypeError("only in a new engine");
  };
  const refused = [
    // They tell what is frozen, or no setter any more,
    Object.getOwnPropertyDescriptor,
    Object.getOwnPropertyDescriptors,
    Object.isExtensible,
    Object.isFrozen,
    Object.isSealed,
    Object.prototype.__lookupGetter__,
    Object.prototype.__lookupSetter__,
    ...methods(Reflect),
    // where a function stands,
    getter(Function.prototype, "fileName"),
    getter(Function.prototype, "lineNumber"),
    getter(Function.prototype, "columnNumber"),
    getter(Error.prototype, "stack"),
    Error.captureStackTrace,
    DOMException, // has a stack of its own
    // or when memory is collected.
    WeakRef,
    // It tells how often it was called.
    Math.random,
    // They run code that is not in strict mode and does not see the codec's names,
    eval,
    ...forms.map((form) => form.constructor),
    // or keep exceptions for later.
    Promise,
    ...methods(Promise),
    Array.fromAsync,
    AsyncDisposableStack,
  ];
  const substitutes = new Map(
    refused.map((each) => [each, new Proxy(each, { apply: refuse, construct: refuse })]),
  );
  const substitute = (found) => substitutes.get(found) ?? found;

  for (const name of ["stackTraceLimit", "prepareStackTrace"]) {
    defineProperty(Error, name, { value: Error[name], writable: false }); // were setters
  }
  const all = globalThis;
  const waiting = [
    all,
    ...forms,
    [][Symbol.iterator](),
    ""[Symbol.iterator](),
    new Map()[Symbol.iterator](),
    new Set()[Symbol.iterator](),
    "".matchAll(/./g),
    [].values().map(() => {}),
    Iterator.from({ next() {} }),
    Iterator.concat(),
  ];
  // The first lacks the codec's own names; the second tells the engine's age.
  for (const name of ["globalThis", "performance"]) {
    defineProperty(all, name, { get: refuse, set: undefined });
  }
  const reached = new Set();
  while (waiting.length) {
    const found = waiting.pop();
    if (!isObject(found) || reached.has(found)) continue;
    reached.add(found);
    const prototype = getPrototypeOf(found);
    if (substitutes.has(prototype)) setPrototypeOf(found, substitute(prototype));
    waiting.push(substitute(prototype));
    for (const key of ownKeys(found)) {
      const { value, get, set } = getOwnPropertyDescriptor(found, key);
      if (substitutes.has(value)) defineProperty(found, key, { value: substitute(value) });
      if (substitutes.has(get)) defineProperty(found, key, { get: substitute(get) });
      waiting.push(substitute(value), substitute(get), set);
    }
    freeze(found);
  }
})();
