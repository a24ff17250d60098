// Returns a function that tells whether the engine came near its limit of memory, given in bytes.
// The engine collects garbage when an object is made, an error too, and half as much again is in
// use as was left the last time. So garbage that is still there tells that nothing came near.
(limit) => {
  const { apply } = Reflect;
  const { deref } = WeakRef.prototype;
  // Of this shape is an error without its message. The engine has no memory to make the shape then.
  const shape = Object.create(InternalError.prototype);
  let ballast = new ArrayBuffer((limit / 8) * 5);
  ballast = {}; // garbage is collected with the ballast there: not again below 15/16 of the limit
  const cycle = {};
  cycle.self = cycle; // only the collector finds it
  const found = new WeakRef(cycle);
  return () => shape && apply(deref, found, []) === undefined;
};
