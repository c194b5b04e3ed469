import assert from "node:assert/strict";
import { runProgram } from "../support/peers.ts";
import { test } from "../support/runner.deno.ts";
import { inShell, programCommand } from "../support/scripts.ts";

test("TLS and datagrams: the first use while no descriptor is left is an error, and ends nothing", async () => {
  const command = inShell('ulimit -n 100 && exec "$@"', programCommand("tests/net/no_descriptors"));
  const { code, stdout, stderr } = await runProgram(command);
  assert.equal(code, 0, stderr);
  assert.match(stdout.toString(), /^ETLS (EMFILE|OK)\n$/);
});
