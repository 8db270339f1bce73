// The trend of a number over the last hours.

import { el, time } from "./dom.js";
import { store } from "./store.js";
import { colour } from "./wall.js";

const span = 8 * 3600 * 1000;

export function trend(device, system, metric) {
  const canvas = el("canvas", { class: "trend", role: "img", "aria-label": `trend of ${metric.label}` });
  const said = el("p", { class: "note" }, "loading");
  const root = el("figure", { class: "trend" }, el("figcaption", {}, `${metric.label} in ${metric.unit}, least and greatest of each step`), canvas, said);
  let stopped = false;
  const load = async () => {
    if (stopped) return;
    try {
      const query = new URLSearchParams({ device, handle: metric.handle });
      const patient = store.structure?.patients.find((p) => p.systems.some(([epr, handle]) => epr === device && handle === system.handle));
      if (patient) query.set("patient", patient.key);
      const answer = await fetch(`api/v1/trend?${query}`);
      const body = await answer.json();
      if (!answer.ok) throw new Error(body.error);
      draw(canvas, body.buckets, colour(metric.code));
      const n = body.buckets.length;
      const range = n ? `, ${Math.min(...body.buckets.map((b) => b.least))} to ${Math.max(...body.buckets.map((b) => b.greatest))} ${metric.unit}` : "";
      canvas.setAttribute("aria-label", `trend of ${metric.label}${range}`);
      said.textContent = n ? `${n} step${n > 1 ? "s" : ""} from ${time(body.buckets[0].begin)} to ${time(body.buckets[n - 1].end)}` : "nothing is remembered yet";
    } catch (e) {
      said.textContent = `the trend could not be read: ${e.message}`;
    }
    setTimeout(load, 10000);
  };
  requestAnimationFrame(load);
  return { root, stop() { stopped = true; } };
}

function draw(canvas, buckets, colour) {
  const ratio = Math.min(window.devicePixelRatio || 1, 2);
  canvas.width = canvas.clientWidth * ratio;
  canvas.height = canvas.clientHeight * ratio;
  const c = canvas.getContext("2d");
  c.fillStyle = "#05080b";
  c.fillRect(0, 0, canvas.width, canvas.height);
  if (!buckets.length) return;
  const end = buckets[buckets.length - 1].end;
  // The whole span only when there is as much: a young trend would be a line of one pixel.
  const begin = Math.max(end - span, Math.min(buckets[0].begin, end - 5 * 60 * 1000));
  let low = Infinity, high = -Infinity;
  for (const b of buckets) {
    low = Math.min(low, b.least);
    high = Math.max(high, b.greatest);
  }
  const margin = (high - low || Math.abs(high) * 0.1 || 1) * 0.1;
  low -= margin;
  high += margin;
  const x = (t) => ((t - begin) / (end - begin)) * canvas.width;
  const y = (v) => canvas.height * (1 - (v - low) / (high - low));
  c.fillStyle = "#8b97a5";
  c.font = `${11 * ratio}px sans-serif`;
  c.fillText((high - margin).toPrecision(4), 4 * ratio, 12 * ratio);
  c.fillText((low + margin).toPrecision(4), 4 * ratio, canvas.height - 4 * ratio);
  c.fillStyle = colour;
  c.globalAlpha = 0.35;
  for (const b of buckets) {
    const left = x(b.begin), width = Math.max(x(b.end) - left, 1);
    c.fillRect(left, y(b.greatest), width, Math.max(y(b.least) - y(b.greatest), 1));
  }
  c.globalAlpha = 1;
  for (const b of buckets) c.fillRect(x(b.begin), y(b.mean) - ratio, Math.max(x(b.end) - x(b.begin), 2 * ratio), 2 * ratio);
}
