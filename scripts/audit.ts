// Does the package have dependencies with known vulnerabilities? It asks npm's registry, and fails if
// there are some. A registry that does not answer such questions is a line, and no failure.
//
//   deno task audit

import { join } from "node:path";
import process from "node:process";
import { verdictOf } from "./advisories.ts";
import { DEPENDENCIES } from "./npm_package.ts";
import { ROOT, run } from "./program.ts";
import { install } from "./runtimes.ts";

const dir = join(ROOT, ".node", "audit");
await install(dir, DEPENDENCIES);
const { stdout } = await run(["npm", "audit", "--omit=dev", "--json"], { cwd: dir });
const { skipped, vulnerable } = verdictOf(stdout);
if (skipped !== undefined) {
  console.log(`1 test was skipped, since the registry does not answer 'npm audit': ${skipped}`);
} else {
  for (const line of vulnerable) console.log(`not ok - ${line}`);
  console.log(
    vulnerable.length === 0
      ? "ok - no dependency of the package has a known vulnerability"
      : "Raise these versions in deno.json, or see https://docs.npmjs.com/cli/commands/npm-audit.",
  );
  process.exitCode = vulnerable.length === 0 ? 0 : 1;
}
