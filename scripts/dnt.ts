// dnt, the other builder of the npm package. It lives on JSR, which not every network reaches.

import { rmSync } from "node:fs";
import { join } from "node:path";
import config from "../deno.json" with { type: "json" };
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
    mappings: {
      "./lib/cli/io/outputs.deno.ts": "./lib/cli/io/outputs.node.ts",
      "./lib/cli/io/child.deno.ts": "./lib/cli/io/child.node.ts",
      "./lib/cli/serving/descriptors.deno.ts": "./lib/cli/serving/descriptors.node.ts",
      "./lib/cli/serving/successor.deno.ts": "./lib/cli/serving/successor.node.ts",
      "./lib/cli/commands/chat/page_texts.deno.ts": "./lib/cli/commands/chat/page_texts.node.ts",
      "./lib/cli/commands/web/host_name.deno.ts": "./lib/cli/commands/web/host_name.node.ts",
      "./lib/protocols/chat/nats/packages.deno.ts": "./lib/protocols/chat/nats/packages.node.ts",
      "./lib/base/builtins.deno.ts": "./lib/base/builtins.node.ts",
      "./lib/base/proc.deno.ts": "./lib/base/proc.node.ts",
      "./lib/net/io_functions.deno.ts": "./lib/net/io_functions.node.ts",
      "./lib/net/lookup.deno.ts": "./lib/net/lookup.node.ts",
      "./lib/net/system.deno.ts": "./lib/net/system.node.ts",
      "./lib/files/file_system.deno.ts": "./lib/files/file_system.node.ts",
      "./lib/cli/watch/page_texts.deno.ts": "./lib/cli/watch/page_texts.node.ts",
      "./lib/workers/process.deno.ts": "./lib/workers/process.node.ts",
    },
    shims: {},
    polyfills: false,
    scriptModule: false,
    skipSourceOutput: true,
    test: false,
    compilerOptions: { target: "ES2022", lib: ["ES2023", "ESNext.Disposable"] },
  });
  return join(outDir, "esm");
}
