// The sources as JavaScript for Node, with every `*.deno.ts` swapped for its `*.node.ts`: what the npm
// package is made of, by TypeScript, and the same with the tests.

import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DEPENDENCIES, DEV_DEPENDENCIES, PAGES, PEERS, TYPES } from "./npm_package.ts";
import { ROOT } from "./program.ts";
import { install } from "./runtimes.ts";
import { ts } from "./tools.ts";

const LIBRARY = ["mod.ts", "server.ts", "client.ts", "lib"];

const TSCONFIG = {
  compilerOptions: {
    target: "ES2022",
    lib: ["ES2023", "ESNext.Disposable"],
    module: "ES2022",
    moduleResolution: "Bundler",
    rootDir: "src",
    outDir: "out",
    declaration: true,
    strict: true,
    noImplicitOverride: true,
    noUnusedLocals: true,
    verbatimModuleSyntax: true,
    rewriteRelativeImportExtensions: true,
    types: ["node"],
    skipLibCheck: true,
  },
  include: ["src/**/*.ts"],
  exclude: ["src/**/*.deno.ts"],
};

/** Compiles what the npm package has; rejects with the compiler's text if there are type errors. */
export async function compilePackage(): Promise<string> {
  const dir = await prepare("package", LIBRARY, { ...DEPENDENCIES, ...PEERS, ...TYPES });
  const { options, fileNames } = ts
    .parseJsonConfigFileContent(TSCONFIG, ts.sys, dir, undefined, join(dir, "tsconfig.json"));
  const host = ts.createCompilerHost(options);
  const sources = new Set(fileNames);
  host.readFile = (name) => {
    const text = ts.sys.readFile(name);
    return sources.has(name) ? forNode(text!) : text;
  };
  const program = ts.createProgram(fileNames, options, host);
  const errors = [...ts.getPreEmitDiagnostics(program), ...program.emit().diagnostics];
  if (errors.length > 0) throw new Error(ts.formatDiagnosticsWithColorAndContext(errors, host));
  return withPages(dir);
}

/**
 * Compiles that and the tests, one file after the other and without a look at types: `deno task check`
 * checks those of the tests, and {@linkcode compilePackage} those of the library on Node.
 */
export async function compileTests(): Promise<string> {
  const sources = [...LIBRARY, "tests", "examples"];
  const dir = await prepare("tests", sources, { ...DEPENDENCIES, ...PEERS, ...DEV_DEPENDENCIES });
  const src = join(dir, "src");
  for (const name of readdirSync(src, { recursive: true, encoding: "utf8" })) {
    if (!/(?<!\.deno)\.ts$/.test(name)) continue;
    const target = join(dir, "out", name.replace(/\.ts$/, ".js"));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, transpile(name, readFileSync(join(src, name), "utf8")));
  }
  return withPages(dir);
}

/** Makes `.node/NAME`: the sources, their dependencies, and nothing that was compiled before. */
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
  return dir;
}

/** Adds the files that the code reads when it runs; returns the folder of the code. */
function withPages(dir: string): string {
  for (const page of PAGES) cpSync(join(ROOT, page), join(dir, "out", page), { recursive: true });
  return join(dir, "out");
}

/** The JavaScript of one file, in which `*.deno.ts` has become `*.node.ts`. */
function transpile(fileName: string, source: string): string {
  const { options: compilerOptions } = ts.convertCompilerOptionsFromJson(
    { ...TSCONFIG.compilerOptions, declaration: false },
    "",
  );
  const { outputText } = ts.transpileModule(forNode(source), { fileName, compilerOptions });
  return outputText.replace(/^#!.*/, "#!/usr/bin/env node");
}

/** A source in which `*.deno.ts` has become `*.node.ts`. */
function forNode(source: string): string {
  return source.replace(/(?<= from "\.[^"\n]*)\.deno\.ts";$/gm, '.node.ts";');
}
