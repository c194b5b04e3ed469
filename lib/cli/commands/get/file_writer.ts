/**
 * Writing to files.
 *
 * @module
 */

import { writeSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { writeError } from "../../io/files.ts";

/** Writes to an open file, one piece after the other. */
export class FileWriter {
  readonly #handle: FileHandle;
  readonly #path: string;
  readonly #regular: boolean;

  /**
   * `regular` says that it is a regular file. Writing to that is copying to memory, which takes the
   * system less time than having it done beside; a device or a pipe may take its time.
   */
  constructor(handle: FileHandle, path: string, regular: boolean) {
    this.#handle = handle;
    this.#path = path;
    this.#regular = regular;
  }

  /** Resolves when all of `bytes` is written. Rejects with a CliError. */
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

  /** Closes the file. Rejects with a CliError. */
  async close(): Promise<void> {
    try {
      await this.#handle.close();
    } catch (error) {
      throw writeError(this.#path, error);
    }
  }
}
