// docs/semantics.md, cell by cell, for the runtime at hand and for memory.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { MemoryTransport } from "../lib/memory.ts";
import { systemTransport } from "../lib/transport.deno.ts";
import {
  memoryResetting,
  memoryUnanswered,
  systemResetting,
  systemUnanswered,
} from "./contract/networks.ts";
import { SCENARIOS } from "./contract/semantics.ts";
import { runtime, test } from "./runner.deno.ts";

/** The cells of the document's table, by row and column. */
function readTable(): Map<string, Map<string, string>> {
  const lines = readFileSync("docs/semantics.md", "utf8").split("\n");
  const [head, , ...rows] = lines.filter((line) => line.startsWith("|")).map((line) =>
    line.split("|").slice(1, -1).map((cell) => cell.trim())
  );
  return new Map(
    rows.map(([situation, ...cells]) => [
      situation,
      new Map(cells.map((cell, i) => [head[i + 1], cell])),
    ]),
  );
}

const table = readTable();
const memory = new MemoryTransport();
const columns = [
  {
    name: runtime,
    options: {
      transport: systemTransport,
      resetting: () => systemResetting(systemTransport),
      unanswered: systemUnanswered,
    },
  },
  {
    name: "memory",
    options: {
      transport: memory,
      resetting: () => memoryResetting(memory),
      unanswered: () => memoryUnanswered(memory),
    },
  },
];

test("semantics: every row of the table is tested, and every test has its row", () => {
  assert.deepEqual([...table.keys()].sort(), Object.keys(SCENARIOS).sort());
});

for (const { name, options } of columns) {
  for (const [situation, scenario] of Object.entries(SCENARIOS)) {
    test(`semantics of ${name}: ${situation}`, async () => {
      assert.equal(await scenario(options), table.get(situation)?.get(name));
    });
  }
}
