// Lets one engine serve many uplinks, none of which sees what another did.
//
// Without a codec it returns a function that tells whether scripts have left alone what all of them
// share: the language's own objects, and Buffer. With a codec, a function that runs it and returns
// call.js in its scope, these are frozen, and it returns a function that answers one input after the
// other.
(function (codec, provide) {
  const { defineProperty, getOwnPropertyDescriptor, getPrototypeOf, isExtensible, ownKeys } =
    Reflect;
  const { is } = Object; // a script may replace what is global
  const bySyntax = [
    async function () {},
    function* () {},
    async function* () {},
    [].keys(),
    [].values().map((each) => each),
    Iterator.from({ next() {} }),
    new Map().keys(),
    new Set().keys(),
    ""[Symbol.iterator](),
    "".matchAll(/a/g),
  ];
  const described = (object) =>
    ownKeys(object).map((key) => [key, getOwnPropertyDescriptor(object, key)]);

  function shared() {
    const found = new Set([globalThis, ...bySyntax]);
    for (const object of found) {
      const owned = described(object).flatMap(([, { value, get, set }]) => [value, get, set]);
      for (const each of [getPrototypeOf(object), ...owned]) {
        if (Object(each) === each) found.add(each);
      }
    }
    found.delete(globalThis);
    return [...found];
  }

  function same(object, before) {
    return (
      ownKeys(object).length === before.length &&
      before.every(([key, property]) => {
        const now = getOwnPropertyDescriptor(object, key);
        return now && ownKeys(property).every((each) => is(property[each], now[each]));
      })
    );
  }

  if (!codec) {
    const before = shared().map((object) => [object, getPrototypeOf(object), described(object)]);
    return () =>
      before.every(([object, parent, owned]) => {
        return getPrototypeOf(object) === parent && same(object, owned);
      });
  }

  // A script may give an object of its own a property that a frozen prototype has, by assignment.
  function overridable(object, key, value) {
    defineProperty(object, key, {
      get: () => value,
      set(own) {
        if (this === object) throw new TypeError("this object is shared");
        defineProperty(this, key, {
          value: own,
          writable: true,
          enumerable: true,
          configurable: true,
        });
      },
    });
  }

  for (const object of shared()) {
    const inherited =
      [Object.prototype, Function.prototype, Error.prototype].includes(object) ||
      Error.prototype.isPrototypeOf(object);
    for (const [key, property] of described(object)) {
      if (!property.configurable || key === "__proto__") continue;
      if (inherited && "value" in property) overridable(object, key, property.value);
      else if (property.set) defineProperty(object, key, { set: undefined });
    }
    Object.freeze(object);
  }
  Object.freeze(codec);

  // A script may give these names another value, for itself.
  const language = ownKeys(globalThis).filter(
    (key) => getOwnPropertyDescriptor(globalThis, key).writable,
  );
  const values = language.map((key) => globalThis[key]);
  provide();
  const names = ownKeys(globalThis);
  for (const key of names) defineProperty(globalThis, key, { configurable: false });
  const known = new Set(names);
  const parent = getPrototypeOf(globalThis);

  // Removes what a script has added; returns whether everything global is as it was.
  function cleaned() {
    let keys = ownKeys(globalThis);
    if (keys.length !== names.length) {
      for (const key of keys) if (!known.has(key)) delete globalThis[key];
      keys = ownKeys(globalThis);
    }
    for (let i = 0; i < language.length; i++) {
      if (globalThis[language[i]] !== values[i]) globalThis[language[i]] = values[i];
    }
    return (
      keys.length === names.length &&
      isExtensible(globalThis) &&
      getPrototypeOf(globalThis) === parent
    );
  }

  return (input) => {
    provide();
    const answer = codec()(input);
    if (!cleaned()) throw new Error("this engine cannot be used again");
    return answer;
  };
});
