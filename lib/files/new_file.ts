/**
 * The place of an uploaded file: which names are valid, which files it may replace, and how it gets
 * its name.
 *
 * @module
 */

import { constants, type Stats } from "node:fs";
import { lstat, open, rm } from "node:fs/promises";
import { isSame, stateOf } from "./file_state.ts";
import { Refusal } from "./refusal.ts";
import type { TemporaryFile } from "./temporary_file.ts";

/** Dotted names set up programs (`.htaccess`) and prove who owns a site (`.well-known`). */
export function isDotted(name: string): boolean {
  return name.startsWith(".");
}

/** Why such a name is refused. */
export function dotted(): Refusal {
  return new Refusal(403, "Names that start with a dot are not taken");
}

// deno-lint-ignore no-control-regex
const UNWELCOME = /[\x00-\x1f\x7f-\x9f/\\\ufffd]/;

/** The name of a new file, if it is one that is safe with all programs and systems. */
export function checked(name: string): string {
  const none = new Refusal(400, "No file can have this name");
  if (name === "" || name === "." || name === "..") throw none;
  if (isDotted(name)) throw dotted();
  if (UNWELCOME.test(name)) throw none;
  return name;
}

/** A name without the folders before it, of this system or of Windows. */
export function withoutFolders(name: string): string {
  return name.slice(Math.max(name.lastIndexOf("/"), name.lastIndexOf("\\")) + 1);
}

// deno-lint-ignore no-control-regex
const CONTROLS = /[\x00-\x1f\x7f-\x9f]/g;

/** A name that may be one that was not taken, as text of one line. */
export function visible(name: string): string {
  return name.replace(CONTROLS, "\ufffd");
}

/**
 * Flags of open(2). A file that has become a link meanwhile is not followed, a FIFO not waited for.
 */
const FLAGS = constants.O_RDWR | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);

/**
 * Finds the file of that name. Undefined if there is no file. Rejects if it must not be replaced.
 */
export async function replaceable(path: string): Promise<Stats | undefined> {
  try {
    const stats = await lstat(path);
    if (stats.isSymbolicLink()) throw new Refusal(403, "Symbolic links are not written through");
    if (!stats.isFile()) {
      throw new Refusal(
        409,
        "There is a directory of this name, or something else that is not a file",
      );
    }
    // Renaming asks for the right to write to the directory only.
    await (await open(path, FLAGS)).close();
    return stats;
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return undefined;
    throw error;
  }
}

/** The permissions of a file, without what makes programs of it run as somebody else. */
export function modeOf(stats: Stats | undefined): number | undefined {
  return stats === undefined ? undefined : stats.mode & 0o777;
}

/** Why a file is not stored under a name that another one has. */
export function taken(status: number): Refusal {
  return new Refusal(status, "There is a file of this name already");
}

/** Gives a file its name, or if that is taken rejects with a refusal of the status `status`. */
export async function addNew(path: string, file: NewFile, status: number): Promise<void> {
  try {
    await file.addAs(path).catch((error) => {
      if (isTaken(error)) throw error;
      // Not all file systems have hard links. Other errors happen again.
      return reserve(path, file);
    });
  } catch (error) {
    if (isTaken(error)) throw taken(status);
    throw error;
  }
}

/** A {@linkcode TemporaryFile} that is whole. */
type NewFile = Pick<TemporaryFile, "addAs" | "keepAs">;

/** Gives a file its name by way of an empty file, which is seen for a moment. */
async function reserve(path: string, file: NewFile): Promise<void> {
  // Only this fails if there is a file, however late it came.
  const handle = await open(path, "wx");
  const empty = await handle.stat().finally(() => handle.close());
  try {
    await file.keepAs(path);
  } catch (error) {
    // Not if somebody else has put a file in its place.
    const now = await lstat(path).catch(() => undefined);
    if (now !== undefined && isSame(stateOf(empty), stateOf(now))) await rm(path, { force: true });
    throw error;
  }
}

function isTaken(error: unknown): boolean {
  return (error as { code?: unknown }).code === "EEXIST";
}
