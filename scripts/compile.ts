// The sources as JavaScript for Node, made by deno2node, with every `*.deno.ts` swapped for its
// `*.node.ts`: what the npm package is made of, and the same with the tests.

import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DEPENDENCIES, DEV_DEPENDENCIES, PAGE, TYPES } from "./npm_package.ts";
import { ROOT } from "./program.ts";
import { install } from "./runtimes.ts";
import { Context, deno2node, emit } from "./tools.ts";

const LIBRARY = ["mod.ts", "server.ts", "client.ts", "lib"];

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

/** Compiles what the npm package has; resolves to the folder with the JavaScript. */
export function compilePackage(): Promise<string> {
  return compile("package", LIBRARY, { ...DEPENDENCIES, ...TYPES });
}

/** Compiles that and the tests; resolves to the folder with the JavaScript. */
export function compileTests(): Promise<string> {
  const dependencies = { ...DEPENDENCIES, ...TYPES, ...DEV_DEPENDENCIES };
  return compile("tests", [...LIBRARY, "tests", "examples"], dependencies);
}

/** Compiles in `.node/NAME`; rejects with the compiler's text if there are type errors. */
async function compile(
  name: string,
  sources: readonly string[],
  dependencies: Readonly<Record<string, string>>,
): Promise<string> {
  const dir = join(ROOT, ".node", name);
  // Beside the sources there must be a package.json of an ES module, the dependencies, and Node's types.
  await install(dir, dependencies);
  for (const folder of ["src", "out"]) rmSync(join(dir, folder), { recursive: true, force: true });
  for (const source of sources) {
    cpSync(join(ROOT, source), join(dir, "src", source), { recursive: true });
  }
  const tsConfigFilePath = join(dir, "tsconfig.json");
  writeFileSync(tsConfigFilePath, JSON.stringify(TSCONFIG, null, 2));

  const context = new Context({ tsConfigFilePath });
  await deno2node(context);
  const errors = await emit(context.project);
  if (errors.length > 0) {
    throw new Error(context.project.formatDiagnosticsWithColorAndContext(errors));
  }
  cpSync(join(ROOT, PAGE), join(dir, "out", PAGE), { recursive: true });
  return join(dir, "out");
}
