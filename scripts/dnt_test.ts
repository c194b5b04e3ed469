import assert from "node:assert/strict";
import { test } from "../tests/support/runner.deno.ts";
import { replacements } from "./dnt.ts";

test("dnt: each module for Deno that the package imports gives way to its twin for Node", () => {
  const found = replacements();
  for (const [path, twin] of Object.entries(found)) {
    assert.equal(twin, path.replace(".deno.ts", ".node.ts"));
  }
  for (const path of ["lib/net/system", "lib/cli/io/terminal", "lib/workers/process"]) {
    assert.equal(found[`./${path}.deno.ts`], `./${path}.node.ts`);
  }
});

test("dnt: a module that only modules for Deno import is not named", () => {
  assert.equal(replacements()["./lib/net/tls/system.deno.ts"], undefined);
});
