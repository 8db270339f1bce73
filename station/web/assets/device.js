// The page of one device.

import { row } from "./alarms.js";
import { acknowledge, operations } from "./control.js";
import { el } from "./dom.js";
import { LinkBadge } from "./link.js";
import { important, look } from "./meaning.js";
import { store } from "./store.js";
import { Tile } from "./tile.js";
import { trend } from "./trend.js";
import { waveStrip } from "./wall.js";

// devicePage fills main; chosen is the handle of the metric whose trend is shown.
export function devicePage(main, epr, chosen) {
  const page = { tiles: [], badges: [], waves: [], update() {}, stop() {} };
  const device = store.device(epr);
  if (!device) {
    main.replaceChildren(el("p", { class: "calm" }, "The station does not know this device (any more)."));
    return page;
  }
  const badge = new LinkBadge(epr);
  page.badges.push(badge);
  const gone = new AbortController();
  const stops = [() => gone.abort()];
  const parts = [
    el("p", {}, el("a", { href: "#/" }, "‹ all devices")),
    el("h2", {}, device.name || epr, badge.root),
    el("p", { class: "note" }, [device.manufacturer, device.model, device.serial, epr].filter(Boolean).join(" · ")),
    device.link.state !== "live" && device.link.cause ? el("p", { class: "error" }, device.link.cause) : null,
  ];
  for (const system of device.systems) {
    const list = important(system.values);
    const numbers = list.filter((v) => v.numeric).map((m) => new Tile(epr, m));
    const texts = list.filter((v) => !v.numeric).map((m) => new Tile(epr, m));
    page.tiles.push(...numbers, ...texts);
    const waves = important(system.waves.map((w) => ({ ...w, role: "measured" }))).map((w) => ({ wave: w, ...waveStrip(epr, w, "high") }));
    page.waves.push(...waves.map((w) => ({ device: epr, handle: w.wave.handle, sweep: w.sweep })));
    const metric = system.values.find((v) => v.handle === chosen && v.numeric) ??
      (chosen ? null : list.find((v) => v.numeric && look(v.code).rank < 100000));
    let shown = null;
    if (metric) {
      shown = trend(epr, system, metric);
      stops.push(shown.stop);
    }
    parts.push(el("section", { class: "system" },
      el("h3", {}, system.label || system.handle),
      el("dl", { class: "contexts" },
        el("dt", {}, "Patient"), el("dd", { class: `patient ${system.patient.association}` }, system.patient.text || "none",
          system.patient.birth ? `, born ${system.patient.birth}` : "", ` (${system.patient.association})`),
        el("dt", {}, "Location"), el("dd", {}, system.location.text || "none", ` (${system.location.association})`),
        system.ensembles.length ? [el("dt", {}, "Ensembles"), el("dd", {}, system.ensembles.join(", "))] : null,
        el("dt", {}, "Clock"), el("dd", {}, system.clockWrong ? "WRONG, " : "", `${(system.clockOffset / 1000).toFixed(1)} s behind the station`)),
      waves.length ? el("div", { class: "waves" }, waves.map((w) => w.root)) : null,
      el("div", { class: "tiles large" }, numbers.map((t) => t.root)),
      texts.length ? el("div", { class: "tiles texts" }, texts.map((t) => t.root)) : null,
      shown?.root,
      el("h4", {}, "Alarms"),
      system.alerts.length
        ? el("ul", { class: "alerts" }, system.alerts.map((a) => (a.active ? row(device, system, a, acknowledge(device, system, a, gone.signal))
          : el("li", { class: "alarm absent" }, el("span", { class: "what" }, a.label), el("span", { class: "state" },
            [a.off ? "off or paused" : "not present", a.limits ? `limits ${a.limits}` : ""].filter(Boolean).join(", "))))))
        : el("p", { class: "note" }, "none"),
      el("h4", {}, "Operations"),
      store.structure.control ? operations(device, system, gone.signal) : el("p", { class: "note" }, "This view is for reading only.")));
  }
  const tree = el("div", { class: "tree" });
  parts.push(el("details", { ontoggle: (e) => e.target.open && showTree(tree, epr) }, el("summary", {}, "Containment tree"), tree));
  main.replaceChildren(...parts.filter(Boolean));
  page.stop = () => stops.forEach((stop) => stop());
  return page;
}

async function showTree(into, epr) {
  try {
    const answer = await fetch(`api/v1/tree?${new URLSearchParams({ device: epr })}`);
    const body = await answer.json();
    if (!answer.ok) throw new Error(body.error);
    into.replaceChildren(el("p", { class: "note" }, `MDIB version ${body.mdibVersion} of sequence ${body.sequence}`),
      el("ul", {}, body.entries.map((e) => el("li", { class: `depth${Math.min(e.depth, 6)}` },
        el("span", { class: "kind" }, e.kind), " ", e.label || e.handle, " ", el("span", { class: "note" }, [e.handle, e.code].filter(Boolean).join(" · "))))));
  } catch (e) {
    into.replaceChildren(el("p", { class: "error" }, e.message));
  }
}
