// A number, large, with everything that keeps it from being mistaken: unit, validity, age, and whether it is live at all.

import { age, el, setClass, setText } from "./dom.js";
import { look } from "./meaning.js";
import { store } from "./store.js";

const words = {
  stale: "STALE",
  former: "OTHER PATIENT?",
  invalid: "no value",
  old: "OLD",
  questionable: "questionable",
  current: "",
};

export class Tile {
  constructor(device, metric) {
    this.device = device;
    this.metric = metric;
    this.number = el("span", { class: "number" }, "–");
    this.note = el("span", { class: "note" });
    this.root = el("a", { class: "tile", href: `#/device/${encodeURIComponent(device)}/${encodeURIComponent(metric.handle)}` },
      el("span", { class: "label", title: metric.symbol ?? metric.label }, metric.label),
      this.number,
      el("span", { class: "unit" }, metric.unit),
      this.note);
    this.update();
  }

  update() {
    const v = store.value(this.device, this.metric.handle);
    const status = !v ? "invalid" : !store.connected && v.status !== "former" ? "stale" : v.status;
    setClass(this.root, `tile ${status} ${look(this.metric.code).group} ${this.metric.role}`);
    // What may be of somebody else is not shown at all.
    setText(this.number, !v || status === "former" ? "–" : (v.number ?? v.text) || "–");
    const old = v?.determined ? age(store.now() - v.determined) : "";
    const word = words[status] ?? status;
    const shown = status === "current" ? "" : [word, status === "stale" || status === "old" ? old : ""].join(" ").trim();
    setText(this.note, shown);
    this.root.setAttribute("aria-label", `${this.metric.label} ${this.number.textContent} ${this.metric.unit} ${shown}`);
  }
}
