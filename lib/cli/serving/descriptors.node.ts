/**
 * The state of a server's file descriptors on Node. The twin of `descriptors.deno.ts`.
 *
 * @module
 */

import { closeSync, openSync, readdirSync } from "node:fs";
import { devNull } from "node:os";

export { descriptorLimit } from "../../base/descriptor_limit.ts";

/** The number of descriptors that are open; undefined where that cannot be read. */
export function openDescriptors(): number | undefined {
  try {
    // One of them reads the folder.
    return readdirSync("/proc/self/fd").length - 1;
  } catch {
    return undefined;
  }
}

/** Opens a file and closes it. Throws as `fs` does. */
export function tryDescriptor(): void {
  closeSync(openSync(devNull, "r"));
}
