// The page of a device.

import { Charts } from "./charts.js";
import { enable } from "./part.js";
import { ask, byId, element, lost, problem, whileVisible } from "./page.js";
import { endOf, fill, period, timeOf } from "./period.js";
import { eventRow, mark, put, uplinkRow } from "./rows.js";
import { offerSending } from "./sending.js";
import { Seqnos } from "./seqnos.js";
import { ago, every, local, timeElement } from "./times.js";

const here = location.pathname.replace(/\/$/, "");
const DAY = 86_400_000; // milliseconds
const LATELY = 600_000; // milliseconds that a stream reads back at most
const LATE = 60_000; // that an uplink may be decoded, or come, later than others
const REDRAW = 1000; // milliseconds, at least, between charts while uplinks come
const AGAIN = 30_000; // until charts are asked for anew that are not there

// What was dragged over ends with the millisecond where the pointer was.
const charts = new Charts(byId("charts"), (from, to) => choose(new Date(Math.round(from)).toISOString(), endOf(Math.round(to))));
let content;
let seqnos; // of the uplinks of `content`
let whole = 0; // when the page had all there was, as milliseconds: at a look, and as a stream was closed

function choose(since, until) {
  const chosen = new URLSearchParams(Object.entries({ since, until }).filter(([, value]) => value));
  window.history.pushState(null, "", `${here}${chosen.size ? `?${chosen}` : ""}`);
  load().catch(() => {});
}

let choice = 0;
const meanwhile = new Set(); // for each history that is read, what is heard: it may be without that
// Resolves to nothing where a period was chosen meanwhile, else to the history and what was heard.
async function history() {
  const mine = choice;
  const heardSince = [];
  meanwhile.add(heardSince);
  const query = new URLSearchParams(Object.entries(period()).filter(([, value]) => value));
  try {
    const found = await ask(`${here}/history.json?${query}`);
    return mine === choice ? { found, heardSince } : undefined;
  } finally {
    meanwhile.delete(heardSince);
  }
}

function draw(found) {
  content = found;
  seqnos = new Seqnos(content.uplinks.toReversed().filter(({ seqno }) => seqno).map(({ seqno }) => Number(seqno)));
  charts.draw(content);
  sayCount();
  exportOf(period().since ?? content.first, period().until);
}

function sayCount() {
  byId("shown").textContent = content.count ? `${content.cut ? "the newest " : ""}${content.count} uplinks` : "";
}

// Shows a period from its beginning; `ask` has said what is wrong where it cannot be.
async function load() {
  choice += 1;
  byId("shown").textContent = "…";
  const answer = await history().catch((error) => {
    byId("shown").textContent = "";
    throw error;
  });
  if (!answer) return;
  draw(answer.found);
  byId("uplinks").replaceChildren(...content.uplinks.map(rowOf));
  byId("older").hidden = content.count <= content.uplinks.length;
  byId("quiet").hidden = content.count > 0;
  const { since, until } = period();
  fill("from", since ?? content.first);
  fill("to", until ?? content.last, until); // without an end there is none until it is edited
  answer.heardSince.forEach(heard);
}

async function older() {
  const oldest = byId("uplinks").rows[byId("uplinks").rows.length - 1].dataset.timestamp;
  const query = new URLSearchParams({ since: period().since ?? content.first, before: oldest });
  const { uplinks, more } = await ask(`${here}/uplinks.json?${query}`);
  byId("uplinks").append(...uplinks.map(rowOf));
  byId("older").hidden = !more;
}

const rowOf = (uplink) => uplinkRow(uplink, content.missing);

function exportOf(since, until) {
  const query = new URLSearchParams(Object.entries({ since, until }).filter(([, value]) => value));
  for (const kind of ["csv", "parquet"]) byId(kind).href = `${here}/export.${kind}?${query}`;
}

// Charts of the newest uplinks follow; those of a chosen period stay as they are.
function heard(uplink) {
  for (const each of meanwhile) each.push(uplink);
  const time = Date.parse(uplink.timestamp);
  byId("last").dataset.last = Math.max(byId("last").dataset.last, time);
  sayLast();
  const { since, until } = period();
  if (!content || until || time < Date.parse(since)) return;
  const { timestamp, seqno, values } = uplink;
  // A stream begins before the page ends: what is counted already is not listed before it is asked for.
  const { rows } = byId("uplinks");
  if (!byId("older").hidden && timestamp < rows[rows.length - 1]?.dataset.timestamp) return;
  content.first ??= timestamp;
  if (!(content.last > timestamp)) content.last = timestamp;
  if (seqno) miss(time, seqnos.look(Number(seqno)));
  if (put(byId("uplinks"), rowOf(uplink))) {
    content.count += 1;
    sayCount();
  }
  byId("quiet").hidden = true;
  const drawn = values && charts.add(time, values);
  later(update, REDRAW);
  if (!drawn) later(renew, content.charts.length ? AGAIN : REDRAW);
}

// Notes how many frames are missing before an uplink; one that comes late is taken from the last gap.
function miss(time, count) {
  const { missing } = content;
  if (count > 0) missing.push([time, count]);
  if (count >= 0 || !missing.length) return;
  const last = missing.at(-1);
  last[1] -= 1;
  if (!last[1]) missing.pop();
  const row = [...byId("uplinks").rows].find((each) => Date.parse(each.dataset.timestamp) === last[0]);
  if (row) mark(row, missing);
}

// Asks for all charts anew, for a number that has none. The table and what is typed stay as they are.
async function renew() {
  if (period().until) return;
  const answer = await history().catch(() => {});
  if (!answer) return;
  if (charts.held) later(renew, REDRAW);
  else draw(answer.found);
  if (answer.heardSince.length) later(renew, AGAIN);
}

const update = () => charts.update();
const due = new Map();
// Does some work once, after a while, and not while something is dragged over: that would be lost.
function later(work, pause) {
  if (due.has(work)) return;
  const start = () => {
    due.delete(work);
    if (charts.held) later(work, REDRAW);
    else work();
  };
  due.set(work, setTimeout(start, pause));
}

function sayLast() {
  const { last, patience, interval } = byId("last").dataset;
  if (!last) {
    byId("last").textContent = "Nothing is stored of this device.";
    return;
  }
  const silent = patience && Date.now() > Number(last) + Number(patience);
  const usual = interval ? `, usually ${every(interval / 1000)}` : "";
  const state = silent ? element("strong", { class: "mark" }, `Silent since ${local(Number(last))}, `) : "";
  byId("last").replaceChildren(state, "last heard ", timeElement(Number(last), ago), usual);
}

// From where the page ends on, where its last uplink is not long ago: nobody wants to read all since a
// chosen period, or a day without uplinks, at each look at the page.
function listenFrom() {
  if (period().until) return new Date(whole).toISOString();
  const last = Date.parse(content?.last ?? 0) - LATE;
  return new Date(Math.max(last, whole - LATELY)).toISOString();
}

function listen() {
  const since = listenFrom();
  const source = new EventSource(`${here}/live?since=${encodeURIComponent(since)}`);
  source.addEventListener("uplink", (event) => heard(JSON.parse(event.data)));
  source.addEventListener("event", (event) => {
    put(byId("events"), eventRow(JSON.parse(event.data)));
    byId("none").hidden = true;
  });
  let told = false; // a stream ends after it has told of a problem: that is no other one
  source.addEventListener("problem", (event) => {
    problem(JSON.parse(event.data).problem, "live");
    told = true;
  });
  source.addEventListener("open", () => {
    problem("", "live");
    told = false;
  });
  source.addEventListener("error", () => {
    if (!told || source.readyState === EventSource.CLOSED) lost(source, "live");
  });
  return {
    close() {
      if (source.readyState === EventSource.OPEN) whole = Date.now();
      source.close();
    },
  };
}

byId("period").addEventListener("submit", (event) => {
  event.preventDefault();
  const since = timeOf("from", (second) => new Date(second).toISOString());
  choose(since, timeOf("to", (second) => endOf(second + 999)));
});
for (const button of document.querySelectorAll("[data-span]")) {
  const days = Number(button.dataset.span);
  button.addEventListener("click", () => choose(days ? new Date(Date.now() - days * DAY).toISOString() : null, null));
}
byId("older").addEventListener("click", async () => {
  byId("older").disabled = true; // a second click would list the same ones again
  await older().catch(() => {});
  enable(byId("older"));
});
addEventListener("popstate", () => load().catch(() => {}));
offerSending(here);
sayLast();
setInterval(sayLast, 10_000);
// Whoever comes back soon finds the page as it was: the stream tells the rest.
whileVisible(async () => {
  const now = Date.now();
  if (now - whole > LATELY) {
    await load();
    const { events } = await ask(`${here}/events.json`);
    byId("events").replaceChildren(...events.map(eventRow));
    byId("none").hidden = events.length > 0;
    whole = now;
  }
  return listen();
});
