// The wall: every place with its devices.

import { el, setClass, setText } from "./dom.js";
import { LinkBadge } from "./link.js";
import { look, important } from "./meaning.js";
import { store } from "./store.js";
import { Sweep } from "./sweep.js";
import { Tile } from "./tile.js";

const colours = {
  heart: "#3ddc84", oxygen: "#4dd0e1", pressure: "#ff6e6e", breath: "#f4e04d", carbon: "#f4e04d", airway: "#8ab4f8", other: "#c3cbd5",
};

export const colour = (code) => colours[look(code).group];

// A waveform that has no number of its own kind is told by its unit.
const byUnit = { mV: "heart", mmHg: "pressure", cmH2O: "airway", "L/min": "airway", mL: "airway" };

const waveColour = (wave) => colours[look(wave.code).group === "other" ? byUnit[wave.unit] ?? "other" : look(wave.code).group];

const byNumber = (a, b) => a.text.localeCompare(b.text, undefined, { numeric: true }); // bed 2 comes before bed 10

const tiles = 6; // numbers on a card
const strips = 3; // waveforms on a card

// What has been drawn stays when a page is built anew, as with every change of any device: strips are used again.
let former = new Map();
let present = new Map(); // "epr handle height" -> strip

// keepStrips forgets the strips that the page just built does not show.
export function keepStrips() {
  former = present;
  present = new Map();
}

// waveStrip is a waveform with its label.
export function waveStrip(device, wave, height) {
  const key = [device, wave.handle, height].join(" ");
  let strip = former.get(key);
  if (strip?.made !== wave.label + wave.unit + wave.code) {
    const canvas = el("canvas", { class: `wave ${height}`, role: "img", "aria-label": `waveform ${wave.label} in ${wave.unit}` });
    const note = el("span", { class: "note" });
    strip = {
      made: wave.label + wave.unit + wave.code, note, sweep: new Sweep(canvas, wave, waveColour(wave)),
      root: el("figure", {}, el("figcaption", {}, wave.label, note), canvas),
    };
  }
  setClass(strip.root, `strip ${wave.status}`);
  setText(strip.note, wave.status === "current" ? "" : wave.status);
  present.set(key, strip);
  return { sweep: strip.sweep, root: strip.root };
}

function patientText(system) {
  switch (system.patient.association) {
    case "associated": return system.patient.text || "patient without a name";
    case "pre": return "patient to be confirmed";
    case "conflicting": return "SEVERAL PATIENTS: none counts";
    default: return "no patient";
  }
}

// card is one MDS.
function card(device, system, page) {
  const badge = new LinkBadge(device.epr);
  const shown = important(system.values.filter((v) => v.numeric && v.role !== "preset")).slice(0, tiles).map((m) => new Tile(device.epr, m));
  const waves = important(system.waves.map((w) => ({ ...w, role: "measured" }))).slice(0, strips).map((w) => ({ wave: w, ...waveStrip(device.epr, w, "low") }));
  page.badges.push(badge);
  page.tiles.push(...shown);
  page.waves.push(...waves.map((w) => ({ device: device.epr, handle: w.wave.handle, sweep: w.sweep })));
  return el("article", { class: `card ${device.link.state}`, "data-device": device.epr },
    el("h3", {}, el("a", { href: `#/device/${encodeURIComponent(device.epr)}` }, device.name || system.label || device.epr), badge.root),
    el("p", { class: `patient ${system.patient.association}` }, patientText(system),
      system.mode === "Dmo" ? el("span", { class: "note" }, " · demonstration mode") : null,
      system.clockWrong ? el("span", { class: "note" }, " · clock is wrong") : null),
    el("div", { class: "waves" }, waves.map((w) => w.root)),
    el("div", { class: "tiles" }, shown.map((t) => t.root)));
}

// wall fills main and returns what has to be kept up to date.
export function wall(main) {
  const page = { tiles: [], badges: [], waves: [], update() {} };
  const structure = store.structure;
  const placed = new Set();
  const find = ([epr, handle]) => {
    const device = structure.devices.find((d) => d.epr === epr);
    const system = device?.systems.find((s) => s.handle === handle);
    return system ? [device, system] : null;
  };
  const sections = [...structure.places].sort(byNumber).map((place) => {
    const here = place.systems.map(find).filter(Boolean);
    here.forEach(([d, s]) => placed.add(d.epr + " " + s.handle));
    const names = place.patients.map((key) => structure.patients.find((p) => p.key === key)?.name ?? key);
    return el("section", { class: "place" },
      el("h2", {}, place.text || "place without a name",
        el("span", { class: names.length > 1 ? "patient conflicting" : "patient" }, names.length ? names.join(" / ") : "no patient")),
      el("div", { class: "cards" }, here.map(([d, s]) => card(d, s, page))));
  });
  const rest = [];
  const empty = [];
  for (const d of structure.devices) {
    if (!d.systems.length) empty.push(d);
    // An MDS that shows nothing, beside others of its device that do, gets no card: it stands for the device itself.
    const shows = (s) => d.systems.length === 1 || s.values.length > 0 || s.waves.length > 0;
    for (const s of d.systems) if (!placed.has(d.epr + " " + s.handle) && shows(s)) rest.push([d, s]);
  }
  if (rest.length) {
    sections.push(el("section", { class: "place" }, el("h2", {}, "without a place"), el("div", { class: "cards" }, rest.map(([d, s]) => card(d, s, page)))));
  }
  if (empty.length) {
    sections.push(el("section", { class: "place" }, el("h2", {}, "not connected yet"), el("ul", {}, empty.map((d) => {
      const badge = new LinkBadge(d.epr);
      page.badges.push(badge);
      return el("li", {}, d.name || d.epr, " ", badge.root);
    }))));
  }
  if (!structure.devices.length) sections.push(el("p", { class: "calm" }, "No device has been found yet."));
  if (structure.waiting.length) sections.push(el("p", { class: "note" }, `${structure.waiting.length} more devices wait: the station takes no more.`));
  main.replaceChildren(...sections);
  return page;
}
