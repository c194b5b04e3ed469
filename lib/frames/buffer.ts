/**
 * The buffers of one connection's frames, one for each direction. An idle connection has small ones,
 * whatever came last: thousands of idle ones would hold memory that only a few use.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { BufferPool, MAX_LARGE, RESERVE, SHRINK_AFTER, SMALL } from "../net/buffer_pool.ts";

const LARGE = 64 * 1024;

/** A buffer that is small until that is not enough, and large for as long as that is needed. */
class FrameBuffer {
  readonly #small: Buffer = Buffer.alloc(SMALL);
  #smallUses = 0;
  /** Undefined while a large buffer has not been needed. */
  #bytes: Buffer | undefined = this.#small;
  #view: Buffer = this.#small;

  /** The buffer. Not a plain Uint8Array, of which node:net makes a Buffer at each write. */
  get bytes(): Buffer {
    return this.#bytes ??= this.#view = this.makeLarge();
  }

  get isLarge(): boolean {
    return this.#bytes !== this.#small;
  }

  /** The first `n` bytes. Lengths repeat on a connection, so the view is kept. */
  first(n: number): Buffer {
    return this.#view.length === n ? this.#view : this.#view = this.bytes.subarray(0, n);
  }

  /** Makes it large. Its bytes are not kept. */
  grow(): void {
    if (!this.isLarge) this.#use(undefined);
  }

  /** Makes it small. Its bytes are not kept. */
  shrink(): void {
    this.#use(this.#small);
  }

  /** Chooses its size after `n` bytes of it were used, and are no longer needed. */
  adapt(n: number): void {
    if (n > SMALL) this.#smallUses = 0;
    else if (!this.isLarge) {
      if (n === SMALL) this.grow();
    } else if (++this.#smallUses === SHRINK_AFTER) this.shrink();
  }

  /** Gives up a large buffer until one is needed again. */
  protected giveUp(): Buffer | undefined {
    if (!this.isLarge) return undefined;
    const large = this.#bytes;
    this.#bytes = undefined;
    this.#view = this.#small;
    return large;
  }

  protected makeLarge(): Buffer {
    return Buffer.alloc(LARGE);
  }

  #use(bytes: Buffer | undefined): void {
    this.#bytes = bytes;
    this.#view = this.#small;
    this.#smallUses = 0;
  }
}

/** Large buffers without bytes in them, for the next writer. */
const pool = new BufferPool(LARGE);

/** A buffer that gathers frames to send. It has a large buffer only while bytes are in it. */
export class WriteBuffer extends FrameBuffer {
  /** Says that it is empty, after `n` bytes of it were sent. */
  empty(n: number): void {
    const large = this.giveUp();
    if (large !== undefined) pool.give(large);
    this.adapt(n);
  }

  protected override makeLarge(): Buffer {
    return pool.takeAnyway();
  }
}

/**
 * The number of reads that wait with a large buffer: {@linkcode MAX_LARGE} at most, as of a pool.
 */
let waiting = 0;

/**
 * The buffer to receive into. A runtime pins the buffer of a read that waits, so only some may be
 * large. It lends no buffer to others: frames that were not copied in time must not be theirs.
 */
export class ReadBuffer extends FrameBuffer {
  #waits = false;

  /** Returns the buffer for a read, after one of `n` bytes. {@linkcode received} ends the read. */
  lend(n: number): Buffer {
    if (n === 0) return this.bytes;
    const drained = n < (this.isLarge ? LARGE : SMALL);
    this.adapt(n);
    if (this.isLarge) {
      if (waiting >= (drained ? MAX_LARGE - RESERVE : MAX_LARGE)) this.shrink();
      else {
        this.#waits = true;
        waiting++;
      }
    }
    return this.bytes;
  }

  /** The read has ended, one way or the other. */
  received(): void {
    if (this.#waits) waiting--;
    this.#waits = false;
  }
}
