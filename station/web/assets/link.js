// The state of a link, impossible to overlook.

import { age, el, setClass, setText } from "./dom.js";
import { store } from "./store.js";

const words = { connecting: "CONNECTING", live: "live", resyncing: "RESYNCHRONISING", lost: "LINK LOST", gone: "DEVICE LEFT" };

export class LinkBadge {
  constructor(epr) {
    this.epr = epr;
    this.root = el("span", { class: "link" });
    this.update();
  }

  update() {
    const link = store.device(this.epr)?.link;
    const state = !store.connected ? "unknown" : link?.state ?? "gone";
    setClass(this.root, `link ${state}`);
    if (state === "live") setText(this.root, "live");
    else if (state === "unknown") setText(this.root, "UNKNOWN");
    else setText(this.root, `${words[state] ?? state} ${link?.since ? age(store.now() - link.since) : ""}`.trim());
    this.root.title = link?.cause ?? "";
  }
}
