/**
 * Writing to files, and saying why that failed.
 *
 * @module
 */

import { writeSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { CliError, EXIT } from "../../io/exit.ts";

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file is too large",
  EEXIST: "somebody else has just made it",
  EISDIR: "it is a folder",
  ELOOP: "its links lead in circles",
  ENAMETOOLONG: "the name is too long",
  ENOENT: "its folder does not exist",
  ENOSPC: "there is no space left on the device",
  ERR_FS_EISDIR: "it is a folder",
  ENOTDIR: "its folder is a file",
  EPERM: "permission denied",
  EPIPE: "nobody reads it any more",
  EROFS: "the file system is read-only",
};

/** What to do next, where that is not plain. */
const NEXT: Readonly<Record<string, string>> = {
  ENAMETOOLONG: " Choose a shorter one with -o FILE.",
};

/** The error of a write to `path`. */
export function writeError(path: string, cause: unknown): CliError {
  if (cause instanceof CliError) return cause;
  const { code = "", message } = cause as Error & { code?: string };
  const why = Object.hasOwn(REASONS, code) ? `${REASONS[code]} (${code})` : message;
  const next = Object.hasOwn(NEXT, code) ? NEXT[code] : "";
  return new CliError(EXIT.writeFailed, `Cannot write ${path}: ${why}.${next}`, { cause });
}

/** Writes to an open file, one piece behind the other. */
export class FileWriter {
  readonly #handle: FileHandle;
  readonly #path: string;
  readonly #regular: boolean;

  /**
   * `regular` tells that it is a regular file. Writing to that is copying to memory, which takes the
   * system less time than having it done beside; a device or a pipe may take its time.
   */
  constructor(handle: FileHandle, path: string, regular: boolean) {
    this.#handle = handle;
    this.#path = path;
    this.#regular = regular;
  }

  /** Resolves when all of `bytes` is written. Rejects with a {@linkcode CliError}. */
  async write(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) {
        at += this.#regular
          ? writeSync(this.#handle.fd, bytes, at)
          : (await this.#handle.write(bytes, at)).bytesWritten;
      }
    } catch (error) {
      throw writeError(this.#path, error);
    }
  }

  /** Closes the file. Rejects with a {@linkcode CliError}. */
  async close(): Promise<void> {
    try {
      await this.#handle.close();
    } catch (error) {
      throw writeError(this.#path, error);
    }
  }
}
