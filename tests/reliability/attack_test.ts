// Attacks on the servers, most of them on the web server, in small. `deno task attack` does them in large, and measures.

import assert from "node:assert/strict";
import { programCommand } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";
import {
  dropBombs,
  floodTls,
  type Force,
  neverRead,
  overwork,
  slow,
  SLOW_MODES,
} from "./attacks.ts";
import { SERVICES } from "./soak_talks.ts";
import { neverTake } from "./unread.ts";
import { verdicts } from "./fuzz.ts";
import type { Probed } from "./probe.ts";

/** The server gets little memory for JavaScript: what it holds for each client must not need more. */
const HEAP = "--max-old-space-size=40";

const subject = {
  command: ["env", `DENO_V8_FLAGS=${HEAP}`, `NODE_OPTIONS=${HEAP}`, ...programCommand("server")],
  seed: 1,
  inProcess: true,
};

/** `deno task attack` asserts a second; the tests run beside others, on machines that are slow. */
const WORST_MS = 10_000;

/** Asserts that the probe was answered each time and soon, and that memory stayed within bounds. */
function serves({ answered, failures, worst, memory }: Probed): void {
  assert.deepEqual(failures, []);
  assert.ok(answered > 0);
  assert.ok(worst < WORST_MS, `An answer took ${worst} ms`);
  assert.ok(memory < 400 * 1024 * 1024, `${memory} bytes of memory`);
}

const small: Force = { connections: 60, seconds: 1 };

test(
  "attack: slowhttptest in four modes at once, with all places of its address, keeps nobody out",
  async () => {
    const args = ["--max-connections", "100", "--max-per-address", "80"];
    serves(await slow(subject, Object.keys(SLOW_MODES), small, args));
  },
  ["curl", "slowhttptest"],
);

test("attack: slow reads that take all places keep nobody out", async () => {
  const probed = await slow(subject, ["read"], small, ["--max-connections", "30"]);
  serves(probed);
  assert.ok(probed.sockets >= 30, `${probed.sockets} sockets were open`);
}, ["curl", "slowhttptest"]);

for (
  const [what, attack, connections] of [
    ["a flood of connections to TLS that close at once or half way", floodTls, 200],
    ["clients that read nothing of what they ask for", neverRead, 60],
    ["bombs of heads, chunks and ranges", dropBombs, 33],
    ["listings and compressions for many at once", overwork, 8],
  ] as const
) {
  test(`attack: ${what}: others are answered`, async () => {
    serves(await attack(subject, { connections, seconds: 0 }));
  }, ["curl"]);
}

for (const service of SERVICES.filter(({ name }) => name !== "web")) {
  test(`attack: clients of ${service.name} that read nothing take little memory, and others are served`, async () => {
    const memory = await neverTake(subject, service);
    assert.ok(memory < 400 * 1024 * 1024, `${memory} bytes of memory`);
  });
}

test("attack: 1,000 messages that nobody thought of get the same statuses on every runtime", async () => {
  assert.equal((await verdicts(subject, 1000)).digest, "6240bad05bcfe102");
});
