/**
 * The buffer of one connection's frames, in one direction.
 *
 * @module
 */

import { Buffer } from "node:buffer";

const SMALL = 2 * 1024;
const LARGE = 64 * 1024;

/** After so many uses in a row that a small buffer would have been enough for, it is small again. */
const SHRINK_AFTER = 2;

/** Small until that is not enough, and large for as long as it is made use of. */
export class FrameBuffer {
  #smallUses = 0;
  /** The buffer. Not a plain Uint8Array, of which node:net makes a Buffer at each write. */
  bytes: Buffer = Buffer.alloc(SMALL);
  #view: Buffer = this.bytes;

  /** The first `n` bytes. Conversations repeat lengths, so the view is kept. */
  first(n: number): Buffer {
    return this.#view.length === n ? this.#view : this.#view = this.bytes.subarray(0, n);
  }

  /** Makes it large. What was in it is not. */
  grow(): void {
    if (this.bytes.length < LARGE) this.#use(LARGE);
  }

  /** Chooses its size after `n` bytes of it were used, and are no longer needed. */
  adapt(n: number): void {
    if (n > SMALL) this.#smallUses = 0;
    else if (this.bytes.length === SMALL) {
      if (n === SMALL) this.#use(LARGE);
    } else if (++this.#smallUses === SHRINK_AFTER) this.#use(SMALL);
  }

  #use(size: number): void {
    this.bytes = this.#view = Buffer.alloc(size);
    this.#smallUses = 0;
  }
}
