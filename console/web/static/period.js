// The period that is shown: the address has it, and two inputs.

import { byId } from "./page.js";

const inputs = new Map(); // what each has shown, and the exact time of it

// Its ends, null where it has none.
export function period() {
  const chosen = new URLSearchParams(location.search);
  return { since: chosen.get("since"), until: chosen.get("until") };
}

// The last microsecond of a millisecond: what has the time `until` is still in the period.
export function endOf(milliseconds) {
  return new Date(milliseconds).toISOString().replace("Z", "999Z");
}

// What the inputs of the browser have: the time in its zone.
function asInput(iso) {
  if (!iso) return "";
  const date = new Date(iso);
  return new Date(date - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

// Shows a time in an input, which has whole seconds, and an hour of October twice: `exact` is kept of it.
export function fill(id, iso, exact = iso) {
  byId(id).value = asInput(iso);
  inputs.set(id, { text: byId(id).value, exact });
}

// The time in an input: the exact one where nobody has edited it, else what `edited` makes of its second.
export function timeOf(id, edited) {
  const { value } = byId(id);
  const shown = inputs.get(id);
  if (value === shown?.text) return shown.exact;
  return value && edited(Date.parse(value));
}
