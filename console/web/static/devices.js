// The table of all devices.

import { ask, byId, element, repeat } from "./page.js";
import { Table } from "./table.js";
import { about, ago, timeElement } from "./times.js";

// A row as the server sends it.
const [DEVICE, NAME, LAST, SILENT, INTERVAL, UPLINKS, MISSING, RSSI, LSNR, READING] = Array(10).keys();
const AT_FIRST = 100; // milliseconds between looks until there is a list
const OFTEN = 1000; // milliseconds between looks while devices are being looked at
const SELDOM = 5000;

const devices = new Map();
let version = 0;

const isSilent = (row) => row[SILENT];
const application = (row) => row[DEVICE].slice(0, row[DEVICE].indexOf("/"));
const eui = (row) => row[DEVICE].slice(row[DEVICE].indexOf("/") + 1);
const number = (index) => ({ number: true, descending: true, value: (row) => row[index], cell: (row) => row[index] });

function link(row) {
  const address = `/devices/${row[DEVICE].split("/").map(encodeURIComponent).join("/")}`;
  return element("a", { href: address }, row[NAME] || eui(row));
}

function state(row) {
  if (!isSilent(row)) return row[INTERVAL] == null ? "" : element("span", { class: "faint" }, `every ${about(row[INTERVAL] / 1000)}`);
  const missed = Math.floor((Date.now() - row[LAST]) / row[INTERVAL]);
  return element("span", { class: "mark" }, `silent, ${missed} missed`);
}

const table = new Table(
  [
    { name: "Device", value: (row) => row[NAME] || eui(row), cell: link },
    { name: "EUI", value: eui, cell: (row) => element("code", {}, eui(row)) },
    { name: "Application", value: application, cell: (row) => element("code", {}, application(row)) },
    { name: "Last heard", descending: true, value: (row) => row[LAST], cell: (row) => (row[LAST] == null ? "not known" : timeElement(row[LAST], ago)) },
    { name: "State", descending: true, value: (row) => (isSilent(row) ? Date.now() - row[LAST] : -1), cell: state },
    { name: "Missing", title: "frames between the last 20 uplinks that did not come", ...number(MISSING) },
    { name: "RSSI", title: "dBm, the best of the last 20 uplinks", ...number(RSSI) },
    { name: "SNR", title: "dB, the best of the last 20 uplinks", ...number(LSNR) },
    { name: "Last reading", wide: true, value: (row) => row[READING] || null, cell: (row) => row[READING] },
  ],
  {
    text: (row) => (row.text ??= `${row[NAME]} ${row[DEVICE]}`.toLowerCase()),
    mark: (row) => (isSilent(row) ? "silent" : ""),
    keep: (row) => !byId("silent").checked || isSilent(row),
    sorted: 4, // the silent ones first
    descending: true,
  },
);

function count(content) {
  const silent = table.rows.filter(isSilent).length;
  const looked = content.looked < content.listed ? `, looked at ${content.looked} so far` : "";
  const found = table.found < table.rows.length ? `${table.found} of ` : "";
  byId("count").textContent = `${found}${table.rows.length} devices, ${silent} silent${looked}`;
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
  count(latest);
  if (latest.listed == null && !latest.problem) return AT_FIRST;
  return latest.looked < (latest.listed ?? Infinity) ? OFTEN : SELDOM;
}

byId("silent").checked = new URLSearchParams(location.search).has("silent");
byId("silent").addEventListener("input", () => table.draw());
for (const id of ["silent", "filter"]) byId(id).addEventListener("input", () => count(latest)); // the table has drawn
repeat(look, SELDOM);
