/**
 * Files that are being received: beside the file to be, under a hidden name, until they are whole.
 *
 * @module
 */

import { randomBytes } from "node:crypto";
import { type FileHandle, link, open, readdir, rename, rm, stat, unlink } from "node:fs/promises";
import { join } from "node:path";

const PREFIX = ".plainsocket-upload-";

/** The age at which temporary files of a killed server are removed, in milliseconds. */
const STALE_MS = 24 * 60 * 60 * 1000;

/** Pieces that are smaller are gathered: to store each byte of a chunked body by itself takes long. */
const GATHERED_BYTES = 16 * 1024;

/** Whether a file of this name is one that is being received. */
export function isTemporary(name: string): boolean {
  return name.startsWith(PREFIX);
}

/** A file that is being received. It is removed when it is disposed of, unless it was kept. */
export class TemporaryFile implements AsyncDisposable {
  readonly #path: string;
  readonly #handle: FileHandle;
  #gathered: Uint8Array | undefined;
  #length = 0;
  #open = true;
  #kept = false;

  private constructor(path: string, handle: FileHandle) {
    this.#path = path;
    this.#handle = handle;
  }

  /**
   * Makes an empty one in a directory, with permissions that are `mode`, or less by the umask. Rejects
   * as open(2) fails.
   */
  static async create(directory: string, mode?: number): Promise<TemporaryFile> {
    const path = join(directory, PREFIX + randomBytes(12).toString("hex"));
    return new TemporaryFile(path, await open(path, "wx", mode));
  }

  /** Appends bytes, all of them. A full disk may show only with the next ones, or at the end. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#length + bytes.length > GATHERED_BYTES) await this.#storeGathered();
    if (bytes.length >= GATHERED_BYTES) return await this.#store(bytes);
    this.#gathered ??= new Uint8Array(GATHERED_BYTES);
    this.#gathered.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  async #storeGathered(): Promise<void> {
    if (this.#gathered === undefined) return;
    const bytes = this.#gathered.subarray(0, this.#length);
    this.#length = 0;
    await this.#store(bytes);
  }

  async #store(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      at += (await this.#handle.write(bytes, at)).bytesWritten;
    }
  }

  /** Sets its permissions. */
  async setMode(mode: number): Promise<void> {
    await this.#handle.chmod(mode);
  }

  /** No more bytes come. Some file systems tell only now that they are full. */
  async end(): Promise<void> {
    await this.#storeGathered();
    // A form has many files.
    this.#gathered = undefined;
    this.#open = false;
    await this.#handle.close();
  }

  /** Gives it the name that it was made for, in place of a file that has it. */
  async keepAs(path: string): Promise<void> {
    await rename(this.#path, path);
    this.#kept = true;
  }

  /**
   * Gives it the name that it was made for, in one step. Rejects as link(2) fails: EEXIST if it is
   * taken.
   */
  async addAs(path: string): Promise<void> {
    await link(this.#path, path);
    this.#kept = true;
    // It is stored; a second name that stays goes when it is stale.
    await unlink(this.#path).catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#open) await this.#handle.close().catch(() => {});
    if (!this.#kept) await rm(this.#path, { force: true });
  }
}

/**
 * Removes what a server that was killed a day ago or longer has left behind in a directory, as far as
 * that can be done: what cannot be read or removed stays.
 */
export async function removeStale(directory: string, now: number = Date.now()): Promise<void> {
  const names = await readdir(directory).catch(() => []);
  for (const name of names.filter(isTemporary)) {
    const path = join(directory, name);
    // A file that is gone meanwhile belonged to another upload, which is over.
    const stats = await stat(path).catch(() => undefined);
    if (stats === undefined || now - stats.mtimeMs <= STALE_MS) continue;
    await rm(path, { force: true }).catch(() => {});
  }
}
