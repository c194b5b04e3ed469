/**
 * The ETag of a file.
 *
 * @module
 */

import { randomBytes } from "node:crypto";
import type { Coding } from "./accept_encoding.ts";
import type { FileState } from "./file_state.ts";

/**
 * Makes the ETag of a file in a state, with a content coding, of size and times: an inode would tell
 * clients of the disk. It is weak, and another one each time, unless the state is `isDatable`: then
 * a later change of the content changes the state.
 */
export function etagOf(
  { size, mtimeMs, ctimeMs }: FileState,
  coding: Coding,
  isDatable: boolean,
): string {
  const parts = [size, ...[mtimeMs, ctimeMs].map((ms) => Math.floor(ms * 1000))]
    .map((part) => part.toString(36));
  if (coding !== "identity") parts.push(coding);
  // The next state might look the same: whoever has this one is to ask again.
  if (!isDatable) parts.push(randomBytes(6).toString("hex"));
  return `${isDatable ? "" : "W/"}"${parts.join("-")}"`;
}
