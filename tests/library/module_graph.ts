// What the modules of the project import, as Deno tells it.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { runProgram } from "../support/peers.ts";

/** The folder of the project. */
export const ROOT: URL = new URL("../../", import.meta.url);

interface Dependency {
  readonly code?: { readonly specifier: string };
  readonly isDynamic?: boolean;
}

/** A module, and what it imports. */
export interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly Dependency[];
}

/** Runs Deno in the folder of the project; resolves to what it printed on stdout, and to all. */
export async function deno(...args: string[]): Promise<{ stdout: string; all: string }> {
  const { code, stdout, stderr } = await runProgram(
    ["env", "-C", fileURLToPath(ROOT), process.execPath, ...args],
    { env: { NO_COLOR: "1" } },
  );
  assert.equal(code, 0, stderr);
  return { stdout: stdout.toString(), all: stdout + stderr };
}

/** Finds what these files of the project import, and so on, types and `import()` included. */
export async function modulesOf(sources: readonly string[]): Promise<Module[]> {
  // A start of Deno for each of them would take longer than all the rest.
  const dir = mkdtempSync(join(tmpdir(), "plainsocket-"));
  try {
    const file = join(dir, "imports.ts");
    const imports = sources.map((source) => `import "${new URL(source, ROOT)}";\n`);
    writeFileSync(file, imports.join(""));
    const { stdout } = await deno("info", "--quiet", "--json", "--config", "deno.json", file);
    return (JSON.parse(stdout) as { modules: Module[] }).modules;
  } finally {
    rmSync(dir, { recursive: true });
  }
}
