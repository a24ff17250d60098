// What network servers give a codec beyond the language itself: as properties of the global
// object alone, so that a codec may declare the same names.
globalThis.console = Object.fromEntries(
  ["debug", "error", "info", "log", "trace", "warn"].map((name) => [name, () => {}]),
);
globalThis.module = { exports: {} };
globalThis.exports = globalThis.module.exports;
(function (all) {
  "use strict";
  const { Date, Error, Math, Number, String, isNaN } = all;
  all.require = (name) => {
    if (/^(node:)?buffer$/.test(name)) return { Buffer: all.Buffer };
    throw new Error(
      "Cannot find module '" + name + "': of modules a codec has buffer alone;" +
      " other servers may have run it with all of Node",
    );
  };
  all.require.main = undefined;

  // The engine knows no locale but that of the United States, and no time zone but UTC.
  const two = (number) => String(number).padStart(2, "0");
  const day = (date) =>
    [date.getMonth() + 1, date.getDate(), date.getFullYear()].join("/");
  const time = (date) =>
    (date.getHours() % 12 || 12) + ":" + two(date.getMinutes()) + ":" + two(date.getSeconds()) +
    (date.getHours() < 12 ? " AM" : " PM");
  const number = (value) => {
    if (!(Math.abs(value) < 1e15)) return String(value);
    const [whole, part] = String(Math.round(Math.abs(value) * 1000) / 1000).split(".");
    const grouped = whole.replace(/\B(?=(...)+$)/g, ",");
    return (value < 0 ? "-" : "") + grouped + (part ? "." + part : "");
  };
  const local = (prototype, name, text) => {
    const method = function (locale, options) {
      const known = locale === undefined || locale === "en-US";
      if (!known || options !== undefined) {
        throw new Error(name + " knows neither locales other than en-US nor options");
      }
      return text(this);
    };
    Object.defineProperty(prototype, name, { value: method, writable: true, configurable: true });
  };
  const whole = (text) => (date) => (isNaN(date) ? "Invalid Date" : text(date));
  local(Date.prototype, "toLocaleDateString", whole(day));
  local(Date.prototype, "toLocaleTimeString", whole(time));
  local(Date.prototype, "toLocaleString", whole((date) => day(date) + ", " + time(date)));
  local(Number.prototype, "toLocaleString", number);
})(globalThis);
