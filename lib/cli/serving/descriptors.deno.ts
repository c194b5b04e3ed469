/**
 * The state of a server's file descriptors that Deno reads without asking for a permission. Its
 * twin for Node is `descriptors.node.ts`.
 *
 * @module
 */

import { nodeFs } from "../../base/builtins.deno.ts";
import { limitIn } from "../../base/descriptor_limit.ts";

function mayRead(path: string): boolean {
  return Deno.permissions.querySync({ name: "read", path }).state === "granted";
}

/** The limit (`ulimit -n`), as far as it is known. */
export function descriptorLimit(): number | undefined {
  if (!mayRead("/proc/self/limits")) return undefined;
  try {
    // Each server asks at its start, and loading node:fs takes 8 ms.
    return limitIn(Deno.readTextFileSync("/proc/self/limits"));
  } catch {
    return undefined;
  }
}

/** The number of descriptors that are open; undefined where that cannot be read. Deno asks for all permissions. */
export function openDescriptors(): number | undefined {
  if (!mayRead("/proc/self/fd")) return undefined;
  try {
    // One of them reads the folder.
    return nodeFs().readdirSync("/proc/self/fd").length - 1;
  } catch {
    return undefined;
  }
}

/** Opens a file, if that is allowed, and closes it. Throws as `fs` does. */
export function tryDescriptor(): void {
  if (!mayRead("/dev/null")) return;
  const { closeSync, openSync } = nodeFs();
  closeSync(openSync("/dev/null", "r"));
}
