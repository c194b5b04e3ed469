// The test runner of Deno; its twin for Node is runner.node.ts.

import process from "node:process";
import { isHere, missingError, type Need, skippedName } from "./programs.ts";
import { noteSkipped } from "./skipped.ts";

/** At least 5 times what the slowest test takes on a quiet machine with two cores. */
const DEADLINE_MS = 120_000;

/**
 * Registers a test, which fails when it takes longer than two minutes. Without what it `needs`,
 * it is skipped, or fails where CI=true.
 */
export function test(
  name: string,
  fn: () => void | Promise<void>,
  needs: readonly Need[] = [],
): void {
  const missing = needs.filter((need) => !isHere(need));
  if (missing.length > 0 && process.env.CI !== "true") {
    noteSkipped(missing);
    Deno.test({ name: skippedName(name, missing), ignore: true, fn });
    return;
  }
  Deno.test(name, async () => {
    if (missing.length > 0) throw missingError(missing);
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

/** Calls `fn` before the first test of the file. */
export function beforeAll(fn: () => Promise<void>): void {
  Deno.test.beforeAll(fn);
}

/** Calls `fn` after the last test of the file. */
export function afterAll(fn: () => Promise<void>): void {
  Deno.test.afterAll(fn);
}

/** The column of docs/semantics.md that this runtime fills. */
export const runtime: string = "Deno";

/** The command that runs a script with this runtime. */
export function runCommand(script: string, permissions: readonly string[]): string[] {
  // Quiet, since the first run on a machine would tell of what it downloads.
  return [process.execPath, "run", "--quiet", ...permissions, script];
}
