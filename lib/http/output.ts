/**
 * The replies that go out on a connection: small ones are gathered, so that a reply, or all replies
 * to a pipeline of requests, leave in one write.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Conn } from "../transport.ts";

/** What is gathered before it is sent; bodies larger than this go out without being copied. */
const SIZE = 8 * 1024;

/** Gathers and sends; see the module. */
export class Output {
  readonly #conn: Conn;
  #buffer: Buffer | undefined;
  #length = 0;
  /** Whether the client is being waited for, to take what is sent. */
  writing = false;

  constructor(conn: Conn) {
    this.#conn = conn;
  }

  /** Whether all has been sent. */
  get empty(): boolean {
    return this.#length === 0;
  }

  /** Takes in a head, or the frame of a chunk; false if there is no room, and it must be flushed. */
  text(text: string): boolean {
    const buffer = this.#buffer ??= Buffer.alloc(SIZE);
    // A character may become three bytes.
    if (this.#length + text.length * 3 > SIZE) return false;
    this.#length += NOT_ASCII.test(text)
      ? buffer.write(text, this.#length, "latin1")
      : buffer.write(text, this.#length);
    return true;
  }

  /** Takes in bytes; false if there is no room for them. */
  bytes(bytes: Uint8Array): boolean {
    const buffer = this.#buffer ??= Buffer.alloc(SIZE);
    if (this.#length + bytes.length > SIZE) return false;
    buffer.set(bytes, this.#length);
    this.#length += bytes.length;
    return true;
  }

  /** Sends what was gathered. */
  async flush(): Promise<void> {
    const n = this.#length;
    if (n === 0) return;
    await this.#write(this.#buffer!.subarray(0, n));
    this.#length = 0;
  }

  /** Sends text behind what was gathered, whatever its length. */
  async sendText(text: string): Promise<void> {
    if (this.text(text)) return;
    await this.flush();
    if (!this.text(text)) await this.#write(Buffer.from(text, "latin1"));
  }

  /** Sends bytes behind what was gathered, without copying them if they are many. */
  async sendBytes(bytes: Uint8Array): Promise<void> {
    if (this.bytes(bytes)) return;
    await this.flush();
    await this.#write(bytes);
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.writing = true;
    try {
      await this.#conn.write(bytes);
    } finally {
      this.writing = false;
    }
  }
}

// deno-lint-ignore no-control-regex
const NOT_ASCII = /[^\x00-\x7f]/;
