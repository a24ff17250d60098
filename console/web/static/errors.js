// What went wrong: not stored, not decoded, kept by the bridge.

import { byId, element, lost, post, problem } from "./page.js";
import { allow, count, deviceLink, enable, part } from "./part.js";
import { errorQueue, failureQueue } from "./queues.js";
import { ago, timeElement } from "./times.js";

const look = byId("look");
const redrive = byId("redrive");
const progress = byId("progress");
const left = byId("left");
let mayRedrive = false;

const depths = part("error-queue", 30, (queue) => errorQueue(queue, false));

function row(message) {
  return element(
    "tr",
    {},
    element("td", {}, timeElement(message.time)),
    element("td", {}, message.device ? deviceLink(message.device) : "not known", message.event ? " (event)" : null),
    element("td", { class: "number" }, String(message.fcnt ?? "")),
    element("td", { class: "long" }, message.reason),
    element("td", { class: "long" }, element("details", {}, element("summary", {}, "Payload"), element("pre", { tabindex: "0" }, message.whole))),
  );
}

look.addEventListener("click", async () => {
  look.disabled = true;
  byId("seen").textContent = "Looking … This takes half a minute at most.";
  try {
    const { messages, all, held } = await post("/errors/look", {});
    const table = byId("messages");
    table.tBodies[0].replaceChildren(...messages.map(row));
    table.parentElement.hidden = !messages.length;
    const others = held ? ` Another command holds ${held.toLocaleString()}: look again in some minutes.` : "";
    const some = all > messages.length && messages.length ? ` of about ${all.toLocaleString()}, in no order` : "";
    byId("seen").textContent = messages.length ? `${count(messages.length, "message")}${some}.${others}` : `Nothing was found in the error queue.${others}`;
  } catch {
    byId("seen").textContent = "";
  }
  enable(look);
  depths().catch(() => {});
});

// Shows a redrive from its beginning, which may be some time ago, to its end.
function follow() {
  const source = new EventSource("/errors/redrive");
  const listen = (name, heard) => source.addEventListener(name, (event) => heard(JSON.parse(event.data)));
  let said = "";
  listen("begin", () => {
    redrive.disabled = look.disabled = true;
    left.replaceChildren();
    byId("stays").hidden = left.hidden = true;
    problem("", "redrive");
    progress.textContent = said = "Redriving …";
  });
  listen("count", (each) => {
    progress.textContent = said = `Redriving: ${each.redriven.toLocaleString()} stored, ${each.left.toLocaleString()} left, of about ${each.of.toLocaleString()}`;
  });
  listen("left", ({ id, device, reason }) => {
    byId("stays").hidden = left.hidden = false;
    left.append(element("li", {}, element("code", {}, id), device ? " of " : null, device ? element("bdi", {}, device) : null, `: ${reason}`));
  });
  listen("done", (each) => {
    said = `${count(each.redriven, "message")} stored and taken out of the queue, ${each.left.toLocaleString()} left there${each.left ? ", for these reasons" : ""}.`;
    if (each.hidden) said += ` Another command hides ${each.hidden.toLocaleString()}, for five minutes at most: redrive again then.`;
    if (!each.all) said += " It was ended before its end.";
  });
  listen("problem", (why) => {
    problem(why, "redrive");
    said = `${said.replace("Redriving", "Ended")}. What was not stored is still in the queue.`;
  });
  listen("end", () => {
    source.close();
    progress.textContent = said;
    enable(look, ...(mayRedrive ? [redrive] : []));
    byId("messages").parentElement.hidden = true;
    byId("seen").textContent = "";
    depths().catch(() => {});
  });
  source.onerror = () => lost(source, "redrive");
}

redrive.addEventListener("click", async () => {
  redrive.disabled = true;
  try {
    await post("/errors/redrive", {});
    follow();
  } catch {
    redrive.disabled = !mayRedrive;
  }
});

function decodeErrors({ devices, all, looked, listed, problem: why }) {
  const soFar = listed == null || looked < listed ? ` So far ${looked.toLocaleString()} of ${listed?.toLocaleString() ?? "all"} devices were looked at.` : "";
  const rows = devices.map((each) =>
    element("tr", {}, element("td", {}, deviceLink(each.device, each.name)), element("td", {}, each.last == null ? "" : timeElement(each.last, ago)), element("td", { class: "long" }, each.error)),
  );
  const head = element("thead", {}, element("tr", {}, ...["Device", "Last uplink", "Why it was not decoded"].map((name) => element("th", { scope: "col" }, name))));
  return [
    why ? element("p", { class: "problem" }, why) : null,
    element("p", {}, all ? `The last uplink of ${count(all, "device")} could not be decoded.${soFar}` : `No device's last uplink failed to be decoded.${soFar}`),
    all ? element("p", { class: "note" }, "When the codec is mended and deployed, ", element("code", {}, "lora-bridge redecode APPEUI --since 7d"), " decodes the uplinks that are stored.") : null,
    all ? element("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Devices whose last uplink was not decoded" }, element("table", {}, head, element("tbody", {}, ...rows))) : null,
    all > devices.length ? element("p", { class: "note" }, `and ${(all - devices.length).toLocaleString()} more`) : null,
  ];
}

function givenUp(queue) {
  const [line] = failureQueue(queue, false);
  const remedy = element("p", { class: "note" }, "See the log of the function for the reason. When it is mended, ", element("code", {}, "lora-bridge redecode APPEUI --since T"), " decodes their rows. Then empty the queue: ", element("code", {}, `aws sqs purge-queue --queue-url ${queue.url}`));
  return [line, queue.waiting ? remedy : null];
}

function reasons(found, one, many, command) {
  const all = found.reduce((sum, [, number]) => sum + number, 0);
  if (!all) return element("p", {}, `No ${many}.`);
  return element("div", {},
    element("p", {}, element("strong", { class: "bad" }, count(all, one, many)), ". ", element("code", {}, `lora-bridge ${command} list`), " shows them, and ", element("code", {}, `lora-bridge ${command} retry`), " tries them again."),
    element("ul", {}, ...found.map(([reason, number]) => element("li", {}, `${number.toLocaleString()}: ${reason}`))));
}

part("failure-queue", 30, givenUp);
part("undecoded", 5, decodeErrors, ({ listed, looked }) => listed == null || looked < listed);
if (byId("kept")) {
  part("kept", 30, ({ rejected, refused }) => [
    reasons(rejected, "frame that the bridge could not read", "frames that the bridge could not read", "rejected"),
    reasons(refused, "message that AWS IoT refused", "messages that AWS IoT refused", "refused"),
  ]);
}
allow(redrive, "/parts/may-redrive", "Your AWS credentials may not do this.").then((allowed) => {
  mayRedrive = allowed;
  redrive.disabled = !allowed || redrive.dataset.running === "yes";
});
if (redrive.dataset.running === "yes") follow();
