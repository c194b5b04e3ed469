// The test runner of Deno; its twin for Node is runner.node.ts.

import process from "node:process";

const DEADLINE_MS = 60_000;

/** Registers a test that fails when it takes longer than a minute. */
export function test(name: string, fn: () => void | Promise<void>): void {
  Deno.test(name, async () => {
    let timer: ReturnType<typeof setTimeout>;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`Not done after ${DEADLINE_MS} ms`)), DEADLINE_MS);
    });
    try {
      await Promise.race([fn(), late]);
    } finally {
      clearTimeout(timer!);
    }
  });
}

/** The column of docs/semantics.md that this runtime fills. */
export const runtime: string = "Deno";

/** The command that runs a script with this runtime. */
export function runCommand(script: string, permissions: readonly string[]): string[] {
  // Quiet, since the first run on a machine would tell of what it downloads.
  return [process.execPath, "run", "--quiet", ...permissions, script];
}
