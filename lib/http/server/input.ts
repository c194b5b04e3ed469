/**
 * The bytes that come in on a connection, for the parsers to take from.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { type BufferPool, ReceiveBuffer } from "../../net/buffer_pool.ts";
import type { Conn } from "../../net/transport.ts";

/**
 * The most buffers of {@linkcode SPARE} bytes that are received while nobody reads. That is mostly
 * the end of the stream.
 */
const MOST_SPARE = 8;
const SPARE = 1024;

const NOTHING = Buffer.alloc(0);

/** The bytes that were received and not yet taken: `chunk` from `from` to `to`. */
export class Input {
  readonly #conn: Conn;
  /** Undefined once it was given back for good. */
  #buffer: ReceiveBuffer | undefined;
  #received = 0;
  /** A read whose bytes are wanted, and not yet those to take from. */
  #filling: Promise<number | null> | undefined;
  /** A read that was begun before its bytes are wanted. */
  #ahead: Promise<number | null> | undefined;
  /** Bytes that came ahead while those in `chunk` were still needed. */
  readonly #spare: Buffer[] = [];
  /** The buffer that has the bytes. */
  chunk: Buffer;
  /** The first byte not taken. */
  from = 0;
  /** The position after the last received byte. */
  to = 0;

  constructor(conn: Conn, pool: BufferPool) {
    this.#conn = conn;
    this.#buffer = new ReceiveBuffer(pool);
    this.chunk = this.#buffer.bytes;
  }

  /** Whether all that was received has been taken. */
  get empty(): boolean {
    return this.from === this.to;
  }

  /** The number of bytes that were received and not taken. */
  get waiting(): number {
    return this.#spare.reduce((sum, { length }) => sum + length, this.to - this.from);
  }

  /** Whether nothing was received that is not taken, and nothing is being received. */
  get drained(): boolean {
    return this.empty && this.#spare.length === 0 && this.#ahead === undefined &&
      this.#filling === undefined;
  }

  /**
   * Receives more, over what was taken; false at the end of the stream. A second call while one
   * waits, such as that of a handler which has answered and still reads, waits for the same bytes.
   * Once it has rejected, the connection is lost, and it always does.
   */
  async fill(): Promise<boolean> {
    return this.received(await this.receive());
  }

  /**
   * Starts a read, or returns the one under way; {@linkcode received} is to be called with what it brings.
   * This is {@linkcode fill} without its promise, for the loop that every request goes through. That
   * waits for the next request, when nobody else waits.
   */
  receive(): Promise<number | null> {
    return this.#filling ??= this.#receive();
  }

  /** See {@linkcode receive}. All who wait for one read call it before any of them takes bytes. */
  received(n: number | null): boolean {
    this.#filling = undefined;
    return this.#take(n);
  }

  #receive(): Promise<number | null> {
    if (this.#spare.length > 0) return Promise.resolve(this.#spare[0].length);
    if (this.#ahead !== undefined) return this.#ahead;
    // The connection says why nothing more can be received.
    if (this.#buffer === undefined) return this.#conn.read(new Uint8Array(1));
    this.#buffer.adapt(this.#received);
    return this.#conn.read(this.#buffer.bytes);
  }

  /** Makes what was received the bytes to take from; false at the end of the stream. */
  #take(n: number | null): boolean {
    this.chunk = this.#spare.length > 0 ? this.#spare.shift()! : this.#buffer?.bytes ?? NOTHING;
    this.from = 0;
    this.to = this.#received = n ?? 0;
    return n !== null;
  }

  /**
   * Receives more while nobody needs it, to learn whether the client is still there; it is then what
   * comes next. The bytes in `chunk` stay if they are not taken yet, or are `inUse`. Undefined if a
   * read is under way, or if there is no room.
   */
  receiveAhead(inUse: boolean): Promise<number | null> | undefined {
    const full = this.#spare.length === MOST_SPARE;
    if (this.#filling !== undefined || this.#ahead !== undefined || full) return undefined;
    const keep = inUse || !this.empty;
    const spare = keep ? Buffer.alloc(SPARE) : undefined;
    const reading = spare === undefined ? this.#receive() : this.#conn.read(spare);
    return this.#ahead = reading.then((n) => {
      this.#ahead = undefined;
      if (spare === undefined) this.#take(n);
      else if (n !== null) this.#spare.push(spare.subarray(0, n));
      return n;
    }, (error) => {
      this.#ahead = undefined;
      throw error;
    });
  }

  /** Drops what was not taken, and gives the buffer back once nothing is read into it any more. */
  release(): void {
    const reading = this.#ahead;
    this.#drop();
    reading?.catch(() => {}).finally(() => this.#drop());
  }

  #drop(): void {
    // The next owner of the buffer has bytes of its own there.
    this.from = this.to = this.#spare.length = 0;
    if (this.#ahead !== undefined) return;
    this.#buffer?.release();
    this.#buffer = undefined;
    this.chunk = NOTHING;
  }
}
