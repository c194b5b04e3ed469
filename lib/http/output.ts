/**
 * The replies that go out on a connection: small ones are gathered, so that a reply, or all replies
 * to a pipeline of requests, leave in one write.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Conn } from "../transport.ts";

/** What is gathered before it is sent; content larger than this goes out without being copied. */
const SIZE = 16 * 1024;

/** The buffers of connections that are sending: the rest of them need none. */
export class OutputBuffers {
  readonly #free: Buffer[] = [];

  take(): Buffer {
    return this.#free.pop() ?? Buffer.alloc(SIZE);
  }

  give(buffer: Buffer): void {
    this.#free.push(buffer);
  }
}

/** Gathers and sends; see the module. */
export class Output {
  readonly #conn: Conn;
  readonly #buffers: OutputBuffers;
  #buffer: Buffer | undefined;
  #length = 0;
  /** Whether the client is being waited for, to take what is sent. */
  writing = false;

  constructor(conn: Conn, buffers: OutputBuffers) {
    this.#conn = conn;
    this.#buffers = buffers;
  }

  /** Whether all has been sent. */
  get empty(): boolean {
    return this.#length === 0;
  }

  /** Whether `n` more bytes fit. A character of text may become three. */
  fits(n: number): boolean {
    return this.#length + n <= SIZE;
  }

  /** Takes in a head, or the frame of a chunk, that {@linkcode fits}. */
  text(text: string): void {
    const buffer = this.#buffer ??= this.#buffers.take();
    // Where both are the same, writing UTF-8 is several times as fast.
    this.#length += NOT_ASCII.test(text)
      ? buffer.write(text, this.#length, "latin1")
      : buffer.write(text, this.#length);
  }

  /** Takes in content as UTF-8 that {@linkcode fits}; returns how many bytes it came to. */
  content(text: string): number {
    const buffer = this.#buffer ??= this.#buffers.take();
    const n = buffer.write(text, this.#length);
    this.#length += n;
    return n;
  }

  /** Takes in bytes that {@linkcode fits}. */
  bytes(bytes: Uint8Array): void {
    const buffer = this.#buffer ??= this.#buffers.take();
    buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Sends what was gathered. */
  async flush(): Promise<void> {
    const n = this.#length;
    if (n === 0) return;
    const buffer = this.#buffer!;
    await this.#write(buffer.subarray(0, n));
    this.#length = 0;
    this.#buffer = undefined;
    this.#buffers.give(buffer);
  }

  /** Sends text behind what was gathered, whatever its length. */
  async sendText(text: string): Promise<void> {
    if (!this.fits(text.length * 3)) await this.flush();
    if (this.fits(text.length * 3)) this.text(text);
    else await this.#write(Buffer.from(text, "latin1"));
  }

  /** Sends bytes behind what was gathered, without copying them if they are many. */
  async sendBytes(bytes: Uint8Array): Promise<void> {
    if (this.fits(bytes.length)) return this.bytes(bytes);
    await this.flush();
    if (this.fits(bytes.length)) this.bytes(bytes);
    else await this.#write(bytes);
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
