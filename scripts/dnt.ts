// dnt, the other builder of the npm package. It lives on JSR, which not every network reaches.

import { join } from "node:path";
import { COMMANDS, ENTRY, packageJson } from "./npm_package.ts";
import { ROOT } from "./program.ts";

/** The part of dnt that is used here. */
export interface Dnt {
  build(options: Record<string, unknown>): Promise<void>;
}

const DEADLINE_MS = 60_000;

/** Loads dnt; rejects if JSR does not answer. */
export async function loadDnt(): Promise<Dnt> {
  // A variable, since Deno fetches what an import names literally even when it is never run.
  const specifier = "jsr:@deno/dnt@^0.42";
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`JSR has not answered within ${DEADLINE_MS / 1000} s`);
    timer = setTimeout(() => reject(error), DEADLINE_MS);
  });
  return await Promise.race([import(specifier), late]).finally(() => clearTimeout(timer));
}

/** Builds the code of the package into `npm/esm/`. */
export async function buildWithDnt(dnt: Dnt, repository?: string): Promise<void> {
  await dnt.build({
    cwd: ROOT,
    outDir: join(ROOT, "npm"),
    entryPoints: [
      { name: ".", path: ENTRY },
      ...Object.entries(COMMANDS).map(([name, path]) => ({ kind: "bin", name, path })),
    ],
    package: packageJson(repository),
    mappings: {
      "./lib/cli/web/host_name.deno.ts": "./lib/cli/web/host_name.node.ts",
      "./lib/lookup.deno.ts": "./lib/lookup.node.ts",
      "./lib/transport.deno.ts": "./lib/transport.node.ts",
      "./lib/web/file_system.deno.ts": "./lib/web/file_system.node.ts",
      "./lib/worker_process.deno.ts": "./lib/worker_process.node.ts",
    },
    shims: {},
    scriptModule: false,
    skipSourceOutput: true,
    test: false,
    compilerOptions: { target: "ES2022", lib: ["ES2023", "ESNext.Disposable"] },
  });
}
