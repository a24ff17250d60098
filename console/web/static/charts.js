// A chart for each number of a device, above each other, with one cursor.

import { element } from "./page.js";
import uPlot from "./uplot/uPlot.esm.js";

const HEIGHT = 170;
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

function gapLines(gaps) {
  return (plot) => {
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
  };
}

const SIGNAL = { rssi: "RSSI, dBm", lsnr: "SNR, dB" };
const nameOf = (chart) => SIGNAL[chart.name] ?? chart.name;

export class Charts {
  // `choose` is called with the first and the last moment that were dragged over.
  constructor(place, choose) {
    this.place = place;
    this.choose = choose;
    this.plots = [];
    this.content = { charts: [], missing: [], beyond: [] };
    new ResizeObserver(() => this.plots.forEach((plot) => plot.setSize({ width: plot.root.parentElement.clientWidth, height: HEIGHT }))).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw(this.content));
  }

  draw(content) {
    this.content = content;
    this.plots.forEach((plot) => plot.destroy());
    this.place.replaceChildren();
    const range = [content.first, content.last].map(Date.parse); // one for all, whatever each has
    const frames = content.charts.map((chart) => this.frame(chart)); // all, before one takes all the room
    this.plots = content.charts.map((chart, number) => this.plot(chart, frames[number], range, content.missing));
    if (content.beyond.length) {
      this.place.append(element("p", { class: "note" }, `Not drawn: ${content.beyond.join(", ")}.`));
    }
  }

  frame(chart) {
    const { values } = chart;
    const told = `${nameOf(chart)}: ${values.length} values from ${Math.min(...values)} to ${Math.max(...values)}`;
    const frame = element("figure", { "aria-label": told }, element("figcaption", {}, nameOf(chart)));
    this.place.append(frame);
    return frame;
  }

  plot(chart, frame, range, gaps) {
    const axis = { stroke: canvasColour("--faint"), grid: { stroke: canvasColour("--line"), width: 1 }, ticks: { stroke: canvasColour("--line"), width: 1 } };
    const options = {
      width: frame.clientWidth,
      height: HEIGHT,
      ms: 1,
      scales: { x: { range: (_plot, from, to) => (range[0] < range[1] ? range : [from, to]) } },
      cursor: { sync: { key: "device", filters: { pub: MOVES } }, drag: { x: true, y: false, setScale: false } },
      axes: [axis, { ...axis, size: 64 }],
      series: [{ label: "time" }, { label: nameOf(chart), stroke: canvasColour("--link"), width: 1.5, points: { size: 4 } }],
      hooks: {
        draw: [gapLines(gaps)],
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
