// The sources as JavaScript for Node, made by deno2node: the library, the two scripts, the tests and the examples,
// with every `*.deno.ts` swapped for its `*.node.ts`. The npm package and the tests on Node use the
// very same files.

import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DEPENDENCIES, DEV_DEPENDENCIES } from "./npm_package.ts";
import { ROOT } from "./program.ts";
import { install } from "./runtimes.ts";
import { Context, deno2node, emit } from "./tools.ts";

const DIR = join(ROOT, ".node");
const SOURCES = ["mod.ts", "server.ts", "client.ts", "lib", "tests", "examples"];

/** Where the JavaScript ends up. */
export const OUT: string = join(DIR, "out");

const TSCONFIG = {
  compilerOptions: {
    target: "ES2022",
    lib: ["ES2023", "ESNext.Disposable"],
    // Not NodeNext: a file in which deno2node has changed an import then counts as CommonJS.
    module: "ES2022",
    moduleResolution: "Bundler",
    rootDir: "src",
    outDir: "out",
    declaration: true,
    strict: true,
    noImplicitOverride: true,
    noUnusedLocals: true,
    verbatimModuleSyntax: true,
    types: ["node"],
    skipLibCheck: true,
  },
  include: ["src/**/*.ts"],
};

/** Compiles into {@linkcode OUT}; throws with the compiler's text if there are type errors. */
export async function compile(): Promise<void> {
  // Beside the sources there must be a package.json of an ES module, the dependencies, and Node's types.
  await install(DIR, { ...DEPENDENCIES, ...DEV_DEPENDENCIES });
  for (const name of ["src", "out"]) rmSync(join(DIR, name), { recursive: true, force: true });
  for (const name of SOURCES) cpSync(join(ROOT, name), join(DIR, "src", name), { recursive: true });
  const tsConfigFilePath = join(DIR, "tsconfig.json");
  writeFileSync(tsConfigFilePath, JSON.stringify(TSCONFIG, null, 2));

  const context = new Context({ tsConfigFilePath });
  await deno2node(context);
  const errors = await emit(context.project);
  if (errors.length > 0) {
    throw new Error(context.project.formatDiagnosticsWithColorAndContext(errors));
  }
}
