// The sources as JavaScript for Node, with every `*.deno.ts` swapped for its `*.node.ts`: what the npm
// package is made of, by TypeScript, and the same with the tests.

import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { installCompiler, NATIVE } from "./compilers.ts";
import { DEPENDENCIES, DEV_DEPENDENCIES, PAGES, PEERS, TYPES } from "./npm_package.ts";
import { must, ROOT } from "./program.ts";
import { install } from "./runtimes.ts";

const LIBRARY = ["mod.ts", "server.ts", "client.ts", "lib"];

const TSCONFIG = {
  compilerOptions: {
    target: "ES2022",
    lib: ["ES2023", "ESNext.Disposable"],
    module: "ES2022",
    moduleResolution: "Bundler",
    rootDir: "src",
    outDir: "out",
    strict: true,
    noImplicitOverride: true,
    noUnusedLocals: true,
    verbatimModuleSyntax: true,
    rewriteRelativeImportExtensions: true,
    skipLibCheck: true,
  },
  include: ["src/**/*.ts"],
  exclude: ["src/**/*.deno.ts"],
};

/** Compiles what the npm package has; rejects with the compiler's text if there are type errors. */
export async function compilePackage(): Promise<string> {
  const dir = await prepare("package", LIBRARY, { ...DEPENDENCIES, ...PEERS, ...TYPES });
  return await compile(dir, { declaration: true, types: ["node"] });
}

/**
 * Compiles that and the tests, without a look at types: `deno task check` checks those of the tests, and
 * {@linkcode compilePackage} those of the library on Node.
 */
export async function compileTests(): Promise<string> {
  const sources = [...LIBRARY, "tests", "examples"];
  const dir = await prepare("tests", sources, { ...DEPENDENCIES, ...PEERS, ...DEV_DEPENDENCIES });
  return await compile(dir, { noCheck: true, types: [] });
}

/** Makes `.node/NAME`: the sources for Node, their dependencies, and nothing that was compiled before. */
async function prepare(
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
  const src = join(dir, "src");
  for (const name of readdirSync(src, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".ts")) continue;
    const text = readFileSync(join(src, name), "utf8");
    writeFileSync(join(src, name), forNode(text));
  }
  return dir;
}

/** Compiles the sources in `dir` and adds the files that the code reads; returns the code's folder. */
async function compile(dir: string, options: Readonly<Record<string, unknown>>): Promise<string> {
  const config = { ...TSCONFIG, compilerOptions: { ...TSCONFIG.compilerOptions, ...options } };
  writeFileSync(join(dir, "tsconfig.json"), JSON.stringify(config));
  await must([join(await installCompiler(NATIVE), "node_modules", ".bin", "tsc"), "-p", dir]);
  for (const page of PAGES) cpSync(join(ROOT, page), join(dir, "out", page), { recursive: true });
  return join(dir, "out");
}

/** Returns a source with Node in its first line, and with `*.node.ts` for each `*.deno.ts`. */
function forNode(source: string): string {
  return source.replace(/^#!.*/, "#!/usr/bin/env node")
    .replace(/(?<= from "\.[^"\n]*)\.deno\.ts";$/gm, '.node.ts";');
}
