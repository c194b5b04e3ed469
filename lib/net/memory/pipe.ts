/**
 * The bytes between a writer and a reader in memory.
 *
 * @module
 */

/**
 * The number of bytes that a direction holds before a write has to wait; a kernel's buffers in
 * small.
 */
const CAPACITY = 64 * 1024;

/** One direction of a connection: at most {@linkcode CAPACITY} bytes between a writer and a reader. */
export class Pipe {
  /** Undefined until something is written. */
  #bytes: Uint8Array | undefined;
  #start = 0;
  #length = 0;
  /** The writer sent FIN. */
  fin = false;
  /** The reader is gone; writing is pointless. */
  abandoned = false;

  get empty(): boolean {
    return this.#length === 0;
  }

  /** Takes as much of `p` as there is room for, and returns the number of bytes. */
  put(p: Uint8Array): number {
    const n = Math.min(p.length, CAPACITY - this.#length);
    const end = (this.#start + this.#length) % CAPACITY;
    const first = Math.min(n, CAPACITY - end);
    this.#bytes ??= new Uint8Array(CAPACITY);
    this.#bytes.set(p.subarray(0, first), end);
    this.#bytes.set(p.subarray(first, n), 0);
    this.#length += n;
    return n;
  }

  /** Moves as much as fits into `p`, and returns the number of bytes. */
  take(p: Uint8Array): number {
    if (this.#bytes === undefined) return 0;
    const n = Math.min(p.length, this.#length);
    const first = Math.min(n, CAPACITY - this.#start);
    p.set(this.#bytes.subarray(this.#start, this.#start + first));
    p.set(this.#bytes.subarray(0, n - first), first);
    this.#start = (this.#start + n) % CAPACITY;
    this.#length -= n;
    return n;
  }
}
