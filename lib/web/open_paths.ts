/**
 * Where what is open really is. A path says nothing for long: whoever can write below the root may put
 * a link in the place of a directory at any moment. So what counts is what has been opened, and on
 * Linux `/proc/self/fd` tells where that is.
 *
 * @module
 */

import { readlinkSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { sep } from "node:path";
import { hasOpenPaths } from "./file_system.deno.ts";

/** Opens nothing, and only says what would be opened; Linux has it, and neither runtime a name for it. */
export const O_PATH = 0o10000000;

let told: boolean | undefined;

/** Whether the system tells where an open file is, and this process may ask. */
export function tellsPaths(): boolean {
  return told ??= hasOpenPaths();
}

/** Where an open file is now. */
export function pathOf(handle: FileHandle): string {
  return readlinkSync(linkOf(handle));
}

/** A path that leads to an open file or directory, wherever that is by then. */
export function linkOf({ fd }: FileHandle): string {
  return `/proc/self/fd/${fd}`;
}

/** Whether a path without links is that of a directory, or of something in it. */
export function isInside(directory: string, path: string): boolean {
  const inside = directory.endsWith(sep) ? directory : directory + sep;
  return path === directory || path.startsWith(inside);
}
