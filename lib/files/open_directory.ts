/**
 * Directories that are held open while something is done in them.
 *
 * @module
 */

import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { ChangedError, type Located } from "./located_file.ts";
import { isInside, knowsOpenPaths, linkOf, O_PATH, pathOf, realPathOf } from "./real_paths.ts";

/**
 * A directory inside the root. Paths below {@linkcode path} lead into it, even if somebody puts a
 * link or another directory in its place meanwhile. On systems without the paths of open files it
 * is only looked at, at the start and by {@linkcode confirm}.
 */
export class OpenDirectory implements AsyncDisposable {
  /** A path that leads to it while it is open. */
  readonly path: string;
  readonly #real: string;
  readonly #handle: FileHandle | undefined;

  private constructor(real: string, handle: FileHandle | undefined) {
    this.path = handle === undefined ? real : linkOf(handle);
    this.#real = real;
    this.#handle = handle;
  }

  /**
   * Opens a directory that was located; the caller disposes of it. Rejects as open(2) fails, and with
   * a {@linkcode ChangedError} if it is not inside the root any more. To `read` it takes the right to,
   * and to "pass" through it does not.
   */
  static async open(
    { root, real }: Located,
    access: "read" | "pass" = "pass",
  ): Promise<OpenDirectory> {
    if (!knowsOpenPaths()) {
      const directory = new OpenDirectory(real, undefined);
      await directory.confirm();
      return directory;
    }
    const flag = access === "read" ? constants.O_RDONLY : O_PATH;
    const handle = await open(real, flag | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      if (!isInside(root, pathOf(handle))) throw new ChangedError(real);
      return new OpenDirectory(real, handle);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Rejects with a {@linkcode ChangedError} if another one may be at its path. */
  async confirm(): Promise<void> {
    if (this.#handle === undefined && await realPathOf(this.#real) !== this.#real) {
      throw new ChangedError(this.#real);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle?.close();
  }
}
