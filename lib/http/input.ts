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
  #ahead: Promise<number | null> | undefined;
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
  async fill(): Promise<boolean> {
    return this.filled(await this.receive());
  }

  /** The first half of {@linkcode fill}, as promised by the connection. */
  receive(): Promise<number | null> {
    const ahead = this.#ahead;
    if (ahead !== undefined) {
      this.#ahead = undefined;
      return ahead;
    }
    this.#buffer.adapt(this.#received);
    return this.#conn.read(this.#buffer.bytes);
  }

  /** The second half of {@linkcode fill}: takes in what was received. */
  filled(n: number | null): boolean {
    this.chunk = this.#buffer.bytes;
    this.from = 0;
    this.to = this.#received = n ?? 0;
    return n !== null;
  }

  /**
   * Receives more while nobody needs it, to learn whether the client is still there; the next
   * {@linkcode receive} then has it. Settles as that will.
   */
  receiveAhead(): Promise<number | null> {
    return this.#ahead ??= this.receive();
  }

  /** Gives the buffer back, once nothing is read into it any more. */
  release(): void {
    if (this.#ahead === undefined) this.#buffer.release();
    else this.#ahead.catch(() => {}).finally(() => this.#buffer.release());
  }
}
