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

/** The room, in bytes, that it begins with. It doubles when more is needed. */
const FIRST_ROOM = 4 * 1024;

const NO_ROOM = new Uint8Array(0);

/** One direction of a connection: at most {@linkcode CAPACITY} bytes between a writer and a reader. */
export class Pipe {
  /** A ring. It has no room until something is written. */
  #bytes = NO_ROOM;
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
    if (n === 0) return 0;
    if (this.#length + n > this.#bytes.length) this.#grow(this.#length + n);
    const room = this.#bytes.length;
    const end = (this.#start + this.#length) % room;
    const first = Math.min(n, room - end);
    this.#bytes.set(p.subarray(0, first), end);
    this.#bytes.set(p.subarray(first, n), 0);
    this.#length += n;
    return n;
  }

  /** Moves as much as fits into `p`, and returns the number of bytes. */
  take(p: Uint8Array): number {
    const n = Math.min(p.length, this.#length);
    if (n === 0) return 0;
    const first = Math.min(n, this.#bytes.length - this.#start);
    p.set(this.#bytes.subarray(this.#start, this.#start + first));
    p.set(this.#bytes.subarray(0, n - first), first);
    this.#start = (this.#start + n) % this.#bytes.length;
    this.#length -= n;
    return n;
  }

  /** Makes room for so many bytes. */
  #grow(needed: number): void {
    let room = Math.max(FIRST_ROOM, this.#bytes.length);
    while (room < needed) room *= 2;
    const bytes = new Uint8Array(room);
    this.#length = this.take(bytes);
    this.#bytes = bytes;
    this.#start = 0;
  }
}
