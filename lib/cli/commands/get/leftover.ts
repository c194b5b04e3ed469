/**
 * The part that an earlier attempt has left of a file, compared with what comes from the beginning
 * on: the bytes that agree need not be written again, and those that do not are not lost.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { readSync } from "node:fs";
import { type FileHandle, rename } from "node:fs/promises";
import { createOwn, statsOf } from "./own_file.ts";

const CHUNK = 256 * 1024;

/** See the module. The file stays open: that is the caller's to close. */
export class Leftover {
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #size: number;
  #buffer = new Uint8Array(0);
  /** The number of bytes from the beginning on that have come again. */
  agreed = 0;

  /** Compares with an open file of `size` bytes at `path`. */
  constructor(path: string, handle: FileHandle, size: number) {
    this.#path = path;
    this.#handle = handle;
    this.#size = size;
  }

  /** Whether all of it has come again. */
  get done(): boolean {
    return this.agreed === this.#size;
  }

  /**
   * Compares the next bytes. Returns how many of them agree: less than all where it differs or
   * ends.
   */
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

  /**
   * Keeps it under another name, which is returned. In its place is a new file with the bytes that
   * agreed, which is returned open.
   */
  async setAside(mode: number | undefined): Promise<{ aside: string; handle: FileHandle }> {
    let number = 1;
    while (await statsOf(`${this.#path}.${number}`) !== undefined) number++;
    const aside = `${this.#path}.${number}`;
    await rename(this.#path, aside);
    const handle = await createOwn(this.#path, mode);
    for await (const bytes of read(this.#handle, this.agreed)) {
      for (let at = 0; at < bytes.length;) at += (await handle.write(bytes, at)).bytesWritten;
    }
    return { aside, handle };
  }
}

/** The first `size` bytes of a file; each piece is valid until the next one. */
export async function* read(handle: FileHandle, size: number): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(Math.min(CHUNK, size));
  for (let at = 0; at < size;) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(CHUNK, size - at), at);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
    at += bytesRead;
  }
}

/** The first index at which two arrays of one length differ; their length if they do not. */
function firstDifference(a: Uint8Array, b: Uint8Array): number {
  if (Buffer.compare(a, b) === 0) return a.length;
  let i = 0;
  while (a[i] === b[i]) i++;
  return i;
}
