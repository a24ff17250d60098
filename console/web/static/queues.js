// What the two queues say.

import { element } from "./page.js";
import { count } from "./part.js";

const hidden = (queue) => (queue.held ? `, and ${count(queue.held, "message is", "messages are")} held by a command at the moment` : "");

// Depths of SQS are about right.
export function errorQueue(queue, link = true) {
  if (!queue.waiting && !queue.held) return [element("p", {}, "Nothing waits in the error queue.")];
  const line = element("p", {}, element("strong", { class: "bad" }, count(queue.waiting, "message")), ` that could not be stored ${queue.waiting === 1 ? "waits" : "wait"} in the error queue${hidden(queue)}. `);
  if (link) line.append(element("a", { href: "/errors" }, "See why"));
  return [line];
}

export function failureQueue(queue, link = true) {
  if (!queue.waiting && !queue.held) return [element("p", {}, "Nothing waits in the failure queue: the decoder gave nothing up.")];
  const line = element("p", {}, element("strong", { class: "bad" }, count(queue.waiting, "message")), ` in the failure queue${hidden(queue)}: the decoder failed for 23 hours, and gave up their uplinks. `);
  if (link) line.append(element("a", { href: "/errors" }, "See what to do"));
  return [line];
}
