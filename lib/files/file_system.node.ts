/**
 * The functions of `file_system.deno.ts` on Node. Its twin for Deno is `file_system.deno.ts`.
 *
 * @module
 */

import { statSync } from "node:fs";
import { lstat, opendir } from "node:fs/promises";
import { type FileState, kindOf, type NameFound, stateOf } from "./file_state.ts";

/** Whether a busy event loop polls the network only seldom. */
export const LOOKS_SELDOM = false;

/** The state of the file at a path, with links followed; synchronous. Throws as `statSync()` does. */
export function stateNow(path: string): FileState {
  return stateOf(statSync(path));
}

/** The state of the file at a path; of a link, not of its target. Rejects as `lstat()` does. */
export async function stateAt(path: string): Promise<FileState> {
  return stateOf(await lstat(path));
}

/** The number of names that are read at once. */
const SOME = 256;

/** The names in a directory, as they are read. Rejects as `opendir()` does. */
export async function* readNames(
  path: string,
): AsyncGenerator<NameFound> {
  for await (const entry of await opendir(path, { bufferSize: SOME })) {
    const kind = kindOf(entry.isFile(), entry.isDirectory());
    yield { name: entry.name, kind: entry.isSymbolicLink() ? "link" : kind };
  }
}
