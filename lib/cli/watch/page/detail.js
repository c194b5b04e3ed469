// One connection: what it is, why it ended, its race, its steps, and the message that is chosen.

import { Diagram } from "./diagram.js";
import { h, setAttribute, setText, toggle } from "./dom.js";
import { counted, size, time } from "./format.js";
import { nameOf, SHAPES } from "./list.js";
import { Message } from "./message.js";
import { raceOf } from "./race.js";
import { columnsOf, folded, resolveSteps, stepsOf } from "./steps.js";
import { LESSONS, plainRule } from "./teach.js";

/** @typedef {import("./steps.js").View} View */
/** @typedef {import("./steps.js").Entry} Entry */
/** @typedef {import("./steps.js").Step} Step */

const FORMATS = {
  pcapng: "packets for Wireshark",
  har: "HTTP archive",
  svg: "drawing",
  jsonl: "recording",
};

/** The most events that are kept here of one connection. */
const MOST_EVENTS = 2000;

/** See the module. */
export class Detail {
  /** @type {() => void} */
  onClose = () => {};
  now = 0;
  #element;
  #number;
  #heading = h("h2", { tabindex: "-1" });
  #facts = h("dl", { class: "facts" });
  #why = h("p", { class: "why" });
  #left = h("p", { class: "left", hidden: true });
  #races = h("div");
  #teach = h("p", { class: "teach" }, TEACH);
  #diagram = new Diagram();
  /** @type {readonly Step[]} */
  #steps = [];
  #message = new Message();
  /** @type {Map<number, { view: View, entries: Entry[] }>} */
  #known = new Map();
  /** @type {readonly { race: number, event: Record<string, any> }[]} */
  #resolved = [];

  /**
   * @param {HTMLElement} element
   * @param {number} number
   * @param {(path: string, query: Record<string, string>) => string} urlOf
   */
  constructor(element, number, urlOf) {
    this.#element = element;
    this.#number = number;
    const links = Object.entries(FORMATS).map(([format, what]) => {
      const href = urlOf("download", { conn: `${number}`, format });
      return h(
        "a",
        { href, download: `connection-${number}.${format}`, title: what },
        format === "har" ? "HAR" : format === "svg" ? "SVG" : format,
      );
    });
    element.replaceChildren(
      h(
        "div",
        { class: "head" },
        this.#heading,
        h("button", {
          type: "button",
          class: "close",
          "aria-label": "Close the connection",
          title: "Escape",
          onclick: () => this.onClose(),
        }, "✕"),
      ),
      this.#facts,
      h("div", { class: "whybox" }, h("h3", {}, "Why"), this.#why),
      this.#left,
      this.#races,
      this.#diagram.element,
      this.#teach,
      this.#message.element,
      h("p", { class: "save" }, "Save as ", ...links),
    );
    element.hidden = false;
    element.classList.remove("missing");
    this.#heading.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowDown") return;
      this.#diagram.focus();
      event.preventDefault();
    });
    /** @type {Step | undefined} */
    let chosen;
    this.#diagram.onChoose = (step) => {
      chosen = step;
      this.#teachOf(step);
      this.#message.show(step, this.#before(step));
      this.#message.element.scrollIntoView({ block: "nearest" });
    };
    // On the way to its link others are pointed at.
    this.#diagram.onPoint = (step) => this.#teachOf(step ?? chosen);
  }

  /**
   * Says what a step is to the system, and where there is more.
   * @param {Step | undefined} step
   */
  #teachOf(step) {
    const lesson = step && LESSONS[step.lesson];
    if (lesson === undefined) return this.#teach.replaceChildren(TEACH);
    const { call, rule, anchor } = lesson;
    const href = `semantics.html${anchor === undefined ? "" : `#${anchor}`}`;
    this.#teach.replaceChildren(
      h("code", {}, call),
      ` ${plainRule(rule)} `,
      h("a", { href, target: "_blank", rel: "noopener" }, "What each runtime does"),
    );
  }

  get number() {
    return this.#number;
  }

  /** Puts the cursor on its heading. */
  focus() {
    this.#heading.focus();
  }

  /**
   * Shows nothing but why there is nothing to show.
   * @param {string} why
   */
  miss(why) {
    this.clear();
    setText(this.#heading, `#${this.#number}`);
    setText(this.#why, why);
    this.#element.classList.add("missing");
  }

  /** Forgets the events. */
  clear() {
    this.#known.clear();
  }

  /** @param {{ connections: readonly { view: View, numbers: readonly number[], events: readonly Record<string, any>[][] }[], resolved: readonly { race: number, event: Record<string, any> }[] }} message */
  add({ connections, resolved }) {
    this.#resolved = resolved;
    for (const { view, numbers, events } of connections) {
      const known = this.#known.get(view.number) ?? { view, entries: [] };
      known.view = view;
      known.entries.push(...events.map((lines, i) => ({ number: numbers[i], lines })));
      if (known.entries.length > MOST_EVENTS) {
        known.entries.splice(100, known.entries.length - MOST_EVENTS);
      }
      this.#known.set(view.number, known);
    }
  }

  /** Draws what has changed. */
  draw() {
    const own = this.#known.get(this.#number);
    if (own === undefined) return;
    this.#element.classList.remove("missing");
    const { view } = own;
    const peer = view.peer === undefined ? undefined : this.#known.get(view.peer);
    setText(this.#heading, `#${view.number} ${nameOf(view).replace(/^connection \d+ /, "")}`);
    setText(this.#why, view.why);
    this.#drawFacts(view);
    const leftOut = view.leftOut + (peer?.view.leftOut ?? 0);
    toggle(this.#left, "hidden", leftOut === 0);
    setText(
      this.#left,
      `${counted(leftOut, "event")} in between ${
        leftOut === 1 ? "is" : "are"
      } not kept: the first 100 and the last ones are.`,
    );
    this.#drawRaces();
    const { columns, lanes } = columnsOf(view, peer?.view);
    const steps = [own, peer].flatMap((known) => {
      const lane = known && lanes.get(known.view.number);
      if (known === undefined || lane === undefined) return [];
      const found = this.#resolved.find(({ race }) => race === known.view.race);
      return [
        ...resolveSteps(known.view, found?.event, lane),
        ...stepsOf(known.view, known.entries, lane),
      ];
    });
    this.#steps = steps;
    this.#diagram.draw(folded(steps), columns, Math.min(...steps.map(({ time }) => time)));
  }

  /**
   * Returns the bytes before a step in its direction. Undefined if not all of them are kept.
   * @param {Step} step
   */
  #before({ key, view, event }) {
    if (event.from !== undefined || event.to !== undefined) return new Uint8Array();
    if (view.leftOut > 0) return undefined;
    const same = this.#steps.filter((other) =>
      other.view.number === view.number && other.event.type === event.type
    );
    const earlier = same.slice(0, same.findIndex((other) => other.key === key));
    if (earlier.some(({ bytes, size }) => bytes?.length !== size)) return undefined;
    const before = new Uint8Array(earlier.reduce((sum, { size = 0 }) => sum + size, 0));
    let at = 0;
    for (const { bytes = new Uint8Array() } of earlier) {
      before.set(bytes, at);
      at += bytes.length;
    }
    return before;
  }

  /** @param {View} view */
  #drawFacts(view) {
    const facts = {
      State: `${SHAPES[view.outcome]} ${view.state}${view.end === "" ? "" : `, ${view.end}`}`,
      ...(view.tls === undefined ? {} : { TLS: view.tls }),
      Received: size(view.bytesIn),
      Sent: size(view.bytesOut),
      Time: time(Math.max(0, (view.ended ?? this.now) - view.began)),
      ...(view.name === undefined ? {} : { Name: view.name }),
      ...(view.peer === undefined ? {} : { "Joined to": `#${view.peer}` }),
      ...(view.faults === 0 ? {} : { Faults: `⚡ ${view.faults}` }),
    };
    const names = Object.keys(facts);
    if (this.#facts.dataset.names !== names.join()) {
      this.#facts.dataset.names = names.join();
      this.#facts.replaceChildren(
        ...names.map((name) => h("div", {}, h("dt", {}, name), h("dd", {}, ""))),
      );
    }
    Object.values(facts).forEach((text, i) =>
      setText(/** @type {Node} */ (this.#facts.children[i].lastChild), text)
    );
    setAttribute(this.#facts, "data-outcome", view.outcome);
  }

  #drawRaces() {
    /** @type {Map<number, View[]>} */
    const races = new Map();
    for (const { view } of this.#known.values()) {
      if (view.race === undefined) continue;
      races.set(view.race, [...(races.get(view.race) ?? []), view]);
    }
    const drawn = [...races].map(([number, views]) => {
      const name = this.#resolved.find(({ race }) => race === number)?.event.endpoint;
      return raceOf(name === undefined ? "the name" : `${name.host}:${name.port}`, views, this.now);
    }).filter((race) => race !== undefined);
    const text = JSON.stringify(
      [...races.values()].map((views) => views.map((v) => [v.began, v.opened, v.ended])),
    );
    if (this.#races.dataset.drawn === text) return;
    this.#races.dataset.drawn = text;
    this.#races.replaceChildren(...drawn);
  }
}

const TEACH =
  "Point at a step, or move to it with the keys, to see its system call and what the contract says of it.";
