/**
 * The limit of this process's file descriptors.
 *
 * @module
 */

import { nodeFs } from "./builtins.deno.ts";

/** Reads the limit (`ulimit -n`). Undefined where the system does not tell. Deno asks for a permission. */
export function descriptorLimit(): number | undefined {
  try {
    return limitIn(nodeFs().readFileSync("/proc/self/limits", "utf8"));
  } catch {
    return undefined;
  }
}

/** The limit that `/proc/self/limits` has in it. */
export function limitIn(limits: string): number | undefined {
  const limit = /^Max open files +(\d+)/m.exec(limits)?.[1];
  return limit === undefined ? undefined : Number(limit);
}
