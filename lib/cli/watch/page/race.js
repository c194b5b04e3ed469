// The attempts at the addresses of one name, drawn as a race.

import { h } from "./dom.js";
import { time } from "./format.js";

/** @typedef {import("./steps.js").View} View */

/**
 * The result of an attempt: shape and words.
 * @param {View} view
 * @returns {{ shape: string, words: string, result: string }}
 */
function resultOf(view) {
  if (view.opened !== undefined) return { shape: "✓", words: "connected", result: "won" };
  if (view.outcome === "lost") return { shape: "◌", words: "lost the race", result: "lost" };
  if (view.ended !== undefined) return { shape: "▲", words: view.end, result: "failed" };
  return { shape: "…", words: "under way", result: "open" };
}

/**
 * Draws a race; undefined if there was one address only.
 * @param {string} name what was resolved
 * @param {readonly View[]} views
 * @param {number} now
 * @returns {HTMLElement | undefined}
 */
export function raceOf(name, views, now) {
  if (views.length < 2) return undefined;
  const sorted = [...views].sort((a, b) => a.began - b.began);
  const start = sorted[0].began;
  const ends = sorted.map((view) => view.opened ?? view.ended ?? now);
  const whole = Math.max(...ends) - start || 1;
  const lanes = sorted.map((view, i) => {
    const { shape, words, result } = resultOf(view);
    const bar = h("span", { class: `run ${result}`, "aria-hidden": "true" });
    bar.style.setProperty("--start", `${(view.began - start) / whole}`);
    bar.style.setProperty("--length", `${(ends[i] - view.began) / whole}`);
    return h(
      "li",
      {},
      h("span", { class: "mono runner" }, view.remote),
      h("span", { class: "track" }, bar),
      h(
        "span",
        { class: `result ${result}` },
        `${shape} ${words} after ${time(ends[i] - view.began)}`,
      ),
    );
  });
  return h(
    "figure",
    { class: "race" },
    h(
      "figcaption",
      {},
      `The race to ${name}: ${views.length} addresses, the first that connects wins`,
    ),
    h("ol", {}, ...lanes),
  );
}
