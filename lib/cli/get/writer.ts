/**
 * Writing to files, and saying why that failed.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { FileHandle } from "node:fs/promises";
import { CliError, EXIT } from "../exit.ts";

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file is too large",
  EISDIR: "it is a folder",
  ENAMETOOLONG: "the name is too long",
  ENOENT: "its folder does not exist",
  ENOSPC: "there is no space left on the device",
  ENOTDIR: "its folder is a file",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
};

/** The error of a write to `path`. */
export function writeError(path: string, cause: unknown): CliError {
  const { code = "", message } = cause as Error & { code?: string };
  const why = Object.hasOwn(REASONS, code) ? `${REASONS[code]} (${code})` : message;
  return new CliError(EXIT.writeFailed, `Cannot write ${path}: ${why}.`, { cause });
}

/** What is gathered while the disk is busy: a write of a MiB costs little more than one of a page. */
const GATHERED = 1024 * 1024;

/**
 * Writes to an open file, one piece behind the other. While the disk is busy with one buffer, what
 * comes is gathered in another.
 */
export class FileWriter {
  readonly #handle: FileHandle;
  readonly #path: string;
  #gathering: Buffer = Buffer.allocUnsafeSlow(GATHERED);
  #other: Buffer = Buffer.allocUnsafeSlow(GATHERED);
  #length = 0;
  #writing: Promise<void> | undefined;
  #failure: unknown;

  constructor(handle: FileHandle, path: string) {
    this.#handle = handle;
    this.#path = path;
  }

  /**
   * Takes `bytes`, and resolves when there was room for them; the last ones are written when
   * {@linkcode close} resolves. Rejects with a {@linkcode CliError} if a write has failed.
   */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      if (this.#length === GATHERED) await this.#writing;
      if (this.#failure !== undefined) throw writeError(this.#path, this.#failure);
      const n = Math.min(bytes.length - at, GATHERED - this.#length);
      this.#gathering.set(bytes.subarray(at, at + n), this.#length);
      this.#length += n;
      at += n;
      this.#writing ??= this.#writeAll();
    }
  }

  /** Writes until nothing is gathered. It never rejects: the next call tells of a failure. */
  async #writeAll(): Promise<void> {
    try {
      while (this.#length > 0) {
        const [buffer, length] = [this.#gathering, this.#length];
        this.#gathering = this.#other;
        this.#other = buffer;
        this.#length = 0;
        for (let at = 0; at < length;) {
          at += (await this.#handle.write(buffer, at, length - at)).bytesWritten;
        }
      }
    } catch (error) {
      this.#failure ??= error;
    }
    this.#writing = undefined;
  }

  /** Writes what is left and closes the file. Rejects with a {@linkcode CliError}. */
  async close(): Promise<void> {
    await this.#writing;
    try {
      await this.#handle.close();
    } catch (error) {
      this.#failure ??= error;
    }
    if (this.#failure !== undefined) throw writeError(this.#path, this.#failure);
  }
}
