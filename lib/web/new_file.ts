/**
 * Where an uploaded file goes: which names are taken, what there may be already, and how it gets its
 * name.
 *
 * @module
 */

import { constants, type Stats } from "node:fs";
import { lstat, open, rm } from "node:fs/promises";
import { Refusal } from "./refusal.ts";
import type { TemporaryFile } from "./temporary.ts";

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
  if (isDotted(name)) throw dotted();
  if (name === "" || UNWELCOME.test(name)) throw new Refusal(400, "No file can have this name");
  return name;
}

/** A name that may be one that was not taken, as text of one line. */
export function visible(name: string): string {
  return name.replace(new RegExp(UNWELCOME, "g"), "\ufffd");
}

/** What has become a link or a FIFO meanwhile is not followed, and not waited for. */
const FLAGS = constants.O_RDWR | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);

/** What there is of that name; undefined if there is nothing, rejects if it is not to be replaced. */
export async function replaceable(path: string): Promise<Stats | undefined> {
  try {
    const stats = await lstat(path);
    if (stats.isSymbolicLink()) throw new Refusal(403, "Symbolic links are not written through");
    if (!stats.isFile()) {
      throw new Refusal(
        409,
        "There is a directory of this name, or something else that is no file",
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

/** Gives a file its name, or if that is taken rejects with a refusal of the status `status`. */
export async function addNew(path: string, file: TemporaryFile, status: number): Promise<void> {
  try {
    // Only this fails if there is a file, however late it came.
    await (await open(path, "wx")).close();
  } catch (error) {
    if ((error as { code?: string }).code !== "EEXIST") throw error;
    throw new Refusal(status, "There is a file of this name already");
  }
  try {
    await file.keepAs(path);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}
