/**
 * The limit of this process's file descriptors.
 *
 * @module
 */

import { readFileSync } from "node:fs";

/** Reads the limit (`ulimit -n`). Undefined where the system does not tell. Deno asks for a permission. */
export function descriptorLimit(): number | undefined {
  try {
    const limits = readFileSync("/proc/self/limits", "utf8");
    const limit = /^Max open files +(\d+)/m.exec(limits)?.[1];
    return limit === undefined ? undefined : Number(limit);
  } catch {
    return undefined;
  }
}
