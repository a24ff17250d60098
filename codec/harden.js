// Freezes all that is there before a codec, so that nothing of one message can be left in it for
// the next: whatever the global object leads to, and what only the language's own forms lead to.
(function () {
  "use strict";

  delete globalThis.eval; // it can declare global names, which freezing does not prevent
  for (const name of ["stackTraceLimit", "prepareStackTrace"]) {
    Object.defineProperty(Error, name, { value: Error[name], writable: false }); // were setters
  }
  const reached = new Set();
  const waiting = [
    globalThis,
    function* () {},
    async function () {},
    async function* () {},
    [][Symbol.iterator](),
    ""[Symbol.iterator](),
    new Map()[Symbol.iterator](),
    new Set()[Symbol.iterator](),
    "".matchAll(/./g),
    [].values().map(() => {}),
    Iterator.from({ next() {} }),
    Iterator.concat(),
  ];
  while (waiting.length) {
    const found = waiting.pop();
    if (Object(found) !== found || reached.has(found)) continue;
    reached.add(Object.freeze(found));
    waiting.push(Object.getPrototypeOf(found));
    for (const key of Reflect.ownKeys(found)) {
      const { value, get, set } = Object.getOwnPropertyDescriptor(found, key);
      waiting.push(value, get, set);
    }
  }
})();
