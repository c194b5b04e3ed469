// docs/connect.md, cell by cell.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { OnEof } from "../../lib/protocols/join.ts";
import { SITUATIONS } from "./connect_eof.ts";
import { test } from "../support/runner.deno.ts";

/** The first table. */
const [text] = /^\|[^]*?\n\n/m.exec(readFileSync("docs/connect.md", "utf8"))!;
const [head, , ...rows] = text.trimEnd().split("\n")
  .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));

test("connect: every row of the table is tested, and every test has its row", () => {
  assert.deepEqual(rows.map(([situation]) => situation), Object.keys(SITUATIONS));
  assert.deepEqual(head.slice(1), ["`half-close`", "`close`", "`wait`"]);
});

for (const [situation, ...cells] of rows) {
  for (const [i, cell] of cells.entries()) {
    const onEof = head[i + 1].replaceAll("`", "") as OnEof;
    test(`connect --on-eof ${onEof}: ${situation}`, async () => {
      assert.equal(await SITUATIONS[situation](onEof), cell);
    }, ["python3"]);
  }
}
