// Times as people read them: in the browser's zone, with UTC on hover.

const UNITS = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];

export function span(seconds) {
  if (seconds < 1) return "less than 1 s";
  const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? ["s", 1];
  return `${Math.floor(seconds / size)} ${unit}`;
}

// How long an interval is, of which a clock's seconds say little: nearly 30 minutes are 30 minutes.
export function about(seconds) {
  const [unit, size] = UNITS.find(([, size]) => seconds / size > 1.99) ?? ["s", 1];
  return `${Math.max(1, Math.round(seconds / size))} ${unit}`;
}

// How often something comes that has this interval.
export function every(seconds) {
  return seconds < 1 ? "several times a second" : `every ${about(seconds)}`;
}

export function ago(milliseconds) {
  const seconds = (Date.now() - milliseconds) / 1000;
  return seconds < 1 ? "now" : `${span(seconds)} ago`;
}

const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

export function local(milliseconds) {
  return day.format(milliseconds);
}

// `say` makes the text of a time; where it is `ago`, the text is kept current.
export function timeElement(milliseconds, say = local) {
  const element = document.createElement("time");
  const date = new Date(milliseconds);
  element.dateTime = date.toISOString();
  element.title = `${date.toISOString()} (UTC)`;
  element.textContent = say(milliseconds);
  if (say === ago) element.dataset.since = milliseconds;
  return element;
}

setInterval(() => {
  for (const element of document.querySelectorAll("time[data-since]")) {
    element.textContent = ago(Number(element.dataset.since));
  }
}, 5000);
