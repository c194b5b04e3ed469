/**
 * What an earlier attempt has left of a file, compared with what comes from the beginning on: the
 * bytes that agree need not be written again, and those that do not are not lost.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createReadStream, existsSync, readSync } from "node:fs";
import { type FileHandle, open, rename, writeFile } from "node:fs/promises";

/** See the module. */
export class Leftover {
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #size: number;
  #buffer = new Uint8Array(0);
  /** How many bytes from the beginning on have come again. */
  agreed = 0;

  private constructor(path: string, handle: FileHandle, size: number) {
    this.#path = path;
    this.#handle = handle;
    this.#size = size;
  }

  static async open(path: string, size: number): Promise<Leftover> {
    return new Leftover(path, await open(path, "r"), size);
  }

  /** Whether all of it has come again. */
  get done(): boolean {
    return this.agreed === this.#size;
  }

  /** Compares what comes next; tells how many of the bytes agree: less than all where it differs or ends. */
  compare(bytes: Uint8Array): number {
    if (this.#buffer.length < bytes.length) this.#buffer = new Uint8Array(bytes.length);
    const most = Math.min(bytes.length, this.#size - this.agreed);
    let same = 0;
    for (let n = -1; n !== 0 && same < most;) {
      n = readSync(this.#handle.fd, this.#buffer, 0, most - same, this.agreed + same);
      const differs = firstDifference(this.#buffer.subarray(0, n), bytes.subarray(same, same + n));
      same += differs;
      if (differs < n) break;
    }
    this.agreed += same;
    return same;
  }

  /** Keeps it under another name, which is returned; in its place are the bytes that agreed. */
  async setAside(): Promise<string> {
    let number = 1;
    while (existsSync(`${this.#path}.${number}`)) number++;
    const aside = `${this.#path}.${number}`;
    await rename(this.#path, aside);
    const agreed = this.agreed === 0
      ? ""
      : createReadStream(aside, { end: this.agreed - 1, highWaterMark: 256 * 1024 });
    await writeFile(this.#path, agreed);
    return aside;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** The first index at which two arrays of one length differ; their length if they do not. */
function firstDifference(a: Uint8Array, b: Uint8Array): number {
  if (Buffer.compare(a, b) === 0) return a.length;
  let i = 0;
  while (a[i] === b[i]) i++;
  return i;
}
