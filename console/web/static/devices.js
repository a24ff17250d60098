// The table of all devices.

import { ask, byId, element, repeat } from "./page.js";
import { count } from "./part.js";
import { Table } from "./table.js";
import { ago, every, timeElement } from "./times.js";

// A row as the server sends it.
const [DEVICE, NAME, LAST, SILENT, INTERVAL, UPLINKS, MISSING, RSSI, LSNR, READING] = Array(10).keys();
const AT_FIRST = 100; // milliseconds between looks until there is a list
const OFTEN = 1000; // milliseconds between looks while devices are being looked at
const SELDOM = 5000;
const FEWEST = 4; // uplinks from which an interval is learnt

const devices = new Map();
let version = 0;

const isSilent = (row) => row[SILENT];
const isUnknown = (row) => !isSilent(row) && row[INTERVAL] == null && row[UPLINKS] != null && row[UPLINKS] < FEWEST;
const application = (row) => row[DEVICE].slice(0, row[DEVICE].indexOf("/"));
const eui = (row) => row[DEVICE].slice(row[DEVICE].indexOf("/") + 1);
const number = (index) => ({ class: "number", descending: true, value: (row) => row[index], cell: (row) => row[index] });

function link(row) {
  const address = `/devices/${row[DEVICE].split("/").map(encodeURIComponent).join("/")}`;
  return element("a", { href: address }, row[NAME] || eui(row));
}

// The name; in a narrow window, which has no column for it, also the EUI that a name hides.
function device(row) {
  return element("div", {}, link(row), row[NAME] ? element("code", { class: "narrow faint" }, eui(row)) : null);
}

function usual(row) {
  if (row[INTERVAL] != null) return every(row[INTERVAL] / 1000);
  if (row[UPLINKS] == null) return ""; // it was not looked at yet
  return isUnknown(row) ? "not known yet" : "never silent"; // as intervals.toml says
}

function state(row) {
  if (!isSilent(row)) return element("span", { class: "faint" }, usual(row));
  const overdue = Math.floor((Date.now() - row[LAST]) / row[INTERVAL]);
  return element("span", { class: "mark" }, `silent, ${overdue.toLocaleString()} overdue`);
}

// The longest silent first, then those of which nothing is known.
function severity(row) {
  if (isSilent(row)) return Date.now() - row[LAST];
  return isUnknown(row) ? -1 : -2;
}

const table = new Table(
  [
    { name: "Device", class: "device", value: (row) => row[NAME] || eui(row), cell: device },
    { name: "State", descending: true, value: severity, cell: state },
    { name: "Last heard", descending: true, value: (row) => row[LAST], cell: (row) => (row[LAST] == null ? "not known" : timeElement(row[LAST], ago)) },
    { name: "EUI", class: "minor", value: eui, cell: (row) => element("code", {}, eui(row)) },
    { name: "Application", class: "minor", value: application, cell: (row) => element("code", {}, application(row)) },
    { name: "Missing", title: "frames between the last 20 uplinks that did not come", ...number(MISSING) },
    { name: "RSSI", title: "dBm, the best of the last 20 uplinks", ...number(RSSI) },
    { name: "SNR", title: "dB, the best of the last 20 uplinks", ...number(LSNR) },
    { name: "Last reading", class: "long", value: (row) => row[READING] || null, cell: (row) => row[READING] },
  ],
  {
    text: (row) => (row.text ??= `${row[NAME]} ${row[DEVICE]}`.toLowerCase()),
    mark: (row) => (isSilent(row) ? "silent" : ""),
    keep: (row) => !byId("silent").checked || isSilent(row),
    sorted: 1, // the silent ones first
    descending: true,
  },
);

// What the filter leaves is counted.
function say(content) {
  const { rows, found } = table;
  const of = found.length < rows.length ? `${found.length.toLocaleString()} of ` : "";
  const silent = found.filter(isSilent).length.toLocaleString();
  const unknown = found.filter(isUnknown).length;
  const known = unknown ? `, ${unknown.toLocaleString()} not known yet` : "";
  const looked = content.looked < content.listed ? `, looked at ${content.looked.toLocaleString()} so far` : "";
  byId("count").textContent = `${of}${count(rows.length, "device")}, ${silent} silent${known}${looked}`;
}

let latest = { looked: 0, listed: 0 };

async function look() {
  latest = await ask(`/devices.json?after=${version}`);
  version = latest.version;
  if (latest.whole) devices.clear();
  for (const row of latest.rows) devices.set(row[DEVICE], row);
  if (latest.rows.length) {
    table.rows = [...devices.values()];
    table.draw();
  }
  byId("empty").hidden = latest.listed !== 0;
  say(latest);
  if (latest.listed == null && !latest.problem) return AT_FIRST;
  return latest.looked < (latest.listed ?? Infinity) ? OFTEN : SELDOM;
}

byId("silent").checked = new URLSearchParams(location.search).has("silent");
byId("silent").addEventListener("input", () => table.draw());
for (const id of ["silent", "filter"]) byId(id).addEventListener("input", () => say(latest)); // the table has drawn
repeat(look, SELDOM);
