// The test runner of Node, and of Bun, which has it too; its twin for Deno is runner.deno.ts.

import process from "node:process";
import { after, before, test as nodeTest } from "node:test";
import { isHere, missingError, type Need, skippedName } from "./programs.ts";

/** At least 5 times what the slowest test takes on a quiet machine with two cores. */
const DEADLINE_MS = 120_000;

/** Fails the test that runs. They run one after the other. */
let failRunning: ((error: unknown) => void) | undefined;

// Our script has switched off how `node:test` finds the test of an error that nobody catches: see
// scripts/untracked_tests.mjs. Bun tells by itself.
if (!process.versions.bun) {
  for (const event of ["uncaughtException", "unhandledRejection"]) {
    process.on(event, (error) => failRunning?.(error));
  }
}

/** Calls `fn`, and rejects with what it throws, or with an error that nobody catches meanwhile. */
async function run(fn: () => void | Promise<void>): Promise<void> {
  const uncaught = new Promise<never>((_, reject) => failRunning = reject);
  try {
    await Promise.race([fn(), uncaught]);
  } finally {
    failRunning = undefined;
  }
}

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
  const skip = missing.length > 0 && process.env.CI !== "true";
  nodeTest(skip ? skippedName(name, missing) : name, { timeout: DEADLINE_MS, skip }, () => {
    if (missing.length > 0) throw missingError(missing);
    return run(fn);
  });
}

/** Calls `fn` before the first test of the file. */
export function beforeAll(fn: () => Promise<void>): void {
  before(fn);
}

/** Calls `fn` after the last test of the file. */
export function afterAll(fn: () => Promise<void>): void {
  after(fn);
}

/** The column of docs/semantics.md that this runtime fills. */
export const runtime: string = process.versions.bun
  ? "Bun"
  : `Node ${process.versions.node.split(".")[0]}`;

/** The command that runs a script with this runtime. The permissions are Deno's. */
export function runCommand(script: string, _permissions: readonly string[]): string[] {
  return [process.execPath, script];
}
