/**
 * The state of a server's file descriptors that Deno reads without asking for a permission. Its
 * twin for Node is `descriptors.node.ts`.
 *
 * @module
 */

import { closeSync, openSync } from "node:fs";
import { descriptorLimit as read } from "../../net/descriptors.ts";

function mayRead(path: string): boolean {
  return Deno.permissions.querySync({ name: "read", path }).state === "granted";
}

/** The limit (`ulimit -n`), as far as it is known. */
export function descriptorLimit(): number | undefined {
  return mayRead("/proc/self/limits") ? read() : undefined;
}

/** Opens a file, if that is allowed, and closes it. Throws as `fs` does. */
export function tryDescriptor(): void {
  if (mayRead("/dev/null")) closeSync(openSync("/dev/null", "r"));
}
