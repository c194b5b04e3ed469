// The library while name servers do not answer; the programs are in cli_name_servers_test.ts.

import assert from "node:assert/strict";
import { rejects } from "../support/helpers.ts";
import { Namespace, testInNamespace } from "../support/namespace.ts";
import { runtime, test } from "../support/runner.deno.ts";
import { programCommand } from "../support/scripts.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";

testInNamespace(
  "name servers: a look-up that hangs holds up neither another nor the end",
  async () => {
    await using ns = await Namespace.open();
    await using program = ns.start(programCommand("tests/net/probe_dial"));
    const all = Array.from({ length: 8 }, () => "resolve ETIMEDOUT").join(", ");
    const began = performance.now();
    await program.stdout.until(new RegExp(`^${all}\nresolve ECANCELED\ndone\n$`));
    // On Deno a script that does not say when it ends waits for getaddrinfo(3).
    if (runtime !== "Deno") assert.equal((await program.exit()).code, 0);
    assert.ok(performance.now() - began < 20_000);
  },
);

test("resolve: what was aborted before is not begun", async () => {
  const endpoint = { host: "good.test", port: 80, signal: AbortSignal.abort() };
  const { op, message } = await rejects(systemTransport.resolve(endpoint), "ECANCELED");
  assert.equal(op, "resolve");
  assert.match(message, /^Cannot resolve good\.test:80/);
});
