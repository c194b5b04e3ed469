// Load on the echo server, in small. `deno task soak` puts it under 11,000 connections, and measures.

import assert from "node:assert/strict";
import { programCommand } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";
import { soak } from "./soak.ts";

test("soak: idle, active and short connections get each byte back, and no descriptor stays", async () => {
  const load = { idle: 200, active: 20, opened: 300, seconds: 1, pause: 20, quiet: 0 };
  const { messages, opened } = await soak({ command: programCommand("server"), seed: 1 }, load);
  assert.equal(opened, load.opened);
  assert.ok(messages >= load.active);
});
