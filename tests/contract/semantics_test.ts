// docs/semantics.md, cell by cell, for the runtime at hand and for memory.

import assert from "node:assert/strict";
import type { TcpAddr } from "../../lib/base/addr.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import {
  endPeers,
  memoryResetting,
  memoryUnanswered,
  startPeers,
  systemComeAndReset,
  systemResetting,
  systemUnanswered,
} from "./networks.ts";
import { NEEDS_PEER, SCENARIOS } from "./semantics.ts";
import { readTable } from "../support/doc_table.ts";
import { keepsWaiting } from "../support/kernel.ts";
import { afterAll, beforeAll, runtime, test } from "../support/runner.deno.ts";

beforeAll(startPeers);
afterAll(endPeers);

const table = readTable("docs/semantics.md");
const memory = new MemoryTransport();
const columns = [
  {
    name: runtime,
    options: {
      transport: systemTransport,
      resetting: () => systemResetting(systemTransport),
      unanswered: systemUnanswered,
      comeAndReset: systemComeAndReset,
      keepsWaiting,
    },
  },
  {
    name: "memory",
    options: {
      transport: memory,
      resetting: () => memoryResetting(memory),
      unanswered: () => memoryUnanswered(memory),
      comeAndReset: async (addr: TcpAddr) => (await memory.connect(addr)).reset(),
      keepsWaiting: () => true,
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
    }, name === runtime && NEEDS_PEER.has(situation) ? ["python3"] : []);
  }
}
