/**
 * The bytes that come in on a connection, for the parsers to take from.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import { type BufferPool, ReceiveBuffer } from "../buffers.ts";
import type { Conn } from "../transport.ts";

/** What was received and not yet taken: `chunk` from `from` to `to`. */
export class Input {
  readonly #conn: Conn;
  readonly #buffer: ReceiveBuffer;
  #received = 0;
  /** A read that was begun before its bytes are wanted. */
  #ahead: Promise<boolean> | undefined;
  /** Where the bytes are. */
  chunk: Buffer;
  /** The first byte not taken. */
  from = 0;
  /** Behind the last byte received. */
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

  /** Receives more, over what was taken; false at the end of the stream. */
  fill(): Promise<boolean> {
    const ahead = this.#ahead;
    if (ahead === undefined) return this.#read();
    this.#ahead = undefined;
    return ahead;
  }

  /**
   * Receives more while nobody needs it, to learn whether the client is still there; the next
   * {@linkcode fill} then has it. Settles as that will.
   */
  readAhead(): Promise<boolean> {
    return this.#ahead ??= this.#read();
  }

  #read(): Promise<boolean> {
    this.#buffer.adapt(this.#received);
    return this.#conn.read(this.#buffer.bytes).then(this.#filled);
  }

  readonly #filled = (n: number | null): boolean => {
    this.chunk = this.#buffer.bytes;
    this.from = 0;
    this.to = this.#received = n ?? 0;
    return n !== null;
  };

  /** Gives the buffer back, once nothing is read into it any more. */
  release(): void {
    if (this.#ahead === undefined) this.#buffer.release();
    else this.#ahead.catch(() => {}).finally(() => this.#buffer.release());
  }
}
