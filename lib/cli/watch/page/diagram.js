// The steps of a connection, drawn as arrows between columns. Each is an item of a list, too.

import { h, setAttribute, setText, toggle } from "./dom.js";
import { counted, time } from "./format.js";

/** @typedef {import("./steps.js").Step} Step */
/** @typedef {import("./steps.js").Column} Column */

/** The number of steps that are drawn at once. Earlier ones are drawn on demand. */
const MOST_STEPS = 500;

/** The sign at the arrow's head, beside its colour. */
const HEADS = {
  data: "",
  open: "",
  fin: "",
  reset: "✕",
  tls: "",
  note: "",
  fault: "⚡",
  error: "▲",
  gap: "",
};

/** See the module. */
export class Diagram {
  element = h("div", { class: "diagram" });
  /** @type {(step: Step) => void} */
  onChoose = () => {};
  /** @type {(step: Step | undefined) => void} */
  onPoint = () => {};
  #list = h("ol", { "aria-label": "Steps, in order of time" });
  #earlier = h("button", {
    type: "button",
    class: "earlier",
    hidden: true,
    onclick: () => this.#showEarlier(),
  });
  #columns = h("div", { class: "columns" });
  /** @type {Map<string, HTMLElement>} */
  #items = new Map();
  /** @type {readonly Step[]} */
  #steps = [];
  #more = 0;
  #began = 0;
  /** @type {string | undefined} */
  #chosen;

  constructor() {
    this.element.append(this.#columns, this.#earlier, this.#list);
    const stepOf = (/** @type {Event} */ event) => {
      const item = /** @type {HTMLElement} */ (event.target).closest("button");
      return this.#steps.find(({ key }) => key === item?.dataset.key);
    };
    this.#list.addEventListener("click", (event) => {
      const step = stepOf(event);
      if (step !== undefined) this.choose(step);
    });
    this.#list.addEventListener("pointerover", (event) => this.onPoint(stepOf(event)));
    this.#list.addEventListener("pointerleave", () => this.onPoint(undefined));
    this.#list.addEventListener("focusin", (event) => this.onPoint(stepOf(event)));
    this.#list.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** Puts the cursor on the first step. */
  focus() {
    this.#list.querySelector("button")?.focus();
  }

  /** @param {Step} step */
  choose(step) {
    if (this.#chosen !== undefined) {
      this.#items.get(this.#chosen)?.querySelector("button")?.removeAttribute("aria-current");
    }
    this.#chosen = step.key;
    this.#items.get(step.key)?.querySelector("button")?.setAttribute("aria-current", "true");
    this.onChoose(step);
  }

  /**
   * @param {readonly Step[]} steps
   * @param {readonly Column[]} columns
   * @param {number} began
   */
  draw(steps, columns, began) {
    this.#steps = steps;
    this.#began = began;
    setAttribute(this.element, "data-columns", `${columns.length}`);
    const names = columns.map(({ name, address }) => `${name}\n${address}`).join("\n");
    if (this.#columns.dataset.names !== names) {
      this.#columns.dataset.names = names;
      this.#columns.replaceChildren(
        h("span", { class: "when" }, "time"),
        ...columns.map(({ name, address }) =>
          h(
            "span",
            { class: "column" },
            h("strong", {}, name),
            h("span", { class: "mono" }, address),
          )
        ),
      );
      this.#items.clear();
    }
    this.#draw(columns.length);
  }

  /** @param {number} columns */
  #draw(columns) {
    const first = Math.max(0, this.#steps.length - MOST_STEPS - this.#more);
    const shown = this.#steps.slice(first, first + MOST_STEPS);
    toggle(this.#earlier, "hidden", first === 0);
    setText(this.#earlier, `Show ${counted(Math.min(first, MOST_STEPS), "earlier step")}`);
    const keys = new Set(shown.map(({ key }) => key));
    for (const [key, item] of this.#items) {
      if (keys.has(key)) continue;
      item.remove();
      this.#items.delete(key);
    }
    shown.forEach((step, i) => {
      let item = this.#items.get(step.key);
      if (item === undefined) this.#items.set(step.key, item = this.#item(step, columns));
      if (this.#list.children[i] !== item) {
        this.#list.insertBefore(item, this.#list.children[i] ?? null);
      }
    });
  }

  /**
   * @param {Step} step
   * @param {number} columns
   */
  #item(step, columns) {
    const at = time(Math.max(0, step.time - this.#began));
    if (step.kind === "gap") {
      return h("li", { class: "gap" }, h("span", {}, `⋯ ${time(step.size ?? 0)} of silence ⋯`));
    }
    const back = step.from > step.to;
    const [left, right] = [Math.min(step.from, step.to), Math.max(step.from, step.to)];
    const arrow = h(
      "span",
      { class: `arrow ${step.kind} ${back ? "back" : "out"}` },
      h("span", { class: "label" }, HEADS[step.kind] && `${HEADS[step.kind]} `, step.label),
      h("span", { class: "preview" }, step.preview),
    );
    arrow.style.setProperty("--left", `${(left + 0.5) / columns}`);
    arrow.style.setProperty("--right", `${1 - (right + 0.5) / columns}`);
    const words = `${at}: ${step.words}`;
    const button = h(
      "button",
      { type: "button", "data-key": step.key },
      h("span", { class: "hidden words" }, words),
      h("span", { class: "when", "aria-hidden": "true" }, at),
      h("span", { class: "lanes", "aria-hidden": "true" }, arrow),
    );
    if (step.key === this.#chosen) button.setAttribute("aria-current", "true");
    return h("li", {}, button);
  }

  #showEarlier() {
    this.#more += MOST_STEPS;
    this.#draw(Number(this.element.dataset.columns));
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const buttons = [...this.#list.querySelectorAll("button")];
    const at = buttons.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    buttons[at + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
    event.preventDefault();
    event.stopPropagation();
  }
}
