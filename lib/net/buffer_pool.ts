/**
 * Buffers to receive into, as large as a connection needs, and copying through them. A runtime
 * pins the buffer of a pending read, so a thousand idle connections with 64 KiB each would hold 64 MiB
 * for nothing.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Conn } from "./transport.ts";

/** The size of the buffer that a connection starts with and returns to, in bytes. */
export const SMALL: number = 2 * 1024;

/**
 * The number of connections that can have a large buffer at once: 4 MiB of them at the default
 * size.
 */
export const MAX_LARGE = 64;

/** When this many or fewer are left, a large buffer is lent only while there are bytes to read. */
export const RESERVE = 16;

/** The number of reads in a row that must fit the small buffer before the large one is returned. */
export const SHRINK_AFTER = 2;

/** The large buffers that connections share. */
export class BufferPool {
  /** The size of a large buffer. */
  readonly size: number;
  readonly #free: Buffer[] = [];
  #made = 0;

  /** Large buffers have `size` bytes, and small ones no more. */
  constructor(size: number) {
    this.size = size;
  }

  /** Whether the buffers that are left are too few for anyone to keep one. */
  get scarce(): boolean {
    return this.#free.length + MAX_LARGE - this.#made < RESERVE;
  }

  /** Lends a large buffer, or nothing if all of them are out. */
  take(): Buffer | undefined {
    const free = this.#free.pop();
    if (free !== undefined || this.#made === MAX_LARGE) return free;
    this.#made++;
    return Buffer.alloc(this.size);
  }

  /** Lends a large buffer even so: for a borrower that may be dropped without giving it back. */
  takeAnyway(): Buffer {
    return this.#free.pop() ?? Buffer.alloc(this.size);
  }

  /** Takes a large buffer back, unless there are enough for all who may have one at once. */
  give(buffer: Buffer): void {
    if (this.#free.length < MAX_LARGE) this.#free.push(buffer);
  }
}

/**
 * The buffer of one connection: small until a read fills it, then large for as long as reads need
 * it. A runtime cannot cancel a read, so a connection that falls silent right after a large one
 * keeps its large buffer until it speaks again. Not all can: those that come when buffers are scarce
 * give theirs back once they have read what there was, or silent ones would leave none for the rest.
 */
export class ReceiveBuffer {
  readonly #pool: BufferPool;
  readonly #small: Buffer;
  #large: Buffer | undefined;
  #smallReads = 0;
  #view: Buffer;
  /** The buffer for the next read. */
  bytes: Buffer;

  /** `small` is the size of the small one. */
  constructor(pool: BufferPool, small: number = SMALL) {
    this.#pool = pool;
    // A Buffer, since node:net makes one of any other Uint8Array, at each write.
    this.#small = Buffer.alloc(Math.min(small, pool.size));
    this.bytes = this.#view = this.#small;
  }

  /** The first `n` bytes of {@linkcode bytes}. Lengths repeat on a connection, so it is kept. */
  first(n: number): Buffer {
    const view = this.#view;
    return view.length === n ? view : this.#view = this.bytes.subarray(0, n);
  }

  /** Chooses the buffer for the next read, after one of `n` bytes is dealt with. */
  adapt(n: number): void {
    if (this.#large === undefined) {
      if (n === this.#small.length && n < this.#pool.size) this.#use(this.#pool.take());
    } else if (n > this.#small.length) {
      this.#smallReads = 0;
      if (n < this.#large.length && this.#pool.scarce) this.release();
    } else if (++this.#smallReads === SHRINK_AFTER) {
      this.release();
    }
  }

  /** Gives the large buffer back, if there is one. */
  release(): void {
    const large = this.#large;
    this.#use(undefined);
    if (large !== undefined) this.#pool.give(large);
  }

  #use(large: Buffer | undefined): void {
    this.#large = large;
    this.#smallReads = 0;
    this.bytes = this.#view = large ?? this.#small;
  }
}

/** Writes to `to` what comes from `from`, unchanged, until that has sent FIN; which is not passed on. */
export async function pump(from: Conn, to: Conn, pool: BufferPool): Promise<void> {
  const buffer = new ReceiveBuffer(pool);
  try {
    for (;;) {
      const n = await from.read(buffer.bytes);
      if (n === null) return;
      await to.write(buffer.first(n));
      buffer.adapt(n);
    }
  } finally {
    buffer.release();
  }
}
