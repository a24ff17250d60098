// The table of all gateways.

import { ask, byId, element, repeat } from "./page.js";
import { Table } from "./table.js";
import { ago, timeElement } from "./times.js";

const [GATEWAY, LAST, DEVICES, RSSI, LSNR] = Array(5).keys(); // a row as the server sends it
const number = (index) => ({ class: "number", descending: true, value: (row) => row[index], cell: (row) => row[index] });

const table = new Table(
  [
    { name: "Gateway", value: (row) => row[GATEWAY], cell: (row) => element("code", {}, row[GATEWAY]) },
    { name: "Last heard", descending: true, value: (row) => row[LAST], cell: (row) => timeElement(row[LAST], ago) },
    { name: "Devices", ...number(DEVICES) },
    { name: "Best RSSI", title: "dBm", ...number(RSSI) },
    { name: "Best SNR", title: "dB", ...number(LSNR) },
  ],
  { text: (row) => row[GATEWAY].toLowerCase() },
);

repeat(async () => {
  const content = await ask("/gateways.json");
  table.rows = content.rows;
  table.draw();
  const done = content.looked >= (content.listed ?? Infinity);
  byId("empty").hidden = table.rows.length > 0 || !done;
  const looked = done ? "" : `, from ${content.looked} of ${content.listed ?? "all"} devices so far`;
  byId("count").textContent = `${table.rows.length} gateways${looked}`;
  return done ? 5000 : 1000;
}, 5000);
