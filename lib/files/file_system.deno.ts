/**
 * Functions for which Deno's own API is better than Node's. The twin for Node is
 * `file_system.node.ts`.
 *
 * @module
 */

import { type FileState, kindOf, type NameFound } from "./file_state.ts";

/**
 * Whether a busy event loop polls the network only about once in 60 turns. It polls at once when it has
 * nothing to run before the next timer.
 */
export const LOOKS_SELDOM = true;

/** The state of the file at a path, with links followed; synchronous. Throws as `statSync()` does. */
export function stateNow(path: string): FileState {
  return stateOfInfo(Deno.statSync(path));
}

/** The state of the file at a path; of a link, not of its target. Rejects as `lstat()` does. */
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
 * The names in a directory, as they are read: node:fs on Deno reads all of them before it returns the
 * first, and blocks the event loop meanwhile. Rejects as `opendir()` does.
 */
export async function* readNames(
  path: string,
): AsyncGenerator<NameFound> {
  for await (const { name, isSymlink, isFile, isDirectory } of Deno.readDir(path)) {
    yield { name, kind: isSymlink ? "link" : kindOf(isFile, isDirectory) };
  }
}
