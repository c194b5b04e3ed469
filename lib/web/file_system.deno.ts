/**
 * What Deno does better by its own names than by those of Node. Its twin for Node is
 * `file_system.node.ts`.
 *
 * @module
 */

import { existsSync } from "node:fs";
import process from "node:process";
import { type FileState, kindOf } from "./file_state.ts";

/** The state of the file at a path, behind links; at once. Throws as `statSync()` does. */
export function stateNow(path: string): FileState {
  const { isFile, isDirectory, size, mtime, ctime, ino, dev, mode } = Deno.statSync(path);
  return {
    kind: kindOf(isFile, isDirectory),
    size,
    mtimeMs: mtime?.getTime() ?? NaN,
    ctimeMs: ctime?.getTime() ?? NaN,
    ino: ino ?? 0,
    dev,
    mode: mode ?? 0,
  };
}

const PERMISSIONS = ["env", "ffi", "net", "read", "run", "sys", "write"] as const;

/**
 * Whether `/proc/self/fd` can be asked where an open file is. Deno lets only those with all
 * permissions, and would ask the user for them.
 */
export function hasOpenPaths(): boolean {
  if (process.platform !== "linux") return false;
  const isAll = PERMISSIONS.every((name) => {
    const { state, partial } = Deno.permissions.querySync({ name });
    return state === "granted" && !partial;
  });
  return isAll && existsSync("/proc/self/fd");
}
