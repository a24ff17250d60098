// What network servers give a codec beyond the language itself: as properties of the global
// object alone, so that a codec may declare the same names.
globalThis.console = Object.fromEntries(
  ["debug", "error", "info", "log", "trace", "warn"].map((name) => [name, () => {}]),
);
globalThis.module = { exports: {} };
globalThis.exports = globalThis.module.exports;
