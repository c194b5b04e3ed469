// Tables of documents, whose cells tests compare with what happens.

import { readFileSync } from "node:fs";

/**
 * The cells of the first table of a document, or of the first one after a heading, by row and column. Of
 * rows with the same first cell, the last one counts.
 */
export function readTable(path: string, heading = ""): Map<string, Map<string, string>> {
  const all = readFileSync(path, "utf8");
  const start = all.indexOf(`${heading}\n`);
  if (start < 0) throw new Error(`${path} has no ${heading}`);
  const text = all.slice(start);
  const [head, , ...rows] = (/^\|[^]*?(?=\n\n|$(?![^]))/m.exec(text)?.[0] ?? "").split("\n")
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
  return new Map(
    rows.map(([row, ...cells]) => [row, new Map(cells.map((cell, i) => [head[i + 1], cell]))]),
  );
}
