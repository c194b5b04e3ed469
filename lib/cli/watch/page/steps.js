// The events of connections as steps between columns.

import { bytesOf } from "./bytes.js";
import { preview, size } from "./format.js";

/**
 * @typedef {object} View a connection, as the server describes it
 * @property {number} number
 * @property {"connect" | "accept" | "datagram"} role
 * @property {string} local
 * @property {string} remote
 * @property {string} [name]
 * @property {string} state
 * @property {number} bytesIn
 * @property {number} bytesOut
 * @property {number} began
 * @property {number} [opened]
 * @property {number} [ended]
 * @property {number} [peer]
 * @property {number} [race]
 * @property {string} [tls]
 * @property {number} faults
 * @property {"open" | "closed" | "reset" | "failed" | "lost"} outcome
 * @property {string} end
 * @property {string} why
 * @property {number} events
 * @property {number} leftOut
 */

/** @typedef {Record<string, any>} Event an event of a recording */

/** @typedef {{ number: number, lines: Event[] }} Entry */

/**
 * @typedef {object} Step
 * @property {string} key
 * @property {number} time
 * @property {"data" | "open" | "fin" | "reset" | "tls" | "note" | "fault" | "error" | "gap"} kind
 * @property {number} from the column where it begins
 * @property {number} to the column where it ends
 * @property {string} label
 * @property {string} preview
 * @property {string} words the step as a sentence
 * @property {string} lesson the key of what there is to learn of it
 * @property {View} view
 * @property {Uint8Array} [bytes]
 * @property {number} [size]
 * @property {Event} event
 */

/** @typedef {{ name: string, address: string }} Column */

/** A silence that is longer is folded, in milliseconds. */
const GAP_MS = 1000;

/**
 * The columns of a connection: this side and the peer; of a relay, client, both its sockets, and target.
 * @param {View} view
 * @param {View} [peer]
 * @returns {{ columns: Column[], lanes: Map<number, { self: number, other: number }> }}
 */
export function columnsOf(view, peer) {
  if (peer === undefined) {
    const columns = [
      { name: "this side", address: view.local },
      { name: view.role === "accept" ? "client" : "server", address: view.remote || "anyone" },
    ];
    return { columns, lanes: new Map([[view.number, { self: 0, other: 1 }]]) };
  }
  const [client, target] = view.role === "accept" ? [view, peer] : [peer, view];
  return {
    columns: [
      { name: "client", address: client.remote },
      { name: "relay", address: client.local },
      { name: "relay", address: target.local },
      { name: "target", address: target.remote },
    ],
    lanes: new Map([
      [client.number, { self: 1, other: 0 }],
      [target.number, { self: 2, other: 3 }],
    ]),
  };
}

/**
 * The steps of one connection.
 * @param {View} view
 * @param {readonly Entry[]} entries
 * @param {{ self: number, other: number }} lanes
 * @returns {Step[]}
 */
export function stepsOf(view, entries, lanes) {
  return entries.flatMap(({ number, lines }) => {
    const step = stepOf(view, lines, lanes);
    return step === undefined
      ? []
      : { ...step, key: `${view.number}.${number}`, view, event: lines[0], time: lines[0].time };
  });
}

/**
 * The step that found the addresses of a name; none if it was an address.
 * @param {View} view
 * @param {Event | undefined} event
 * @param {{ self: number, other: number }} lanes
 * @returns {Step[]}
 */
export function resolveSteps(view, event, { self, other }) {
  if (event === undefined || view.name === undefined) return [];
  const addresses = event.addrs.map(addressOf).join(", ");
  return [{
    key: `${view.number}.resolve`,
    time: event.time,
    kind: "note",
    from: Math.min(self, other),
    to: Math.max(self, other),
    label: `resolve ${event.endpoint.host}`,
    preview: addresses,
    words: `${view.name} resolved to ${addresses}`,
    lesson: "resolve",
    view,
    event,
  }];
}

/**
 * Steps in order of time, with a fold where nothing happened for long.
 * @param {readonly Step[]} steps
 * @returns {Step[]}
 */
export function folded(steps) {
  const sorted = [...steps].sort((a, b) => a.time - b.time);
  return sorted.flatMap((step, i) => {
    const silence = i === 0 ? 0 : step.time - sorted[i - 1].time;
    if (silence <= GAP_MS) return [step];
    /** @type {Step} */
    const gap = {
      ...step,
      key: `gap ${step.key}`,
      kind: "gap",
      label: "",
      preview: "",
      words: "",
      lesson: "",
      size: silence,
    };
    return [gap, step];
  });
}

/**
 * @param {View} view
 * @param {readonly Event[]} lines
 * @param {{ self: number, other: number }} lanes
 * @returns {Omit<Step, "key" | "view" | "event" | "time"> | undefined}
 */
function stepOf(view, lines, { self, other }) {
  const [event] = lines;
  const out = { from: self, to: other };
  const back = { from: other, to: self };
  const across = { from: Math.min(self, other), to: Math.max(self, other) };
  switch (event.type) {
    case "connect":
      return {
        ...out,
        kind: "open",
        label: "connect",
        preview: "",
        words: `This side connects to ${view.remote}`,
        lesson: "connect",
      };
    case "connected":
      return {
        ...back,
        kind: "open",
        label: "connected",
        preview: "",
        words: `Connected from ${view.local}`,
        lesson: "connected",
      };
    case "accept":
      return {
        ...back,
        kind: "open",
        label: "accept",
        preview: "",
        words: `Accepted from ${view.remote}`,
        lesson: "accept",
      };
    case "handshake":
      return { ...across, ...tlsStep(event) };
    case "recv":
    case "send":
      return { ...(event.type === "send" ? out : back), ...dataStep(event, lines) };
    case "eof":
      return {
        ...back,
        kind: "fin",
        label: "FIN",
        preview: "the peer ends its stream",
        words: "The peer ends its stream: FIN",
        lesson: "eof",
      };
    case "shutdown":
      return {
        ...out,
        kind: "fin",
        label: "FIN",
        preview: "half-close",
        words: "This side ends its stream: FIN, a half-close",
        lesson: "shutdown",
      };
    case "close":
      return event.reset
        ? {
          ...out,
          kind: "reset",
          label: "RST",
          preview: "reset",
          words: "This side resets the connection: RST",
          lesson: "reset",
        }
        : {
          ...out,
          kind: "fin",
          label: "close",
          preview: "",
          words: "This side closes the socket",
          lesson: "close",
        };
    case "error":
      return event.error.code === "ECONNRESET"
        ? {
          ...back,
          kind: "reset",
          label: "RST",
          preview: "reset by the peer",
          words: "The peer resets the connection: RST",
          lesson: "reset by the peer",
        }
        : {
          ...across,
          kind: "error",
          label: event.error.code,
          preview: event.error.message,
          words: `${event.op} failed: ${event.error.message}`,
          lesson: "",
        };
    case "fault": {
      const words = `${event.fault} ${event.detail}`.trim();
      return {
        ...across,
        kind: "fault",
        label: "fault",
        preview: words,
        words: `A fault on purpose: ${words}`,
        lesson: "",
      };
    }
    case "link":
      return {
        ...across,
        kind: "note",
        label: `joined to #${view.peer}`,
        preview: "",
        words: `Joined to connection ${view.peer}`,
        lesson: "",
      };
    case "bind":
      return {
        ...across,
        kind: "note",
        label: `bound to ${view.local}`,
        preview: "",
        words: `Bound to ${view.local}`,
        lesson: "",
      };
  }
  return undefined;
}

/** @param {Event} event */
function tlsStep({ protocol, alpnProtocol, peerCertificate }) {
  const label = [protocol ?? "TLS", alpnProtocol].filter(Boolean).join(" · ");
  const shown = peerCertificate
    ? `certificate of ${peerCertificate.subject}`
    : "no certificate of the peer";
  return {
    kind: /** @type {const} */ ("tls"),
    label,
    preview: shown,
    words: `TLS handshake done: ${label}, ${shown}`,
    lesson: "handshake",
  };
}

/**
 * @param {Event} event
 * @param {readonly Event[]} lines
 */
function dataStep(event, lines) {
  const parts = lines.filter(({ type }) => type === event.type);
  const pieces = parts.map(bytesOf);
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  const whole = bytes.length + parts.reduce((sum, { size = 0 }) => sum + size, 0);
  const shown = preview(bytes, whole);
  const who = event.from === undefined && event.to === undefined
    ? ""
    : ` ${addressOf(event.from ?? event.to)}`;
  const verb = event.type === "send" ? "This side sends" : "This side receives";
  return {
    kind: /** @type {const} */ ("data"),
    label: size(whole) + who,
    preview: shown,
    words: `${verb} ${size(whole)}: ${shown}`,
    lesson: event.type,
    bytes,
    size: whole,
  };
}

/** @param {{ host: string, port: number }} address */
function addressOf({ host, port }) {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
