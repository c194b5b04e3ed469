import assert from "node:assert/strict";
import { test } from "../tests/support/runner.deno.ts";
import { CLI_RULES, forbiddenImports, IMPORT_RULES, importsOf } from "./import_rules.ts";

const lines = (from: string, text: string) => forbiddenImports(importsOf(from, text));

test("import rules: a folder of the library may import those below it, and no other", () => {
  assert.deepEqual(lines("lib/net/udp.ts", 'import "../base/addr.ts";'), []);
  assert.deepEqual(lines("lib/net/udp.ts", '\nimport type { A } from "../serve/serve.ts";'), [
    "lib/net/udp.ts:2: imports lib/serve/serve.ts",
  ]);
  assert.deepEqual(lines("lib/base/addr.ts", 'import "../../mod.ts";'), [
    "lib/base/addr.ts:1: imports mod.ts",
  ]);
});

test("import rules: options of the programs do not import what serves, nor the run", () => {
  for (const target of ["serving/tls", "commands/web/web", "advice/hints", "session"]) {
    assert.deepEqual(lines("lib/cli/options/host.ts", `import "../${target}.ts";`), [
      `lib/cli/options/host.ts:1: imports lib/cli/${target}.ts`,
    ]);
  }
  assert.deepEqual(lines("lib/cli/options/host.ts", 'import "../io/flags.ts";'), []);
  assert.deepEqual(lines("lib/cli/io/flags.ts", 'import "../options/host.ts";'), [
    "lib/cli/io/flags.ts:1: imports lib/cli/options/host.ts",
  ]);
});

test("import rules: a new folder is not allowed to import any other until the table has it", () => {
  assert.equal(lines("lib/new/a.ts", 'import "../net/udp.ts";').length, 1);
  assert.equal(lines("lib/cli/new/a.ts", 'import "../io/io.ts";').length, 1);
});

for (const [name, rules] of Object.entries({ IMPORT_RULES, CLI_RULES })) {
  test(`import rules: in ${name}, each part stands below those that import it`, () => {
    const parts = Object.keys(rules);
    for (const [index, part] of parts.entries()) {
      for (const target of rules[part]) assert.ok(parts.slice(0, index).includes(target), target);
    }
  });
}
