// Rows of uplinks and events in the tables of a device.

import { element } from "./page.js";
import { timeElement } from "./times.js";

const MOST = 2000; // rows of a table

// `missing` lists times, in milliseconds, and how many frames are missing before the uplink of each.
export function uplinkRow(uplink, missing) {
  const reading = uplink.error ? element("span", { class: "bad" }, uplink.error) : uplink.reading;
  const row = element(
    "tr",
    { "data-timestamp": uplink.timestamp },
    element("td", {}, timeElement(Date.parse(uplink.timestamp))),
    element("td", { class: "number" }, uplink.seqno),
    element("td", { class: "number" }, uplink.port),
    element("td", { class: "long" }, reading),
    element("td", { class: "bytes" }, uplink.bytes),
    element("td", { class: "long" }, uplink.signal),
  );
  mark(row, missing);
  return row;
}

// Says in a row how many frames are missing before it, where any are.
export function mark(row, missing) {
  const time = Date.parse(row.dataset.timestamp);
  const lost = missing.find(([at]) => at === time)?.[1];
  row.querySelector(".mark")?.remove();
  if (lost) row.cells[0].append(element("span", { class: "mark" }, ` ${lost} missing before`));
}

export function eventRow(event) {
  const { timestamp, type, id, state, reason, attempt, late, fields } = event;
  const details = [reason, attempt > 1 ? `attempt ${attempt}` : null, late ? "late" : null, fields];
  return element(
    "tr",
    { "data-timestamp": timestamp },
    element("td", {}, timeElement(Date.parse(timestamp))),
    element("td", {}, type ?? ""),
    element("td", {}, id ?? ""),
    element("td", {}, state ?? ""),
    element("td", { class: "long" }, details.filter(Boolean).join(", ")),
  );
}

// Puts a row where its time belongs, in the place of an older form of it. Says whether there was none.
export function put(body, row) {
  const timestamp = row.dataset.timestamp;
  const rows = [...body.rows];
  const same = rows.find((each) => each.dataset.timestamp === timestamp);
  if (same?.isEqualNode(row)) return false; // nobody is told of it twice
  if (same) same.replaceWith(row);
  else body.insertBefore(row, rows.find((each) => each.dataset.timestamp < timestamp) ?? null);
  while (body.rows.length > MOST) body.deleteRow(-1);
  return !same;
}
