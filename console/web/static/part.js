// A part of a page that is asked for again and again, and says in its own place what is wrong.

import { ask, byId, element, repeat } from "./page.js";

// `draw` makes the children of a part of what was found. Nothing is drawn anew that has not
// changed, so that nobody is told of it twice. It is asked for soon again where `waits` says so.
// Where nothing could be found, `refused` makes the children, of the reason.
export function part(name, seconds, draw, waits = () => false, refused = (why) => [problemLine(why)]) {
  const place = byId(name);
  let shown;
  async function look() {
    const answer = await ask(`/parts/${name}`);
    const text = JSON.stringify(answer);
    if (text !== shown) {
      const children = answer.why == null ? draw(answer.found) : refused(answer.why);
      place.replaceChildren(...children.filter((child) => child != null));
      shown = text;
    }
    return answer.why == null && waits(answer.found) ? 1000 : seconds * 1000;
  }
  repeat(look, seconds * 1000);
  return look; // to look at once
}

export function problemLine(why) {
  return element("p", { class: "problem" }, why);
}

// A button that is there unless the credentials may not do what it does.
export async function allow(button, right, refusal) {
  const { found } = await ask(right);
  const allowed = found !== "no";
  if (!allowed) {
    const note = byId(button.getAttribute("aria-describedby"));
    note.replaceChildren(element("strong", {}, refusal), " ", note.textContent);
  }
  return allowed;
}

// Whoever has pressed a button with the keyboard is there again when it can be pressed again.
export function enable(...buttons) {
  for (const button of buttons) button.disabled = false;
  if (document.activeElement === document.body) buttons.find((button) => button === pressed)?.focus();
}

let pressed = null;
document.addEventListener("click", (event) => {
  pressed = event.target.closest("button");
});

export function deviceLink(device, name) {
  const address = `/devices/${device.split("/").map(encodeURIComponent).join("/")}`;
  return element("a", { href: address }, name || device);
}

export function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString()} ${number === 1 ? one : many}`;
}
