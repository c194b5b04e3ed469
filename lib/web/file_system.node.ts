/**
 * What Deno does better by its own names, for Node. Its twin for Deno is `file_system.deno.ts`.
 *
 * @module
 */

import { existsSync, statSync } from "node:fs";
import process from "node:process";
import { type FileState, stateOf } from "./file_state.ts";

/** The state of the file at a path, behind links; at once. Throws as `statSync()` does. */
export function stateNow(path: string): FileState {
  return stateOf(statSync(path));
}

/** Whether `/proc/self/fd` can be asked where an open file is. */
export function hasOpenPaths(): boolean {
  return process.platform === "linux" && existsSync("/proc/self/fd");
}
