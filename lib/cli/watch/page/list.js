// The list of connections: filtered, sorted, and never more than 200 rows in the page.

import { byId, h, setAttribute, setText, toggle } from "./dom.js";
import { count, counted, size, time } from "./format.js";

/** @typedef {import("./steps.js").View} View */

/** The most rows in the page. */
export const MOST_ROWS = 200;

/** A shape for each outcome, so that nobody needs the colours. */
export const SHAPES = { open: "●", closed: "○", reset: "✕", failed: "▲", lost: "◌" };

/** What stands in place of the rows where there are none. */
const NOTHING_YET = "No connection yet. Each one appears here when it begins.";
const NOTHING_FITS = "No connection matches the filter.";

/** How this side took part. */
const ROLES = { connect: "→", accept: "←", datagram: "⇄" };
const ROLE_WORDS = { connect: "to", accept: "from", datagram: "datagrams on" };

/**
 * @typedef {object} ColumnOfList
 * @property {string} key
 * @property {string} name
 * @property {(view: View, now: number, rate: number) => string} text
 * @property {(view: View, now: number, rate: number) => string | number} by the value to sort by
 * @property {string} [style]
 */

/** @type {readonly ColumnOfList[]} */
const COLUMNS = [
  { key: "number", name: "#", text: (v) => `${v.number}`, by: (v) => v.number, style: "number" },
  { key: "peer", name: "Peer", text: peerOf, by: peerOf, style: "peer" },
  { key: "state", name: "State", text: (v) => v.state, by: (v) => v.state, style: "state" },
  { key: "in", name: "In", text: (v) => size(v.bytesIn), by: (v) => v.bytesIn, style: "number" },
  {
    key: "out",
    name: "Out",
    text: (v) => size(v.bytesOut),
    by: (v) => v.bytesOut,
    style: "number",
  },
  {
    key: "rate",
    name: "Rate",
    text: (_v, _now, rate) => rate === 0 ? "" : `${size(rate)}/s`,
    by: (_v, _n, rate) => rate,
    style: "number wide",
  },
  {
    key: "age",
    name: "Time",
    text: (v, now) => time(ageOf(v, now)),
    by: ageOf,
    style: "number wide",
  },
  { key: "end", name: "End", text: endOf, by: (v) => v.end, style: "end" },
];

/** @param {View} view */
function peerOf(view) {
  const address = view.role === "datagram" ? view.remote || view.local : view.remote;
  const joined = view.peer === undefined ? "" : ` ⇌ #${view.peer}`;
  return `${ROLES[view.role]} ${
    view.name === undefined ? address : `${view.name} (${view.remote})`
  }${joined}`;
}

/**
 * The end of it, in the room that a list has.
 * @param {View} view
 */
function endOf({ end }) {
  return end.replace("the peer", "peer").replace("this side", "us") || "open";
}

/**
 * @param {View} view
 * @param {number} now
 */
function ageOf(view, now) {
  return Math.max(0, (view.ended ?? now) - view.began);
}

/** @param {View} view */
export function nameOf(view) {
  return `connection ${view.number} ${ROLE_WORDS[view.role]} ${
    view.role === "datagram" ? view.local : view.remote
  }`;
}

/** The list; it owns the table. */
export class List {
  /** @type {Map<number, View>} */
  views = new Map();
  /** @type {number | undefined} */
  selected;
  /** @type {(number: number) => void} called for a row that is opened with Enter */
  onOpen = () => {};
  /** @type {(number: number) => void} called for a row that is clicked */
  onClick = () => {};
  /** @type {(number: number) => void} called for the row that the cursor comes to */
  onSelect = () => {};
  now = 0;
  /** The number of connections that are not kept any more. */
  left = 0;
  #sort = { key: "number", down: true };
  #first = 0;
  /** @type {Map<number, { row: HTMLElement, texts: string[] }>} */
  #rows = new Map();
  /** @type {number[]} */
  #order = [];
  /** @type {HTMLElement | undefined} */
  #tabRow;
  /** @type {Map<number, { time: number, bytes: number, rate: number }>} */
  #rates = new Map();
  #body = /** @type {HTMLElement} */ (byId("rows").querySelector("tbody"));
  #filter = /** @type {HTMLInputElement} */ (byId("filter"));
  #newer = /** @type {HTMLButtonElement} */ (byId("newer"));
  #older = /** @type {HTMLButtonElement} */ (byId("older"));
  /** @type {HTMLElement[]} */
  #heads;

  constructor() {
    this.#heads = COLUMNS.map(({ key, name, style }) =>
      h(
        "th",
        { role: "columnheader", class: style },
        h("button", { type: "button", onclick: () => this.#sortBy(key) }, name),
      )
    );
    byId("rows").querySelector("thead")?.append(h("tr", { role: "row" }, ...this.#heads));
    this.#filter.addEventListener("input", () => {
      this.#first = 0;
      this.draw();
    });
    this.#newer.addEventListener("click", () => this.#page(-MOST_ROWS));
    this.#older.addEventListener("click", () => this.#page(MOST_ROWS));
    this.#body.addEventListener("click", (event) => {
      const row = /** @type {HTMLElement} */ (event.target).closest("tr");
      if (row === null) return;
      this.select(Number(row.dataset.number));
      this.onClick(Number(row.dataset.number));
    });
    this.#body.addEventListener("focusin", (event) => {
      const row = /** @type {HTMLElement} */ (event.target).closest("tr");
      if (row === null) return;
      this.select(Number(row.dataset.number));
      this.onSelect(Number(row.dataset.number));
    });
  }

  /** Forgets everything. */
  clear() {
    this.views.clear();
    this.#rates.clear();
  }

  /**
   * @param {readonly View[]} views
   * @param {readonly number[]} gone
   * @param {number} now
   */
  add(views, gone, now) {
    for (const view of views) {
      const bytes = view.bytesIn + view.bytesOut;
      const last = this.#rates.get(view.number);
      const past = now - (last?.time ?? view.began);
      if (last === undefined || past >= 200) {
        const rate = past <= 0 ? 0 : 1000 * (bytes - (last?.bytes ?? 0)) / Math.max(past, 200);
        this.#rates.set(view.number, { time: now, bytes, rate });
      }
      this.views.set(view.number, view);
    }
    for (const number of gone) {
      this.views.delete(number);
      this.#rates.delete(number);
    }
  }

  /** Puts the cursor into the list. */
  focus() {
    const row = this.selected === undefined ? undefined : this.#rows.get(this.selected)?.row;
    (row ?? /** @type {HTMLElement | null} */ (this.#body.firstElementChild))?.focus();
  }

  /** @param {number} by how many rows the cursor moves */
  move(by) {
    const at = this.#order.indexOf(this.selected ?? -1);
    const next = Math.min(Math.max(at + by, 0), this.#order.length - 1);
    this.#rows.get(this.#order[next])?.row.focus();
  }

  /** Draws what has changed. */
  draw() {
    const found = this.#found();
    this.#first = Math.min(this.#first, Math.max(0, found.length - 1));
    const shown = found.slice(this.#first, this.#first + MOST_ROWS);
    const numbers = shown.map(({ number }) => number);
    const rows = shown.map((view) => this.#row(view));
    if (numbers.join() !== this.#order.join()) this.#put(numbers, rows);
    if (!this.#rows.has(this.selected ?? -1)) this.#tabbable(numbers[0]);
    const all = this.views.size;
    const shownOf = found.length === all
      ? counted(all, "connection")
      : `${count(found.length)} of ${count(all)}`;
    setText(
      byId("shown"),
      this.left === 0 ? shownOf : `${shownOf}, ${count(this.left)} older ones left out`,
    );
    toggle(byId("empty"), "hidden", found.length > 0);
    setText(byId("empty"), all === 0 ? NOTHING_YET : NOTHING_FITS);
    toggle(byId("pager"), "hidden", found.length <= MOST_ROWS);
    toggle(this.#older, "disabled", this.#first + shown.length >= found.length);
    toggle(this.#newer, "disabled", this.#first === 0);
    setText(
      byId("range"),
      `${count(this.#first + 1)} to ${count(this.#first + shown.length)} of ${count(found.length)}`,
    );
    for (const [i, { key }] of COLUMNS.entries()) {
      const order = this.#sort.down ? "descending" : "ascending";
      setAttribute(this.#heads[i], "aria-sort", this.#sort.key === key ? order : "none");
    }
  }

  /**
   * @param {readonly number[]} numbers
   * @param {readonly HTMLElement[]} rows
   */
  #put(numbers, rows) {
    const focused = document.activeElement;
    this.#order = [...numbers];
    const kept = new Set(numbers);
    for (const number of this.#rows.keys()) if (!kept.has(number)) this.#rows.delete(number);
    this.#body.replaceChildren(...rows);
    if (focused instanceof HTMLElement && rows.includes(focused)) {
      focused.focus({ preventScroll: true });
    }
  }

  /** @returns {View[]} */
  #found() {
    const words = this.#filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const all = [...this.views.values()];
    const found = words.length === 0 ? all : all.filter((view) => {
      const text = `${peerOf(view)} ${view.local} ${view.state} ${
        view.end || "open"
      } ${view.outcome} ${view.tls ?? ""}`.toLowerCase();
      return words.every((word) =>
        /^#\d+$/.test(word) ? `#${view.number}` === word : text.includes(word)
      );
    });
    const { key, down } = this.#sort;
    const { by } = /** @type {ColumnOfList} */ (COLUMNS.find((column) => column.key === key));
    const keyed = found.map((view) => ({ view, key: by(view, this.now, this.#rate(view)) }));
    keyed.sort((a, b) =>
      (a.key < b.key ? -1 : a.key > b.key ? 1 : a.view.number - b.view.number) * (down ? -1 : 1)
    );
    return keyed.map(({ view }) => view);
  }

  /** @param {View} view */
  #rate({ number, ended }) {
    const known = this.#rates.get(number);
    return ended !== undefined || known === undefined || this.now - known.time > 2000
      ? 0
      : known.rate;
  }

  /** @param {View} view */
  #row(view) {
    let known = this.#rows.get(view.number);
    if (known === undefined) {
      const cells = COLUMNS.map(({ style }) => h("td", { role: "gridcell", class: style }));
      const attributes = { role: "row", "data-number": view.number, tabindex: "-1" };
      const selected = { "aria-selected": `${view.number === this.selected}` };
      known = { row: h("tr", { ...attributes, ...selected }, ...cells), texts: [] };
      this.#rows.set(view.number, known);
    }
    const { row, texts } = known;
    const rate = this.#rate(view);
    for (const [i, { key, text }] of COLUMNS.entries()) {
      const words = text(view, this.now, rate);
      const shown = key === "end"
        ? `${SHAPES[view.outcome]} ${words}${view.faults > 0 ? " ⚡" : ""}`
        : words;
      if (texts[i] === shown) continue;
      texts[i] = shown;
      row.children[i].textContent = shown;
      // A long name is cut off; its connection has the whole of it, too.
      if (key === "peer") /** @type {HTMLElement} */ (row.children[i]).title = shown;
    }
    if (row.dataset.outcome !== view.outcome) row.dataset.outcome = view.outcome;
    return row;
  }

  /** @param {number} number */
  select(number) {
    if (this.selected !== undefined) {
      this.#rows.get(this.selected)?.row.setAttribute("aria-selected", "false");
    }
    this.selected = number;
    this.#rows.get(number)?.row.setAttribute("aria-selected", "true");
    this.#tabbable(number);
  }

  /** @param {number | undefined} number of the one row that Tab leads to */
  #tabbable(number) {
    const row = number === undefined ? undefined : this.#rows.get(number)?.row;
    if (row === this.#tabRow) return;
    this.#tabRow?.setAttribute("tabindex", "-1");
    row?.setAttribute("tabindex", "0");
    this.#tabRow = row;
  }

  /** @param {string} key */
  #sortBy(key) {
    const text = ["peer", "state", "end"].includes(key);
    this.#sort = this.#sort.key === key ? { key, down: !this.#sort.down } : { key, down: !text };
    this.#first = 0;
    this.draw();
  }

  /** @param {number} by */
  #page(by) {
    this.#first = Math.max(0, this.#first + by);
    this.draw();
    byId("rows").parentElement?.scrollTo(0, 0);
  }
}
