// A waveform that sweeps across a canvas as on a patient monitor: the newest samples erase the oldest.

import { store } from "./store.js";

const span = 8000; // milliseconds across the canvas
const delay = 900; // milliseconds that drawing is behind, so that samples have come when they are due
const gap = 14; // pixels erased before the pen
const maxSamples = 20000; // kept of one waveform; beyond it the oldest go

export class Sweep {
  constructor(canvas, wave, colour) {
    this.canvas = canvas;
    this.wave = wave;
    this.colour = colour;
    this.points = []; // [time, value or NaN], by time
    this.factor = 1; // of two samples that are drawn, how many there were each
    this.drawn = 0; // time up to which the canvas shows the points
    // The technical range is what could be, not what is: the scale follows the samples.
    this.low = Infinity;
    this.high = -Infinity;
    this.context = canvas.getContext("2d", { alpha: false, desynchronized: true });
    this.take = (block) => this.#take(block);
  }

  #take(b) {
    const end = this.points.length ? this.points[this.points.length - 1][0] : -Infinity;
    let t = b.start;
    this.factor = b.factor ?? 1;
    // The estimate of the time moves a little: blocks that follow one another are joined.
    if (!b.gap && Math.abs(t - end - b.period) < Math.max(5 * b.period, 60)) t = end + b.period;
    else if (this.points.length) this.points.push([end, NaN]);
    const usable = b.validity === "" || b.validity === undefined || b.validity === "Vld" || b.validity === "Vldated" || b.validity === "Qst";
    for (const v of b.samples) {
      if (t > end) this.points.push([t, usable && v !== null ? v : NaN]);
      t += b.period;
    }
    if (this.points.length > maxSamples) this.points.splice(0, this.points.length - maxSamples);
  }

  // fit sets the size of the canvas to that on the screen.
  fit() {
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const width = Math.round(this.canvas.clientWidth * ratio), height = Math.round(this.canvas.clientHeight * ratio);
    if (!width || !height || (this.canvas.width === width && this.canvas.height === height)) return;
    this.canvas.width = width;
    this.canvas.height = height;
    this.ratio = ratio;
    this.drawn = 0;
  }

  // frame draws what has become due since the last frame.
  frame(now) {
    const { context: c, canvas } = this;
    const until = now - delay;
    if (!canvas.width || canvas.width < 20) return;
    if (!this.drawn || until - this.drawn > span || until < this.drawn) {
      c.fillStyle = "#05080b";
      c.fillRect(0, 0, canvas.width, canvas.height);
      this.drawn = until - span + 1000;
    }
    while (this.points.length && this.points[0][0] < until - span) this.points.shift();
    this.#scale();
    const x = (t) => ((t % span) / span) * canvas.width;
    const from = this.drawn;
    // Erase from the pen onwards.
    const begin = x(from), width = ((until - from) / span) * canvas.width + gap * this.ratio;
    c.fillStyle = "#05080b";
    c.fillRect(begin, 0, width, canvas.height);
    if (begin + width > canvas.width) c.fillRect(0, 0, begin + width - canvas.width, canvas.height);

    if (this.low > this.high) return; // nothing has come yet
    const reach = this.high - this.low || 1;
    const y = (v) => canvas.height * (0.94 - 0.88 * ((v - this.low) / reach));
    c.strokeStyle = this.colour;
    c.lineWidth = 1.6 * this.ratio;
    c.lineJoin = "round";
    c.beginPath();
    let i = this.#after(from);
    if (i > 0) i--; // the line begins at the last point that was drawn
    let pen = false, last = -1;
    for (; i < this.points.length; i++) {
      const [t, v] = this.points[i];
      if (t > until) break;
      if (Number.isNaN(v)) { pen = false; continue; }
      const px = x(t);
      if (!pen || px < last) c.moveTo(px, y(v));
      else c.lineTo(px, y(v));
      pen = true;
      last = px;
      this.drawn = t;
    }
    c.stroke();
    if (this.drawn < until - 1000) this.drawn = until; // nothing comes: the line ends here
  }

  // after is the index of the first point later than a time.
  #after(t) {
    let low = 0, high = this.points.length;
    while (low < high) {
      const mid = (low + high) >> 1;
      if (this.points[mid][0] <= t) low = mid + 1;
      else high = mid;
    }
    return low;
  }

  // scale widens at once and narrows when a whole sweep was small.
  #scale() {
    if (this.scaled && store.now() - this.scaled < 1000) return;
    this.scaled = store.now();
    let low = Infinity, high = -Infinity;
    for (const [, v] of this.points) {
      if (v < low) low = v;
      if (v > high) high = v;
    }
    if (low > high) return;
    const margin = (high - low || 1) * 0.05;
    if (low < this.low || high > this.high || high - low < 0.6 * (this.high - this.low)) {
      this.low = low - margin;
      this.high = high + margin;
      this.drawn = 0; // everything anew, in the new scale
    }
  }
}

// All sweeps of the page share one loop. frames measures how smooth it is.
let sweeps = [];
export const frames = { times: [], reset() { this.times = []; } };

export function show(list) {
  sweeps = list;
  resize();
}

// load is what there is to draw: waveforms, how many of them have been decimated, to two of how many samples, and points kept of all.
export function load() {
  const steps = sweeps.filter((s) => s.factor > 1).map((s) => 2 * s.factor);
  const recent = frames.times.slice(-60);
  const spent = recent.reduce((sum, t) => sum + t, 0);
  return {
    waves: sweeps.length, decimated: steps.length, least: Math.min(...steps), most: Math.max(...steps),
    points: sweeps.reduce((sum, s) => sum + s.points.length, 0), rate: spent ? Math.round((1000 * recent.length) / spent) : 0,
  };
}

const resize = () => sweeps.forEach((s) => s.fit());
window.addEventListener("resize", resize);

let before = 0;
function loop(at) {
  if (before) {
    frames.times.push(at - before);
    if (frames.times.length > 3600) frames.times.shift();
  }
  before = at;
  const now = store.now();
  for (const s of sweeps) s.frame(now);
  requestAnimationFrame(loop);
}
requestAnimationFrame(loop);
