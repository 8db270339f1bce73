// The page: routes, and what is kept up to date on whichever route is shown.

import * as alarms from "./alarms.js";
import { button } from "./control.js";
import { devicePage } from "./device.js";
import { age, el, setText, time } from "./dom.js";
import { store } from "./store.js";
import { frames, load, show } from "./sweep.js";
import { keepStrips, wall } from "./wall.js";

const $ = (id) => document.getElementById(id);
const main = $("main");
let page = { tiles: [], badges: [], waves: [], stop() {} };
let built = ""; // what the page was built of

// skeleton is what of the structure decides which elements there are: the page is built anew only if that has changed, so that
// focus, scrolling and waveforms stay.
function skeleton() {
  const s = store.structure;
  return JSON.stringify([location.hash, s.title, s.control, s.places, s.patients, s.waiting, s.devices.map((d) => [d.epr, d.name, d.link.state === "live", d.systems.map((x) =>
    [x.handle, x.label, x.mode, x.clockWrong, x.patient, x.location, x.ensembles, x.values, x.waves, x.operations, onDevicePage() ? x.alerts : 0])])]);
}

const onDevicePage = () => location.hash.startsWith("#/device/");

function build() {
  if (!store.structure) return;
  setText($("title"), store.structure.title);
  document.title = store.structure.title;
  const now = skeleton();
  if (now !== built) {
    built = now;
    page.stop?.();
    const [, , epr, handle] = location.hash.split("/").map(decodeURIComponent);
    page = onDevicePage() ? devicePage(main, epr, handle) : wall(main);
    keepStrips();
    show(page.waves.map((w) => w.sweep));
    const width = Math.max(200, page.waves[0]?.sweep.canvas.clientWidth ?? 400);
    store.followWaves(page.waves.map((w) => ({ device: w.device, handle: w.handle, take: w.sweep.take })), Math.min(500, Math.round(width / 4)));
  }
  page.badges.forEach((b) => b.update());
  setText($("announce"), store.structure.devices.filter((d) => d.link.state !== "live").map((d) => `${d.name || d.epr}: ${d.link.state}`).join(", "));
  alarms.render($("alarms"));
  const conflicts = $("conflicts");
  conflicts.hidden = !store.structure.conflicts.length;
  conflicts.replaceChildren(el("ul", {}, store.structure.conflicts.map((c) => el("li", {}, c.text))));
}

function connection() {
  const on = store.connected;
  document.body.classList.toggle("disconnected", !on);
  setText($("connection"), on ? "connected to the station" : "NOT CONNECTED TO THE STATION");
  page.tiles.forEach((t) => t.update());
  page.badges.forEach((b) => b.update());
  tick();
}

function tick() {
  setText($("clock"), time(store.now()));
  const out = $("outage");
  out.hidden = store.connected;
  if (!store.connected) {
    setText(out, store.lastMessage ? `No connection to the station for ${age(store.silentFor())}. Everything below is old.` : "Connecting to the station.");
  }
  page.tiles.forEach((t) => t.update()); // ages grow
  page.badges.forEach((b) => b.update());
  setText($("load"), loadText(load()));
}

// loadText says how much of the waveforms is drawn, and how smoothly.
function loadText({ waves, points, decimated, least, most, rate }) {
  if (!waves || !points) return "";
  const shown = decimated ? `${decimated} decimated to the least and greatest of each ${least === most ? most : `${least} to ${most}`} samples` : "every sample drawn";
  return `${waves} waveforms, ${shown}, ${rate} frames/s`;
}

store.addEventListener("structure", build);
store.addEventListener("values", (e) => {
  const changed = new Set(e.detail.map((v) => v.device + " " + v.handle));
  for (const t of page.tiles) if (changed.has(t.device + " " + t.metric.handle)) t.update();
});
store.addEventListener("connection", connection);
window.addEventListener("hashchange", () => { build(); main.focus(); });
document.querySelector(".skip").addEventListener("click", (e) => {
  e.preventDefault(); // a fragment would be taken for a route
  main.focus();
});
setInterval(tick, 1000);
button($("control"));
store.start();

// For tests and for whoever wants to know how smooth it is: the times between frames in milliseconds.
window.sdcFrames = frames;
window.sdcLoad = load;
