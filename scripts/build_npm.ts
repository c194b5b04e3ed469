// Builds the npm package into `npm/`:
//
//   deno task build:npm [--builder dnt|deno2node] [--repository URL]
//
// `deno task check:npm` checks it.

import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import config from "../deno.json" with { type: "json" };
import { compilePackage } from "./compile.ts";
import { buildWithDnt, type Dnt, loadDnt } from "./dnt.ts";
import { DOCUMENTS, packageJson } from "./npm_package.ts";
import { ROOT } from "./program.ts";
import { Report } from "./report.ts";

const NPM = join(ROOT, "npm");

/** Puts the code of the package into `npm/esm/`. */
interface Builder {
  readonly name: string;
  build(repository?: string): Promise<void>;
}

const deno2nodeBuilder: Builder = {
  name: "deno2node",
  async build() {
    cpSync(await compilePackage(), join(NPM, "esm"), { recursive: true });
  },
};

function dntBuilder(dnt: Dnt): Builder {
  return { name: "dnt", build: (repository) => buildWithDnt(dnt, repository) };
}

/** The examples in the doc comments import the package by its name on JSR; on npm it has another. */
function nameAsOnNpm(): void {
  for (const name of readdirSync(NPM, { recursive: true, encoding: "utf8" })) {
    if (!/\.(d\.ts|js)$/.test(name)) continue;
    const file = join(NPM, name);
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replaceAll(`from "${config.name}"`, `from "${packageJson().name}"`));
  }
}

/** The builder asked for; if none was, dnt where JSR answers. */
async function chooseBuilder(name: string | undefined): Promise<Builder> {
  if (name === "deno2node") return deno2nodeBuilder;
  if (name === "dnt") return dntBuilder(await loadDnt());
  if (name !== undefined) throw new Error(`--builder takes dnt or deno2node, not ${name}`);
  try {
    return dntBuilder(await loadDnt());
  } catch (error) {
    console.log(`No dnt here: ${(error as Error).message}`);
    return deno2nodeBuilder;
  }
}

const { builder: name, repository } = parseArgs({
  options: { builder: { type: "string" }, repository: { type: "string" } },
}).values;
const builder = await chooseBuilder(name).catch((error) => {
  console.error(error.message);
  Deno.exit(2);
});
rmSync(NPM, { recursive: true, force: true });
mkdirSync(NPM);

const report = new Report();
await report.check(`${builder.name} builds the package`, async () => {
  await builder.build(repository);
  nameAsOnNpm();
  writeFileSync(join(NPM, "package.json"), JSON.stringify(packageJson(repository), null, 2) + "\n");
  for (const document of DOCUMENTS) {
    cpSync(join(ROOT, document), join(NPM, document));
  }
});
report.end();
