/**
 * The state of a server's file descriptors on Node. The twin of `descriptors.deno.ts`.
 *
 * @module
 */

import { closeSync, openSync } from "node:fs";
import { devNull } from "node:os";

export { descriptorLimit } from "../../net/descriptors.ts";

/** Opens a file and closes it. Throws as `fs` does. */
export function tryDescriptor(): void {
  closeSync(openSync(devNull, "r"));
}
