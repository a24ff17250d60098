// What every page does: make elements, ask the server, say what is wrong.

// Text is always text: nothing that a device says becomes markup.
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(key, "");
    else if (value !== false && value != null) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child != null));
  return made;
}

export function byId(id) {
  return document.getElementById(id);
}

const ENDED = "lora-bridge web does not answer. Has it ended? Start it again, and open the address that it prints.";
const REFUSED = "Open the address that lora-bridge web has printed.";
const RETRY = 5000; // milliseconds

const problems = new Map();

// Says what is wrong with something, or with empty text that it is right again.
export function problem(text, of) {
  if (text) problems.set(of, text);
  else problems.delete(of);
  const place = byId("problem");
  const said = [...new Set(problems.values())].join(" ");
  place.hidden = !said;
  if (place.textContent !== said) place.textContent = said;
}

// Resolves to what the server answers; says what is wrong, and throws, where it does not.
export async function ask(address, options = {}) {
  const of = address.split("?")[0];
  let answer;
  try {
    answer = await fetch(address, { headers: { Accept: "application/json" }, ...options });
  } catch {
    problem(ENDED, of);
    throw new Error(ENDED);
  }
  for (const [each, text] of problems) if (text === ENDED) problems.delete(each); // it is there again
  const content = await answer.json().catch(() => ({ problem: REFUSED }));
  problem(content.problem ?? "", of);
  if (!answer.ok) throw new Error(content.problem);
  return content;
}

// Says what is wrong with a stream. The browser tries again by itself, but not after a refusal, which
// is what a server says that was started anew: the page's cookie is of the one before.
export function lost(source, of) {
  problem(source.readyState === EventSource.CLOSED ? REFUSED : ENDED, of);
}

// Calls `look` again and again, each time so many milliseconds after it has ended.
export async function repeat(look, pause) {
  for (;;) {
    let rest;
    try {
      rest = await look();
    } catch {
      rest = undefined;
    }
    await new Promise((resolve) => setTimeout(resolve, rest ?? pause));
  }
}

export function post(address, content) {
  const headers = { Accept: "application/json", "Content-Type": "application/json" };
  return ask(address, { method: "POST", headers, body: JSON.stringify(content) });
}

// Opens a stream when the page is seen and closes it when it is not: a browser has six connections
// to a server, for all its tabs. `open` resolves to what is to be closed; when it fails, it is called
// again after a while.
export function whileVisible(open) {
  let opened = null; // the promise, so that what is still being opened is closed, too, and once
  const look = () => {
    if (document.hidden) {
      opened?.then((source) => source.close(), () => {});
      opened = null;
    } else if (!opened) {
      const mine = (opened = open());
      mine.catch(() => setTimeout(() => {
        if (opened !== mine) return;
        opened = null;
        look();
      }, RETRY));
    }
  };
  document.addEventListener("visibilitychange", look);
  look();
}
