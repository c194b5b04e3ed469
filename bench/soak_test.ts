// Servers that lose something on purpose: the soak finds it.

import assert from "node:assert/strict";
import { type Load, soak } from "../tests/reliability/soak.ts";
import { SERVICES } from "../tests/reliability/soak_talks.ts";
import type { Program } from "../tests/support/peers.ts";
import { test } from "../tests/support/runner.deno.ts";
import { checkGrowth, type Memory, memoryOf, REPORT } from "./reliability/memory.ts";

const LOAD: Load = { idle: 5, active: 5, opened: 5, seconds: 1, pause: 100 };

const [echo] = SERVICES;

/** The command of a server that does something else ten times a second. */
function losing(what: string): string[] {
  const module = `
    import { openSync } from "node:fs";
    import { setInterval } from "node:timers";
    const kept = [];
    setInterval(() => { ${what} }, 100).unref();`;
  const preloads = ["--preload", REPORT, "--preload", `data:text/javascript,${escape(module)}`];
  const script = new URL("../server.ts", import.meta.url).href;
  return [Deno.execPath(), "run", "--quiet", "--v8-flags=--expose-gc", ...preloads, "-A", script];
}

test("soak: a server that keeps memory is found", async () => {
  const command = losing("kept.push(Array.from({ length: 100_000 }, Math.random));");
  const memory: Memory[] = [];
  const onClosed = async (program: Program) => void memory.push(await memoryOf(program));
  await soak({ command, seed: 1 }, echo, LOAD, { onClosed });
  assert.throws(() => checkGrowth(memory), /^Error: Memory grew from \d+\.\d MiB to \d+\.\d MiB$/);
});

test("soak: a server that keeps descriptors is found", async () => {
  const command = losing('openSync("/dev/null");');
  await assert.rejects(
    soak({ command, seed: 1 }, echo, LOAD, { closingTime: 0 }),
    /^Error: \d+ descriptors are open, and \d+ were before\nThe server: exit code 0\n$/,
  );
});
