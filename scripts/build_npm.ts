// Builds the npm package into `npm/`:
//
//   deno task build:npm [--builder dnt|typescript] [--repository URL]
//
// Without --builder it is dnt, or TypeScript where JSR does not answer or dnt fails.
// `deno task check:npm` checks the package.

import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { BUILDERS, compileWithFirst } from "./builders.ts";
import { copyCode } from "./npm_code.ts";
import { CODE, DOCUMENTS, packageJson } from "./npm_package.ts";
import { ROOT } from "./program.ts";
import { Report } from "./report.ts";

const NPM = join(ROOT, "npm");

const { builder, repository } = parseArgs({
  options: { builder: { type: "string" }, repository: { type: "string" } },
}).values;
if (builder !== undefined && !Object.hasOwn(BUILDERS, builder)) {
  console.error(`--builder takes ${Object.keys(BUILDERS).join(" or ")}, not '${builder}'`);
  Deno.exit(2);
}
const builders = builder === undefined ? BUILDERS : { [builder]: BUILDERS[builder] };

const report = new Report();
await report.check("the package is built", async () => {
  const compiled = await compileWithFirst(builders, console.log);
  rmSync(NPM, { recursive: true, force: true });
  copyCode(compiled.dir, join(NPM, CODE));
  writeFileSync(join(NPM, "package.json"), JSON.stringify(packageJson(repository), null, 2) + "\n");
  for (const [name, source] of Object.entries(DOCUMENTS)) {
    cpSync(join(ROOT, source), join(NPM, name));
  }
  console.log(`It is built by ${compiled.builder}.`);
});
report.end();
