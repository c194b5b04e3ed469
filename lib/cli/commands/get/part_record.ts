/**
 * The record beside a part, with which another run can resume it.
 *
 * @module
 */

import { type FileHandle, rm } from "node:fs/promises";
import { createOwn, openOwn } from "./own_file.ts";
import { writeError } from "../../io/files.ts";

/** See the module. */
export interface PartRecord {
  readonly url: string;
  /** The value of If-Range. */
  readonly validator: string;
}

/** The most bytes of a record that we write. A larger one is not ours. */
const MOST_BYTES = 64 * 1024;

/** Reads the record at `path`. Undefined if it is not one of ours, or has another form. */
export async function readRecord(path: string): Promise<PartRecord | undefined> {
  const handle = await openOwn(path).catch(() => undefined);
  try {
    if (handle === undefined || (await handle.stat()).size > MOST_BYTES) return undefined;
    const { url, validator } = JSON.parse(await handle.readFile("utf8"));
    return typeof url === "string" && typeof validator === "string"
      ? { url, validator }
      : undefined;
  } catch {
    return undefined;
  } finally {
    await handle?.close();
  }
}

/**
 * Records it in place of what is there; with nothing to record that is removed. Rejects with a
 * {@linkcode CliError}.
 */
export async function writeRecord(path: string, record: PartRecord | undefined): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    // Not written over, since it may be a link.
    await rm(path, { force: true });
    if (record === undefined) return;
    handle = await createOwn(path);
    await handle.writeFile(`${JSON.stringify(record)}\n`);
  } catch (error) {
    throw writeError(path, error);
  } finally {
    await handle?.close();
  }
}
