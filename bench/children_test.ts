// They run on Deno and Linux only, as the benches do.

import assert from "node:assert/strict";
import { test } from "../tests/support/runner.deno.ts";
import { Child } from "./common/children.ts";

test("bench: who stops a process stops those that it has started, too", async () => {
  const child = new Child(["sh", "-c", "sleep 100 & echo started; wait"]);
  assert.equal(await child.line(), "started");
  await child.stop();
  // Their stdout is at its end only when none of them holds it open.
  await assert.rejects(child.line(), /it ended without a word/);
});
