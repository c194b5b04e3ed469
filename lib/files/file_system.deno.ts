/**
 * Functions that Deno does better by its own API than by Node's. Its twin for Node is
 * `file_system.node.ts`.
 *
 * @module
 */

import { type FileState, kindOf, type NameFound } from "./file_state.ts";

/**
 * Whether the event loop, while there is always something to be done, looks at the network only once in
 * some 60 rounds. It does at once when there is nothing to be done before a timer rings.
 */
export const LOOKS_SELDOM = true;

/** The state of the file at a path, behind links; at once. Throws as `statSync()` does. */
export function stateNow(path: string): FileState {
  return stateOfInfo(Deno.statSync(path));
}

/** The state of what is at a path, be it a link. Rejects as `lstat()` does. */
export async function stateAt(path: string): Promise<FileState> {
  return stateOfInfo(await Deno.lstat(path));
}

function stateOfInfo(info: Deno.FileInfo): FileState {
  const { isFile, isDirectory, size, mtime, ctime, ino, dev, mode } = info;
  return {
    kind: kindOf(isFile, isDirectory),
    size,
    mtimeMs: mtime?.getTime() ?? NaN,
    ctimeMs: ctime?.getTime() ?? NaN,
    ino: ino ?? 0,
    dev,
    mode: mode ?? 0,
  };
}

/**
 * The names in a directory, as they are read: node:fs on Deno reads them all before it gives one, and
 * holds the loop for long. Rejects as `opendir()` does.
 */
export async function* readNames(
  path: string,
): AsyncGenerator<NameFound> {
  for await (const { name, isSymlink, isFile, isDirectory } of Deno.readDir(path)) {
    yield { name, kind: isSymlink ? "link" : kindOf(isFile, isDirectory) };
  }
}
