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
    this.#buffer.adapt(this.#received);
    const { bytes } = this.#buffer;
    const n = await this.#conn.read(bytes);
    this.chunk = bytes;
    this.from = 0;
    this.to = this.#received = n ?? 0;
    return n !== null;
  }

  /** Gives the buffer back. */
  release(): void {
    this.#buffer.release();
  }
}
