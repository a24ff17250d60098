// A chart for each number of a device, above each other, with one cursor.

import { element } from "./page.js";
import uPlot from "./uplot/uPlot.esm.js";

const HEIGHT = 170;
const MOST = 20_000; // points of a chart, however long uplinks are added
// The charts share where the pointer is, not what it drags over: that is chosen once.
const MOVES = (type) => type === "mousemove" || type === "mouseleave";

// `light-dark()` is known to the style sheet alone: a canvas wants a colour.
function canvasColour(name) {
  const probe = element("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function gapLines(plot, gaps) {
  const { left, top, width, height } = plot.bbox;
  plot.ctx.save();
  plot.ctx.strokeStyle = canvasColour("--bad");
  plot.ctx.setLineDash([4, 4]);
  plot.ctx.beginPath();
  for (const [time] of gaps) {
    const x = Math.round(plot.valToPos(time, "x", true));
    if (x < left || x > left + width) continue;
    plot.ctx.moveTo(x, top);
    plot.ctx.lineTo(x, top + height);
  }
  plot.ctx.stroke();
  plot.ctx.restore();
}

// Puts a value where its time belongs, mostly at the end, or in the place of what has the same time.
function insert({ times, values }, time, value) {
  let at = times.length;
  while (at > 0 && times[at - 1] >= time) at -= 1;
  const same = times[at] === time ? 1 : 0;
  times.splice(at, same, time);
  values.splice(at, same, value);
  if (times.length > MOST) {
    times.shift();
    values.shift();
  }
}

const SIGNAL = { rssi: "RSSI, dBm", lsnr: "SNR, dB" };
const nameOf = (chart) => SIGNAL[chart.name] ?? chart.name;

function told({ values }, name) {
  let [lowest, highest] = [Infinity, -Infinity];
  for (const value of values) [lowest, highest] = [Math.min(lowest, value), Math.max(highest, value)];
  return `${name}: ${values.length} values from ${lowest} to ${highest}`;
}

export class Charts {
  // `choose` is called with the first and the last moment that were dragged over.
  constructor(place, choose) {
    this.place = place;
    this.choose = choose;
    this.plots = [];
    this.content = { charts: [], missing: [], beyond: [] };
    this.held = false; // the mouse button is down: something may be dragged over
    for (const type of ["mousedown", "mousemove", "mouseup"]) {
      addEventListener(type, (event) => {
        this.held = (event.buttons & 1) === 1;
      });
    }
    new ResizeObserver(() => this.plots.forEach((plot) => plot.setSize({ width: plot.root.parentElement.clientWidth, height: HEIGHT }))).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw(this.content));
  }

  draw(content) {
    this.content = content;
    this.plots.forEach((plot) => plot.destroy());
    this.place.replaceChildren();
    const frames = content.charts.map((chart) => this.frame(chart)); // all, before one takes all the room
    this.plots = content.charts.map((chart, number) => this.plot(chart, frames[number]));
    if (content.beyond.length) {
      this.place.append(element("p", { class: "note" }, `Not drawn: ${content.beyond.join(", ")}.`));
    }
  }

  // Takes the numbers of one more uplink, or more of them. Says whether each has the chart that it can
  // have: where some are not drawn, no other can. What was taken is seen from the next `update` on.
  add(time, values) {
    const { charts, beyond } = this.content;
    let all = true;
    for (const [name, value] of Object.entries(values)) {
      const chart = charts.find((each) => each.name === name);
      if (chart) insert(chart, time, value);
      else all &&= beyond.length > 0;
    }
    return all;
  }

  update() {
    this.content.charts.forEach((chart, number) => {
      const plot = this.plots[number];
      plot.root.parentElement.ariaLabel = told(chart, nameOf(chart));
      plot.setData([chart.times, chart.values]);
    });
  }

  // One for all charts, whatever each has.
  range() {
    return [this.content.first, this.content.last].map(Date.parse);
  }

  frame(chart) {
    const label = told(chart, nameOf(chart));
    const frame = element("figure", { "aria-label": label }, element("figcaption", {}, nameOf(chart)));
    this.place.append(frame);
    return frame;
  }

  plot(chart, frame) {
    const axis = { stroke: canvasColour("--faint"), grid: { stroke: canvasColour("--line"), width: 1 }, ticks: { stroke: canvasColour("--line"), width: 1 } };
    const options = {
      width: frame.clientWidth,
      height: HEIGHT,
      ms: 1,
      scales: {
        x: {
          range: (_plot, from, to) => {
            const [first, last] = this.range();
            return first < last ? [first, last] : [from, to];
          },
        },
      },
      cursor: { sync: { key: "device", filters: { pub: MOVES } }, drag: { x: true, y: false, setScale: false } },
      axes: [axis, { ...axis, size: 64 }],
      series: [{ label: "time" }, { label: nameOf(chart), stroke: canvasColour("--link"), width: 1.5, points: { size: 4 } }],
      hooks: {
        draw: [(plot) => gapLines(plot, this.content.missing)],
        setSelect: [
          (plot) => {
            const { left, width } = plot.select;
            plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
            if (width >= 3) this.choose(...[left, left + width].map((x) => plot.posToVal(x, "x")));
          },
        ],
      },
    };
    const plot = new uPlot(options, [chart.times, chart.values], frame);
    plot.root.ariaHidden = "true"; // the figure's label says it in words
    return plot;
  }
}
