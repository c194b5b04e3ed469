/**
 * Tables in Markdown.
 *
 * @module
 */

/** What stands where nothing was measured, or has no meaning. */
export const NONE = "–";

/** A Markdown table; the first column is text, the others are numbers. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((cell, i) => Math.max(cell.length, 3, ...rows.map((r) => r[i].length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((c, i) => i === 0 ? c.padEnd(widths[i]) : c.padStart(widths[i])).join(" | ")} |`;
  const rule = widths.map((w, i) => i === 0 ? "-".repeat(w) : "-".repeat(w - 1) + ":");
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}
