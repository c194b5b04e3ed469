/**
 * Running a program of others to its end. The twin of `child.deno.ts`.
 *
 * @module
 */

import { execFile } from "node:child_process";
import process from "node:process";
import { type ChildEnd, endedBy } from "./child_end.ts";

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
    const failed = (failure: string, stdout = "") => resolve({ failure, stdout });
    try {
      execFile(name, [...args], options, (error, stdout, stderr) => {
        if (error === null) return resolve({ stdout });
        if (error.code as unknown === "ENOENT") return failed("is not installed", stdout);
        if (error.killed) return failed(`took longer than ${ms / 1000} s`, stdout);
        if (error.signal) return failed(endedBy(error.signal), stdout);
        if (typeof error.code !== "number") return failed(notStarted(error), stdout);
        failed(`ended with code ${error.code}: ${stderr.split("\n")[0]}`, stdout);
      });
    } catch (error) {
      // `node --permission` forbids it.
      const { code } = error as { code?: unknown };
      const isForbidden = code === "ERR_ACCESS_DENIED";
      failed(isForbidden ? "needs --allow-child-process" : notStarted(error as Error));
    }
  });
}

function notStarted({ message }: Error): string {
  return `could not be started: ${message}`;
}
