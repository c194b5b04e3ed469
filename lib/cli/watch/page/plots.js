// Small plots of the last minute, a bar for each second.

import { h, setAttribute, setText, svg } from "./dom.js";
import { count, size } from "./format.js";

const SECONDS = 60;

/** @typedef {{ second: number, opened: number, bytes: number, errors: number, open: number }} Second */

/** @type {readonly { name: string, key: "opened" | "bytes" | "errors", unit: (n: number) => string }[]} */
const PLOTS = [
  { name: "Connections", key: "opened", unit: (n) => `${count(n)} new in a second` },
  { name: "Bytes", key: "bytes", unit: (n) => `${size(n)} in a second` },
  { name: "Errors", key: "errors", unit: (n) => `${count(n)} in a second` },
];

/** The totals, each with its plot. */
export class Totals {
  /** @type {Map<number, Second>} */
  #seconds = new Map();
  #tiles;

  /** @param {HTMLElement} list */
  constructor(list) {
    this.#tiles = PLOTS.map((plot) => {
      const value = h("span", { class: "value" });
      const more = h("span", { class: "more" });
      const path = svg("path");
      const picture = svg("svg", {
        viewBox: `0 0 ${SECONDS} 20`,
        preserveAspectRatio: "none",
        role: "img",
      }, path);
      list.append(
        h(
          "div",
          { class: `tile ${plot.key}` },
          h("dt", {}, plot.name),
          h("dd", {}, value, more, picture),
        ),
      );
      return { ...plot, value, more, path, picture };
    });
  }

  /** Forgets everything. */
  clear() {
    this.#seconds.clear();
  }

  /** @param {readonly Second[]} seconds */
  add(seconds) {
    for (const second of seconds) this.#seconds.set(second.second, second);
    for (const second of this.#seconds.keys()) {
      if (this.#seconds.size <= 2 * SECONDS) break;
      this.#seconds.delete(second);
    }
  }

  /**
   * @param {number} now in milliseconds
   * @param {{ opened: number, open: number, bytesIn: number, bytesOut: number, errors: number}} counts
   */
  draw(now, counts) {
    const last = Math.floor(now / 1000);
    const texts = {
      opened: [`${count(counts.open)} open`, `${count(counts.opened)} in all`],
      bytes: [`↓ ${size(counts.bytesIn)}`, `↑ ${size(counts.bytesOut)}`],
      errors: [count(counts.errors), ""],
    };
    for (const { key, unit, value, more, path, picture } of this.#tiles) {
      const values = Array.from(
        { length: SECONDS },
        (_, i) => this.#seconds.get(last - SECONDS + 1 + i)?.[key] ?? 0,
      );
      const most = Math.max(...values);
      const bars = values.map((n, i) =>
        n === 0 ? "" : `M${i} 20v${-Math.max(2, 19 * n / most)}h.8V20z`
      );
      setAttribute(path, "d", `M0 19.5h${SECONDS}v.5H0z${bars.join("")}`);
      setAttribute(picture, "aria-label", `The last minute: at most ${unit(most)}`);
      setText(value, texts[key][0]);
      setText(more, texts[key][1]);
    }
  }
}
