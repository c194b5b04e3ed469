/**
 * Whether `/proc` of Linux may be read, on Deno. The twin for Node is `proc.node.ts`.
 *
 * @module
 */

import process from "node:process";
import { nodeFs } from "./builtins.deno.ts";

const PERMISSIONS = ["env", "ffi", "net", "read", "run", "sys", "write"] as const;

/**
 * Whether all of `/proc` can be read without asking the user. Deno lets only those with all permissions
 * read it, and would ask the user for them.
 */
export function mayReadProc(): boolean {
  if (process.platform !== "linux") return false;
  const isAll = PERMISSIONS.every((name) => {
    const { state, partial } = Deno.permissions.querySync({ name });
    return state === "granted" && !partial;
  });
  return isAll && nodeFs().existsSync("/proc/self/fd");
}
