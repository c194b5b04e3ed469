// The table of docs/semantics.md as a page that the live page links to.
//
//   deno run -A scripts/semantics_page.ts

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readTable } from "../tests/support/doc_table.ts";
import { LIVE_PAGE } from "./npm_package.ts";
import { ROOT } from "./program.ts";

/** The name of a situation in the address of the page. */
export function anchorOf(situation: string): string {
  return situation.toLowerCase().replaceAll(/[^a-z]+/g, "-").replaceAll(/^-|-$/g, "");
}

/** Text of a cell as HTML. */
function html(cell: string): string {
  const safe = cell.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return safe.replaceAll(/`([^`]+)`/g, "<code>$1</code>");
}

function row(situation: string, cells: ReadonlyMap<string, string>): string {
  const all = [...cells.values()];
  const same = all.every((cell) => cell === all[0]);
  const shown = same
    ? `<td colspan="${all.length}">${html(all[0])}</td>`
    : all.map((cell) => `<td>${html(cell)}</td>`).join("\n          ");
  return `        <tr id="${anchorOf(situation)}">
          <th scope="row">${html(situation)}</th>
          ${shown}
        </tr>`;
}

/** The page. */
export function semanticsPage(): string {
  const table = readTable(join(ROOT, "docs/semantics.md"));
  const runtimes = [...table.values().next().value!.keys()];
  const head = ["what happens", ...runtimes].map((name) => `<th scope="col">${name}</th>`);
  const rows = [...table].map(([situation, cells]) => row(situation, cells));
  return `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>What happens when · plainsocket</title>
    <link rel="icon" href="icon.svg" type="image/svg+xml">
    <link rel="stylesheet" href="page.css">
    <link rel="stylesheet" href="semantics.css">
  </head>
  <body class="semantics">
    <main>
    <h1>What happens when</h1>
    <p>
      What a program sees in each situation, on each runtime. A name in capital letters is the code of
      the error that the call rejects with, and <code>null</code> is the end of the stream. One cell
      for all runtimes means that they do the same.
    </p>
    <div class="wide" tabindex="0">
      <table>
        <thead><tr>${head.join("")}</tr></thead>
        <tbody>
${rows.join("\n")}
        </tbody>
      </table>
    </div>
    </main>
  </body>
</html>
`;
}

if (import.meta.main) writeFileSync(join(ROOT, LIVE_PAGE, "semantics.html"), semanticsPage());
