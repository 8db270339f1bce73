// Control mode: off until somebody takes it by name, one browser at a time, and each operation is confirmed.

import { el, setText } from "./dom.js";
import { store } from "./store.js";

export const control = new (class extends EventTarget {
  token = "";
  name = "";
  #keeping = 0;

  get held() { return this.token !== ""; }

  async take(name) {
    const got = await post("control", { action: "take", name });
    this.token = got.token;
    this.name = got.by;
    this.#keeping = setInterval(() => this.#keep(), 8000);
    this.dispatchEvent(new Event("change"));
  }

  async give(leaving = false) {
    const token = this.token;
    this.#lose();
    await post("control", { action: "give" }, token, leaving);
  }

  async invoke(device, operation, value, args) {
    return post("operations", { device, operation, value, arguments: args, confirmed: operation }, this.token);
  }

  async #keep() {
    try {
      await post("control", { action: "keep" }, this.token);
    } catch {
      this.#lose(); // never pretend
    }
  }

  #lose() {
    clearInterval(this.#keeping);
    this.token = "";
    this.dispatchEvent(new Event("change"));
  }
})();

// A page that is left or loaded anew has no control any more: nobody has to wait for it to expire.
window.addEventListener("pagehide", () => { if (control.held) control.give(true).catch(() => {}); });

async function post(what, body, token = "", keepalive = false) {
  const answer = await fetch(`api/v1/${what}`, {
    method: "POST", keepalive, headers: { "Content-Type": "application/json", "X-Sdc-Control": token }, body: JSON.stringify(body),
  });
  const got = await answer.json();
  if (!answer.ok) throw new Error(got.error);
  return got;
}

// What became of operations is kept apart from the page, which may be built anew at any time.
const outcomes = new Map(); // "epr handle" -> text

function tell(key, text) {
  outcomes.set(key, text);
  for (const e of document.querySelectorAll(".operations [data-outcome]")) if (e.dataset.outcome === key) setText(e, text);
}

const dialog = () => document.getElementById("dialog");

function ask(title, fields, confirm, act) {
  const d = dialog();
  const said = el("p", { class: "error", role: "alert" });
  const form = el("form", { method: "dialog" }, el("h2", { id: "dialog-title" }, title), fields, said,
    el("menu", {}, el("button", { type: "button", onclick: () => d.close() }, "Cancel"), el("button", { type: "submit", class: "act" }, confirm)));
  form.addEventListener("submit", async (e) => {
    e.preventDefault();
    try {
      await act(new FormData(form));
      d.close();
    } catch (err) {
      setText(said, err.message);
    }
  });
  d.replaceChildren(form);
  d.showModal();
}

// button is the switch in the header.
export function button(b) {
  const update = () => {
    b.hidden = !store.structure?.control;
    setText(b, control.held ? `Give up control (${control.name})` : "Take control");
    document.body.classList.toggle("controlling", control.held);
  };
  b.addEventListener("click", () => {
    if (control.held) control.give().catch(() => {});
    else {
      ask("Take control of devices", [
        el("p", {}, "Operations will act on real devices. Everything is recorded under your name."),
        el("label", {}, "Your name ", el("input", { name: "name", required: true, maxlength: 100, autocomplete: "off" })),
      ], "Take control", (data) => control.take(data.get("name")));
    }
  });
  control.addEventListener("change", update);
  store.addEventListener("structure", update);
  update();
}

// operations is the list of what a device can be asked to do. signal ends its listening.
export function operations(device, system, signal) {
  const rows = system.operations.filter((o) => ["SetValue", "SetString", "Activate"].includes(o.kind)).map((o) => {
    const key = device.epr + " " + o.handle;
    const said = el("span", { class: "note", role: "status", "data-outcome": key }, outcomes.get(key) ?? "");
    const act = el("button", { type: "button", onclick: () => confirmOperation(device, system, o, key) }, o.kind === "Activate" ? "Activate…" : "Set…");
    const update = () => { act.disabled = !control.held || !o.enabled; };
    control.addEventListener("change", update, { signal });
    update();
    return el("tr", {}, el("td", {}, o.label), el("td", {}, [o.ranges?.join("; "), o.values?.join(", ")].filter(Boolean).join(" ") || ""),
      el("td", {}, o.enabled ? act : "not enabled"), el("td", {}, said));
  });
  return el("table", { class: "operations" },
    el("thead", {}, el("tr", {}, el("th", {}, "Operation"), el("th", {}, "Allowed"), el("th", {}, ""), el("th", {}, "Outcome"))),
    el("tbody", {}, rows.length ? rows : el("tr", {}, el("td", { colspan: 4 }, "none that can be invoked from here"))));
}

// acknowledge is the button for an alarm that can be acknowledged; null for others.
export function acknowledge(device, system, alert, signal) {
  const o = store.structure.control && system.operations.find((x) => x.handle === alert.acknowledge);
  if (!o) return null;
  const act = el("button", { type: "button", class: "acknowledge", onclick: () => confirmOperation(device, system, o, device.epr + " " + o.handle) }, "Acknowledge…");
  const update = () => { act.disabled = !control.held; };
  control.addEventListener("change", update, { signal });
  update();
  return act;
}

function confirmOperation(device, system, o, key) {
  const patient = system.patient.association === "associated" ? system.patient.text || "without a name" : "none";
  const fields = [el("p", {}, `${o.label} of ${device.name || device.epr}. Patient: ${patient}`)];
  if (o.kind === "SetValue") fields.push(el("label", {}, `Value in ${o.unit || "its unit"} `, el("input", { name: "value", required: true, inputmode: "decimal" })));
  if (o.kind === "SetString") {
    fields.push(el("label", {}, "Value ", o.values?.length
      ? el("select", { name: "value" }, o.values.map((v) => el("option", {}, v)))
      : el("input", { name: "value", required: true })));
  }
  (o.kind === "Activate" ? o.arguments ?? [] : []).forEach((name, i) => fields.push(el("label", {}, `${name} `, el("input", { name: `argument${i}`, required: true }))));
  fields.push(el("label", { class: "check" }, el("input", { type: "checkbox", required: true }), " I have checked the device, the patient and the value."));
  ask("Confirm", fields, "Do it now", async (data) => {
    tell(key, "under way");
    const args = (o.arguments ?? []).map((_, i) => data.get(`argument${i}`)).filter((a) => a !== null);
    try {
      const got = await control.invoke(device.epr, o.handle, data.get("value") ?? "", o.kind === "Activate" ? args : []);
      tell(key, [got.state, got.error].filter(Boolean).join(": "));
    } catch (e) {
      tell(key, "refused");
      throw e;
    }
  });
}
