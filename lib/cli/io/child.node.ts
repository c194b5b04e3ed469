/**
 * Running a program of others to its end. The twin of `child.deno.ts`.
 *
 * @module
 */

import { execFile } from "node:child_process";
import process from "node:process";
import type { ChildEnd } from "./child_end.ts";

/**
 * Runs a program with `env` on top of this process's environment, for at most `ms` milliseconds.
 */
export function runChild(
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  ms: number,
): Promise<ChildEnd> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...env }, timeout: ms };
    execFile(name, [...args], options, (error, stdout, stderr) => {
      const failed = (failure: string) => resolve({ failure, stdout });
      if (error === null) return resolve({ stdout });
      if (error.code as unknown === "ENOENT") return failed("is not installed");
      if (error.killed) return failed(`took longer than ${ms / 1000} s`);
      if (typeof error.code !== "number") return failed(`could not be started: ${error.message}`);
      failed(`ended with code ${error.code}: ${stderr.split("\n")[0]}`);
    });
  });
}
