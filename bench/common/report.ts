/**
 * Figures and tables as all benches print them, in Markdown.
 *
 * @module
 */

import { type Spread, spread } from "./stats.ts";

/** What stands where nothing was measured, or has no meaning. */
export const NONE = "–";

/** A ratio and how far it may be off. */
export function estimate(value: Spread | undefined): string {
  return value === undefined ? NONE : `${value.median.toFixed(2)} ± ${value.error.toFixed(2)}`;
}

/** A ratio with its quartiles: how far the rounds differed. */
export function range(value: Spread | undefined): string {
  if (value === undefined) return NONE;
  return `${value.median.toFixed(2)} (${value.low.toFixed(2)} to ${value.high.toFixed(2)})`;
}

/** A whole number, with commas. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}

/** A part of one. */
export function percent(value: number): string {
  return `${Math.round(value * 100)} %`;
}

/** The middle of what some samples showed; there must be one. */
export function median<Sample>(
  samples: readonly Sample[],
  value: (sample: Sample) => number,
): number {
  return spread(samples.map(value))!.median;
}

/** A Markdown table; the first column is text, the others are numbers. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((cell, i) => Math.max(cell.length, 3, ...rows.map((r) => r[i].length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((c, i) => i === 0 ? c.padEnd(widths[i]) : c.padStart(widths[i])).join(" | ")} |`;
  const rule = widths.map((w, i) => i === 0 ? "-".repeat(w) : "-".repeat(w - 1) + ":");
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}

/** A table, and below it what has to be said about it. */
export function notedTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  notes: readonly string[],
): string {
  return [table(head, rows), ...notes.length > 0 ? ["", ...notes] : []].join("\n");
}

/** Why some subjects were not measured, a line for each. */
export function failureNotes(
  failures: ReadonlyMap<string, string>,
  title: (name: string) => string = (name) => name,
): string[] {
  return [...failures].map(([name, why]) => `- ${title(name)}: ${why}`);
}

/** What the project has promised beside what was measured; nothing if nothing of it was. */
export function promiseTable(rows: readonly (readonly string[])[]): string | undefined {
  if (rows.length === 0) return undefined;
  return table(["target", "promised", "measured", "by CPU time", "holds"], rows);
}

/** Whether at least so much was measured, and whether another run may say otherwise. */
export function holds({ median, error }: Spread, least: number): string {
  const close = Math.abs(median - least) < error ? ", within the noise" : "";
  return (median >= least ? "yes" : "no") + close;
}
