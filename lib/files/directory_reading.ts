/**
 * The entries of a directory, read once for all who want them at the same time, and held once for
 * all who are sent it.
 *
 * @module
 */

import { stat } from "node:fs/promises";
import { join } from "node:path";
import { locate, locateBelow } from "./located_file.ts";
import { type FileState, type NameFound, stateOf } from "./file_state.ts";
import { readNames, stateAt } from "./file_system.deno.ts";
import { Semaphore } from "./semaphore.ts";
import { comparing, type Entry, type SortOrder } from "./listing.ts";
import { OpenDirectory } from "./open_directory.ts";
import { UnnamedError } from "./real_paths.ts";
import { sortInTurns } from "./event_loop_turns.ts";

/** The most entries of a directory that are listed; the others are left out. */
export const MOST_ENTRIES = 200_000;

/** The most files that are looked at at once: the runtimes have four threads for all such work. */
const looking = new Semaphore(2);

/** The number of files that are looked at in one go. */
const SOME = 16;

/** The entries of a directory at one time. */
export class Reading {
  /** In no order. */
  readonly entries: readonly Entry[];
  /** Whether that is all. */
  readonly complete: boolean;
  readonly #sorted = new Map<string, Promise<readonly Entry[]>>();

  constructor(entries: readonly Entry[], complete: boolean) {
    this.entries = entries;
    this.complete = complete;
  }

  /** The entries in an order; sorted once, in turns. */
  sorted(order: SortOrder): Promise<readonly Entry[]> {
    const key = `${order.key} ${order.descending}`;
    let sorted = this.#sorted.get(key);
    if (sorted === undefined) {
      sorted = sortInTurns(this.entries, comparing(order));
      this.#sorted.set(key, sorted);
    }
    return sorted;
  }

  /** Whether another one found the same. */
  equals({ entries, complete }: Reading): boolean {
    if (this.complete !== complete || this.entries.length !== entries.length) return false;
    return this.entries.every((a, i) => {
      const b = entries[i];
      return a.name === b.name && a.kind === b.kind && a.size === b.size &&
        Object.is(a.time, b.time);
    });
  }
}

/**
 * Reads a directory that is in `root`. Files that cannot be looked at are left out, as they cannot
 * be fetched, and so are names that are not `isShown`. Rejects as `locate()` does, and with the
 * signal's reason.
 */
export async function readDirectory(
  root: string,
  path: string,
  isShown: (name: string) => boolean,
  signal: AbortSignal,
): Promise<Reading> {
  const located = await locate(root, path);
  await using directory = await OpenDirectory.open(located);
  const found: NameFound[] = [];
  let complete = true;
  for await (const one of readNames(directory.path)) {
    signal.throwIfAborted();
    if (!isShown(one.name)) continue;
    complete = found.length < MOST_ENTRIES;
    if (!complete) break;
    found.push(one);
  }
  await directory.confirm();

  const entries: (Entry | undefined)[] = new Array(found.length);
  let next = 0;
  const work = async () => {
    while (next < found.length && !signal.aborted) {
      const first = next;
      next += SOME;
      await looking.run(async () => {
        for (let i = first; i < Math.min(first + SOME, found.length); i++) {
          entries[i] = await lookAt(located.root, directory.path, found[i]);
        }
      });
    }
  };
  await Promise.all([work(), work()]);
  signal.throwIfAborted();
  await directory.confirm();
  return new Reading(entries.filter((entry) => entry !== undefined), complete);
}

async function lookAt(
  root: string,
  directory: string,
  { name, kind }: NameFound,
): Promise<Entry | undefined> {
  const path = join(directory, name);
  try {
    // A link that has just taken the place of a file is not followed.
    const state = kind === "link" ? (await locateBelow(root, path)).state : await stateAt(path);
    return entryOf(name, state);
  } catch (error) {
    if (error instanceof UnnamedError) return await unnamedEntry(name, path);
    if (isGarbled(name, error)) {
      return unservedEntry(name, kind === "directory" ? kind : "file", "its name is not UTF-8");
    }
    return undefined; // it has gone away, leads nowhere, or is forbidden
  }
}

/**
 * Whether a name is not that of its file, which cannot be asked for then: bytes that are not text have
 * become U+FFFD, since Deno takes names as text only.
 */
function isGarbled(name: string, error: unknown): boolean {
  return name.includes("\ufffd") && (error as { code?: unknown }).code === "ENOENT";
}

/** The entry of a link to a file whose name is not text. */
async function unnamedEntry(name: string, path: string): Promise<Entry | undefined> {
  const state = await stat(path).then(stateOf, () => undefined);
  if (state === undefined || state.kind === "other") return undefined;
  return unservedEntry(name, state.kind, "it leads to a name that is not UTF-8");
}

function unservedEntry(name: string, kind: Entry["kind"], why: string): Entry {
  return { name, kind, size: 0, time: 0, unserved: `not served: ${why}` };
}

function entryOf(name: string, { kind, size, mtimeMs }: FileState): Entry | undefined {
  return kind === "other" ? undefined : { name, kind, size, time: mtimeMs };
}
