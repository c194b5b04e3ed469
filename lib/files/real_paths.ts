/**
 * The real paths of open files. A path says nothing for long: users that can write below the root may
 * put a link in the place of a directory at any moment. So the path of the open file counts, which
 * `/proc/self/fd` has on Linux.
 *
 * @module
 */

import { isUtf8 } from "node:buffer";
import { readlinkSync } from "node:fs";
import { type FileHandle, realpath } from "node:fs/promises";
import { sep } from "node:path";
import { mayReadProc } from "../base/proc.deno.ts";

/**
 * Opens nothing, and only says what would be opened; Linux has it, and neither runtime a name for
 * it.
 */
export const O_PATH = 0o10000000;

let known: boolean | undefined;

/** Whether the system has the paths of open files, and this process may read them. */
export function knowsOpenPaths(): boolean {
  return known ??= mayReadProc();
}

/** Something is there, but its path is not UTF-8, so that it can be neither asked for nor opened. */
export class UnnamedError extends Error {
  /** For clients it is as if it were not there. */
  readonly code: string = "ENOENT";

  constructor() {
    super("The path of a file is not UTF-8");
    this.name = "UnnamedError";
  }
}

/**
 * Returns the present path of an open file. Throws an {@linkcode UnnamedError} if it is not UTF-8.
 */
export function pathOf(handle: FileHandle): string {
  const link = linkOf(handle);
  let path: string;
  try {
    path = readlinkSync(link);
  } catch (error) {
    throw namedSo(error);
  }
  // Node has it in place of bytes that are not text.
  if (path.includes("\ufffd") && !isUtf8(readlinkSync(link, { encoding: "buffer" }))) {
    throw new UnnamedError();
  }
  return path;
}

/** A path with no link in it. Rejects as `realpath()` does, or with an {@linkcode UnnamedError}. */
export async function realPathOf(path: string): Promise<string> {
  return await realpath(path).catch((error) => {
    throw namedSo(error);
  });
}

/** Deno has an error without a code for paths that are not UTF-8. */
function namedSo(error: unknown): unknown {
  return (error as Error).name === "InvalidData" ? new UnnamedError() : error;
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
