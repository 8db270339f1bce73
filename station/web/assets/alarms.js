// Active alarms of all devices, the most urgent first, with the colours of IEC 60601-1-8.

import { age, el } from "./dom.js";
import { store } from "./store.js";

const urgency = { Hi: 3, Me: 2, Lo: 1, None: 0 };
const names = { Hi: "high", Me: "medium", Lo: "low", None: "information" };

export function active(structure) {
  const list = [];
  for (const device of structure?.devices ?? []) {
    for (const system of device.systems) {
      for (const alert of system.alerts) if (alert.active) list.push({ device, system, alert });
    }
  }
  return list.sort((a, b) => urgency[b.alert.priority] - urgency[a.alert.priority] || b.alert.since - a.alert.since);
}

// state tells in words what the colour tells.
export function state(alert) {
  const words = [];
  if (alert.stale) words.push("stale: may have ended");
  if (alert.latched) words.push("over, latched");
  else if (!alert.present) words.push("over");
  if (alert.acknowledged) words.push("acknowledged");
  if (alert.off) words.push("alarm system off or paused");
  return words.join(", ");
}

export function alarmClass(alert) {
  return ["alarm", names[alert.priority] ?? "information", alert.acknowledged || !alert.signalled ? "quiet" : "", alert.stale ? "stale" : ""].join(" ").trim();
}

export function row(device, system, alert, button = null) {
  const said = state(alert);
  return el("li", { class: alarmClass(alert) },
    el("strong", { class: "priority" }, names[alert.priority] ?? alert.priority),
    el("span", { class: "what" }, alert.label),
    el("a", { class: "where", href: `#/device/${encodeURIComponent(device.epr)}` },
      [device.name || system.label, system.patient.association === "associated" ? system.patient.text : ""].filter(Boolean).join(" · ")),
    alert.since ? el("span", { class: "since" }, `for ${age(store.now() - alert.since)}`) : null,
    said ? el("span", { class: "state" }, said) : null, button);
}

let shown = "";

export function render(into) {
  const list = active(store.structure);
  const key = JSON.stringify(list.map(({ device, alert }) => [device.epr, device.name, alert]));
  if (key === shown) return;
  shown = key;
  into.setAttribute("aria-live", list.some((a) => a.alert.priority === "Hi") ? "assertive" : "polite");
  into.replaceChildren(list.length
    ? el("ul", {}, list.slice(0, 12).map((a) => row(a.device, a.system, a.alert)),
      list.length > 12 ? el("li", { class: "alarm information" }, `and ${list.length - 12} more`) : null)
    : el("p", { class: "calm" }, "no active alarms"));
}
