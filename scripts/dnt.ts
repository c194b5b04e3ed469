// dnt, the other builder of the npm package. It lives on JSR, which not every network reaches.

import { rmSync } from "node:fs";
import { join, normalize } from "node:path";
import config from "../deno.json" with { type: "json" };
import { reachable } from "./npm_code.ts";
import { COMMANDS, DEPENDENCIES, EXPORTS, NAME, PEERS, TYPES } from "./npm_package.ts";
import { ROOT } from "./program.ts";

/** The options of dnt that are used here. */
export interface DntOptions {
  /** The folder that the other paths start from, but for `outDir`. */
  readonly cwd: string;
  /** Where it puts the package; the code is in `esm/` there. */
  readonly outDir: string;
  readonly entryPoints: { kind: "bin" | "export"; name: string; path: string }[];
  /** The package.json that it compiles with; the one of the package is another. */
  readonly package: {
    readonly name: string;
    readonly version: string;
    readonly dependencies: Readonly<Record<string, string>>;
    readonly devDependencies: Readonly<Record<string, string>>;
  };
  /** Which file takes the place of another. */
  readonly mappings: Readonly<Record<string, string>>;
  readonly shims: Record<string, never>;
  /** What it adds for old runtimes. */
  readonly polyfills: boolean;
  /** Whether there is CommonJS, too. */
  readonly scriptModule: false;
  readonly skipSourceOutput: boolean;
  readonly test: boolean;
  readonly compilerOptions: {
    readonly target: "ES2022";
    readonly lib: ("ES2023" | "ESNext.Disposable")[];
  };
}

/** The part of dnt that is used here. */
export interface Dnt {
  build(options: DntOptions): Promise<void>;
}

const DEADLINE_MS = 60_000;

/** Loads dnt; rejects if JSR does not answer. */
export async function loadDnt(): Promise<Dnt> {
  // A variable, since Deno fetches what an import names literally even when it is never run.
  const specifier = "jsr:@deno/dnt@^0.43";
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`JSR has not answered within ${DEADLINE_MS / 1000} s`);
    timer = setTimeout(() => reject(error), DEADLINE_MS);
  });
  return await Promise.race([import(specifier), late]).finally(() => clearTimeout(timer));
}

/**
 * The modules for Deno that the package imports, each with the module for Node that takes its place. dnt
 * refuses a module that is not imported, such as what only a module for Deno imports.
 */
export function replacements(): Record<string, string> {
  const found: Record<string, string> = {};
  const sources = Object.values({ ...EXPORTS, ...COMMANDS }).map((source) => normalize(source));
  reachable(ROOT, sources, (path) => {
    const twin = path.replace(/\.deno\.ts$/, ".node.ts");
    if (twin !== path) found[`./${path}`] = `./${twin}`;
    return twin;
  });
  return found;
}

/** Compiles the package; resolves to the folder with the code. */
export async function compileWithDnt(dnt: Dnt): Promise<string> {
  const outDir = join(ROOT, ".node", "dnt");
  rmSync(outDir, { recursive: true, force: true });
  await dnt.build({
    cwd: ROOT,
    outDir,
    entryPoints: [
      ...Object.entries(EXPORTS).map(([name, path]) => ({ kind: "export" as const, name, path })),
      ...Object.entries(COMMANDS).map(([name, path]) => ({ kind: "bin" as const, name, path })),
    ],
    package: {
      name: NAME,
      version: config.version,
      dependencies: DEPENDENCIES,
      devDependencies: { ...TYPES, ...PEERS },
    },
    mappings: replacements(),
    shims: {},
    polyfills: false,
    scriptModule: false,
    skipSourceOutput: true,
    test: false,
    compilerOptions: { target: "ES2022", lib: ["ES2023", "ESNext.Disposable"] },
  });
  return join(outDir, "esm");
}
