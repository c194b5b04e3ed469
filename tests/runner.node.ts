// The test runner of Node, and of Bun, which has it too; its twin for Deno is runner.deno.ts.

import { test as nodeTest } from "node:test";
import process from "node:process";

/** Registers a test that fails when it takes longer than a minute. */
export function test(name: string, fn: () => void | Promise<void>): void {
  nodeTest(name, { timeout: 60_000 }, () => fn());
}

/** The column of docs/semantics.md that this runtime fills. */
export const runtime: string = process.versions.bun
  ? "Bun"
  : `Node ${process.versions.node.split(".")[0]}`;

/** The command that runs a script with this runtime. The permissions are Deno's. */
export function runCommand(script: string, _permissions: readonly string[]): string[] {
  return [process.execPath, script];
}
