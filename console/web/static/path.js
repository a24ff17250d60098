// The path: its links as they are looked at, and what else says whether all is well.

import { byId, element, lost, post, problem } from "./page.js";
import { allow, count, deviceLink, enable, part, problemLine } from "./part.js";
import { errorQueue, failureQueue } from "./queues.js";
import { ago, span, timeElement } from "./times.js";

const SIGNS = { whole: "✓", broken: "✗", "not tried": "–" };
const again = byId("again");
const test = byId("test"); // null without a configuration
const FIRST_OF_TEST = "uplink to bridge"; // the link with which a test uplink begins
const LOOKING = "Looking at the links …";
let mayTest = false;
let source = null;
let tested = false; // whether this page has asked for the test uplink of this walk
let ended = null; // what a walk that has ended found
let running = null; // what the bridge says of itself, "" where it does not answer

function finding({ link, state, detail, remedy, seconds }) {
  return element(
    "li",
    { class: state.replace(" ", "-") },
    element("span", { class: "sign", "aria-hidden": "true" }, SIGNS[state]),
    element(
      "div",
      {},
      element("strong", {}, link),
      element("span", { class: state === "whole" ? "unseen" : "state" }, ` ${state}: `),
      state === "whole" ? " " : null,
      element("span", {}, detail),
      state === "whole" ? element("span", { class: "faint" }, ` ${Math.round(seconds * 1000)} ms`) : null,
      remedy ? element("p", { class: "remedy" }, element("strong", {}, "What to do: "), remedy) : null,
    ),
  );
}

function looking(link) {
  return element("li", { class: "looking" }, element("span", { class: "sign", "aria-hidden": "true" }, "…"), element("div", {}, element("strong", {}, link), " is being looked at"));
}

// What there is to say of all links, and whether that is good or bad.
function verdict(found) {
  const broken = found.find((each) => each.state === "broken");
  const sent = found.some((each) => each.link === FIRST_OF_TEST);
  if (broken) return [`The path is broken at: ${broken.link}${tested && !sent ? ". The test uplink was not sent." : ""}`, "bad"];
  const untried = found.filter((each) => each.state === "not tried").length;
  const links = count(found.length, "link");
  if (sent && !untried) return [`The path is whole: ${links}`, "good"];
  const whole = found.length - untried;
  const some = `${count(whole, "link")} ${whole === 1 ? "is" : "are"} whole`;
  const said = untried ? `${some}, ${untried} ${untried === 1 ? "was" : "were"} not tried` : some;
  if (!test) return untried ? [said, ""] : [`${said}: all that AWS can tell`, "good"];
  if (sent) return [said, ""];
  if (running === "") return [`${said}, but the bridge does not answer`, "bad"];
  if (running?.connections === 0) return [`${said}, but the bridge is not connected to AWS IoT`, "bad"];
  if (!running) return [`${said}. Whether the bridge runs is told by a test uplink.`, ""];
  return untried ? [`${said}. The bridge runs.`, ""] : [`The path is whole: ${links}, and the bridge runs`, "good"];
}

function say(text, state = "") {
  const place = byId("verdict");
  if (place.textContent !== text) place.textContent = text;
  place.className = `verdict ${state}`;
}

// The name of the bridge is in what was seen of its connection.
function nameDevice({ link, detail }) {
  const name = link === "MQTT" && detail.match(/^connected as (.+)\.check$/)?.[1];
  if (name && test) byId("test-device").replaceChildren(element("code", {}, `check/${name}`));
}

// Shows a walk from its beginning, which may be some time ago, to its end.
function follow() {
  source?.close();
  source = new EventSource("/path/links");
  const list = byId("links");
  let found = [];
  let wrong = null;
  let began = null;
  const listen = (name, heard) => source.addEventListener(name, (event) => heard(JSON.parse(event.data)));
  listen("begin", () => {
    found = [];
    wrong = began = ended = null;
    problem("", "links");
    list.replaceChildren();
    byId("when").replaceChildren();
    say(tested ? "Looking at the links before a test uplink …" : LOOKING);
    again.disabled = true;
    if (test) test.disabled = true;
  });
  listen("when", (time) => {
    began = time;
  });
  listen("look", (link) => {
    if (link === FIRST_OF_TEST) say("Sending a test uplink …");
    list.append(looking(link));
  });
  listen("found", (each) => {
    found.push(each);
    nameDevice(each);
    list.lastChild.replaceWith(finding(each));
    if (each.state === "broken") list.append(element("li", { class: "not-tried" }, element("span", { class: "sign", "aria-hidden": "true" }, "–"), element("div", {}, "What comes after it was not tried.")));
  });
  listen("problem", (why) => {
    wrong = why;
  });
  listen("end", () => {
    source.close();
    list.querySelector(".looking")?.remove();
    problem(wrong ?? "", "links");
    if (wrong != null) say("The links could not be looked at", "bad");
    else {
      ended = found;
      say(...verdict(ended));
    }
    const took = found.reduce((sum, { seconds }) => sum + seconds, 0) * 1000;
    if (began != null) byId("when").replaceChildren("looked ", timeElement(began + took, ago));
    enable(again, ...(mayTest ? [test] : []));
  });
  source.onerror = () => {
    lost(source, "links");
    say("The links cannot be looked at");
  };
}

function walk(address) {
  return async () => {
    again.disabled = true;
    if (test) test.disabled = true;
    tested = address === "/path/test";
    await post(address, {}).catch(() => {
      tested = false;
    });
    follow();
  };
}

function devices(found) {
  if (found.listed === null) return [element("p", {}, found.problem || "Looking …")];
  if (found.listed === 0) return [element("p", {}, "No device has reported yet.")];
  const of = `of ${count(found.listed, "device")} ${found.silent === 1 || !found.silent ? "is" : "are"} silent`;
  const silent = found.silent
    ? element("a", { href: "/devices?silent", class: "mark" }, `${found.silent.toLocaleString()} ${of}`)
    : element("a", { href: "/devices" }, `None ${of}`);
  const soFar = found.looked < found.listed ? `, looked at ${found.looked.toLocaleString()} so far` : "";
  return [
    element("p", {}, silent, `${soFar}.`),
    found.newest == null ? null : element("p", {}, "The newest uplink came ", timeElement(found.newest, ago), " from ", deviceLink(found.device, found.name), "."),
    found.problem ? element("p", { class: "problem" }, found.problem) : null,
  ];
}

function bytes(number) {
  const [unit, size] = [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]].find(([, size]) => number >= size) ?? ["bytes", 1];
  return `${(number / size).toLocaleString(undefined, { maximumFractionDigits: 1 })} ${unit}`;
}

const rate = (value) => (value == null ? "…" : `${value.toLocaleString(undefined, { maximumFractionDigits: 1 })} a second`);

function judge(status) {
  running = status;
  if (ended) say(...verdict(ended));
}

function silentBridge(why) {
  judge("");
  return [problemLine(why)];
}

function bridge(found) {
  judge(found);
  if (found == null) return [element("p", { class: "note" }, "A bridge that has [http] in its configuration tells here what waits on its disk, and how fast it goes.")];
  const rows = [
    ["Waiting", found.waiting ? `${count(found.waiting, "message")}, ${bytes(found.bytes)}${found.oldest ? `, the oldest for ${span(found.oldest)}` : ""}` : "nothing"],
    ["Received", rate(found.received)],
    ["Published", rate(found.published)],
    ["Last uplink", found.last == null ? "none since it started" : timeElement(found.last, ago)],
    ["Network servers", count(found.servers, "connection")],
    ["AWS IoT", found.connections ? count(found.connections, "connection") : element("strong", { class: "bad" }, "not connected")],
    found.refused ? ["Refused", element("a", { href: "/errors", class: "mark" }, count(found.refused, "message"))] : null,
  ];
  return [element("dl", {}, ...rows.filter((row) => row).flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]))];
}

function alarms({ on, unknown, all }) {
  if (all === 0) return [element("p", {}, "No alarms are deployed. With environment = \"production\" in lora.toml, they watch the path.")];
  const rows = on.map(({ name, description, since }) => element("li", { class: "broken" }, element("span", { class: "sign", "aria-hidden": "true" }, "✗"), element("div", {}, element("strong", {}, name), " on since ", timeElement(since), element("p", { class: "remedy" }, description))));
  return [
    on.length ? element("ul", { class: "links" }, ...rows) : element("p", {}, unknown.length ? "No alarm is on." : `No alarm is on: all ${all} are OK.`),
    unknown.length ? element("p", { class: "note" }, `No data yet for ${count(unknown.length, "alarm")}: ${unknown.join(", ")}.`) : null,
  ];
}

again.addEventListener("click", walk("/path/look"));
test?.addEventListener("click", walk("/path/test"));
if (test) {
  allow(test, "/parts/may-test", "Your AWS credentials may not remove its row.").then((allowed) => {
    mayTest = allowed;
    test.disabled = !allowed || again.disabled;
  });
}
follow();
part("devices", 5, devices, ({ listed, looked }) => listed == null || looked < listed);
if (byId("bridge")) part("bridge", 5, bridge, (found) => found != null && found.received == null, silentBridge);
part("alarms", 30, alarms);
part("error-queue", 30, errorQueue);
part("failure-queue", 30, failureQueue);
