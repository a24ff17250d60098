// Runs before a page's own scripts. Notes when it is painted, when its texts say that something is
// done, and how long after a click or a key the next frame is there; times are in milliseconds.

window.bench = { took: [], seen: {} };

// Calls back when the frame after this one is on the screen, as far as a page can know.
function painted(then) {
  requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => then(performance.now());
    port2.postMessage(null);
  });
}

for (const kind of ["click", "input", "mouseup"]) {
  // In the capture phase: before the page's own listeners.
  addEventListener(kind, (event) => {
    if (kind === "mouseup") { // what is drawn changes
      window.bench.from = event.timeStamp;
      delete window.bench.seen.drawn;
    }
    painted((now) => window.bench.took.push([kind, now - event.timeStamp]));
  }, true);
}

// Notes, once, when the text of an element, by its id, fits a pattern.
window.bench.watch = (name, id, pattern) => {
  const wanted = new RegExp(pattern);
  const look = () => {
    if (name in window.bench.seen || !wanted.test(document.getElementById(id)?.textContent ?? "")) return;
    window.bench.seen[name] = null;
    painted((now) => { window.bench.seen[name] = now; });
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true });
};
