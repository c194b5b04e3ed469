/**
 * Samples of what was read of a file: they show whether a file that has grown was only added to, or was
 * written anew.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { FileHandle } from "node:fs/promises";
import { readFully } from "./located_file.ts";

/** The size of a sample, in bytes. */
const SIZE = 128;
/** The most samples of a file. */
const MOST = 32;

interface Sample {
  readonly at: number;
  readonly bytes: Buffer;
}

/** See the module. It holds 4 KiB at most. */
export class SentSamples {
  #samples: Sample[] = [];
  /** A sample is taken of each so many pieces. */
  #stride = 1;
  #pieces = 0;

  /** Takes a sample of a piece that was read at a position. */
  take(piece: Uint8Array, at: number): void {
    if (this.#pieces++ % this.#stride !== 0) return;
    this.#samples.push({ at, bytes: Buffer.from(piece.subarray(0, SIZE)) });
    if (this.#samples.length <= MOST) return;
    this.#samples = this.#samples.filter((_, i) => i % 2 === 0);
    this.#stride *= 2;
  }

  /** Whether all of them are still in the file. */
  async areIn(handle: FileHandle): Promise<boolean> {
    const buffer = Buffer.alloc(SIZE);
    for (const { at, bytes } of this.#samples) {
      const n = await readFully(handle, buffer.subarray(0, bytes.length), at);
      if (!bytes.equals(buffer.subarray(0, n))) return false;
    }
    return true;
  }
}
