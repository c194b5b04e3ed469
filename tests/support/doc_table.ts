// Tables of documents, whose cells tests compare with what happens.

import { readFileSync } from "node:fs";

/** The cells of the first table of a document, by row and column. */
export function readTable(path: string): Map<string, Map<string, string>> {
  const text = readFileSync(path, "utf8");
  const [head, , ...rows] = (/^\|[^]*?(?=\n\n|$(?![^]))/m.exec(text)?.[0] ?? "").split("\n")
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
  return new Map(
    rows.map(([row, ...cells]) => [row, new Map(cells.map((cell, i) => [head[i + 1], cell]))]),
  );
}
