// What the station has told, kept up to date over one WebSocket.

// How long the station may be silent before everything is taken for stale: it sends something every second.
const silence = 3000;

class Store extends EventTarget {
  structure = null;
  values = new Map(); // "epr handle" -> value
  connected = false;
  lastMessage = 0; // performance.now() of the last message
  offset = 0; // to be added to Date.now() for the time of the station
  #socket = null;
  #offsets = [];
  #wanted = "";
  #retry = 500;
  #sinks = new Map(); // "epr handle" -> Set of functions that take blocks

  start() {
    this.#open();
    setInterval(() => this.#watch(), 250);
  }

  // now is the time by the clock of the station.
  now() { return Date.now() + this.offset; }

  value(device, handle) { return this.values.get(device + " " + handle); }

  device(epr) { return this.structure?.devices.find((d) => d.epr === epr); }

  // silentSince is how long, in milliseconds, nothing has come.
  silentFor() { return performance.now() - this.lastMessage; }

  // followWaves says which waveforms are shown: pairs of reference and function that takes blocks. It replaces what was before.
  followWaves(list, rate) {
    this.#sinks.clear();
    for (const { device, handle, take } of list) {
      const key = device + " " + handle;
      if (!this.#sinks.has(key)) this.#sinks.set(key, new Set());
      this.#sinks.get(key).add(take);
    }
    const waves = [...this.#sinks.keys()].slice(0, 64).map((key) => {
      const at = key.indexOf(" ");
      return { device: key.slice(0, at), handle: key.slice(at + 1) };
    });
    this.#wanted = JSON.stringify({ type: "want", waves, rate });
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(this.#wanted);
  }

  #open() {
    const url = new URL("api/v1/live", location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    url.hash = "";
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.onopen = () => {
      this.#retry = 500;
      if (this.#wanted) socket.send(this.#wanted);
    };
    socket.onmessage = (m) => this.#take(JSON.parse(m.data));
    socket.onclose = () => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      this.#setConnected(false);
      setTimeout(() => this.#open(), this.#retry * (0.5 + Math.random()));
      this.#retry = Math.min(this.#retry * 2, 5000);
    };
  }

  #take(m) {
    this.lastMessage = performance.now();
    this.#setConnected(true);
    // The least delay seen lately is the best guess of the difference of the clocks.
    this.#offsets.push(m.time - Date.now());
    if (this.#offsets.length > 100) this.#offsets.shift();
    this.offset = Math.max(...this.#offsets);
    switch (m.type) {
      case "structure":
        this.structure = m;
        this.#forget();
        this.dispatchEvent(new Event("structure"));
        break;
      case "values":
        for (const v of m.values) this.values.set(v.device + " " + v.handle, v);
        if (m.values.length) this.dispatchEvent(new CustomEvent("values", { detail: m.values }));
        break;
      case "waves":
        for (const b of m.blocks) this.#sinks.get(b.device + " " + b.handle)?.forEach((take) => take(b));
        break;
    }
  }

  // forget drops values of what is not there any more.
  #forget() {
    const there = new Set();
    for (const d of this.structure.devices) for (const s of d.systems) for (const v of s.values) there.add(d.epr + " " + v.handle);
    for (const key of this.values.keys()) if (!there.has(key)) this.values.delete(key);
  }

  #watch() {
    if (this.connected && this.silentFor() > silence) {
      // Half-open connections and stopped stations look like calm: do not believe it.
      this.#setConnected(false);
      this.#socket?.close();
    }
  }

  #setConnected(on) {
    if (this.connected === on) return;
    this.connected = on;
    this.dispatchEvent(new Event("connection"));
  }
}

export const store = new Store();
