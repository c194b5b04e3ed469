/**
 * The responses that go out on a connection: small ones are gathered, so that a response, or all
 * responses to a pipeline of requests, leave in one write.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Conn } from "../../net/transport.ts";

/** The most bytes that are gathered before they are sent. Larger content is sent without a copy. */
const SIZE = 16 * 1024;

/** The most characters of a text that a loop looks at one by one. */
export const SHORT_TEXT = 128;

/** A buffer, and the view of its first bytes that was sent last: responses repeat lengths. */
export class OutputBuffer {
  readonly bytes: Buffer = Buffer.alloc(SIZE);
  #view: Buffer = this.bytes;

  first(n: number): Buffer {
    return this.#view.length === n ? this.#view : this.#view = this.bytes.subarray(0, n);
  }
}

/** The most buffers that are kept while nothing is sent: 1 MiB of them. */
const MAX_FREE = 64;

/** The buffers of connections that are sending: the rest of them need none. */
export class OutputBuffers {
  readonly #free: OutputBuffer[] = [];

  take(): OutputBuffer {
    return this.#free.pop() ?? new OutputBuffer();
  }

  give(buffer: OutputBuffer): void {
    if (this.#free.length < MAX_FREE) this.#free.push(buffer);
  }
}

/** Gathers and sends; see the module. */
export class Output {
  readonly #conn: Conn;
  readonly #buffers: OutputBuffers;
  #buffer: OutputBuffer | undefined;
  #length = 0;
  /** A message that goes out as it is. */
  #whole: Buffer | undefined;
  /** Whether the client is being waited for, to take what is sent. */
  writing = false;

  constructor(conn: Conn, buffers: OutputBuffers) {
    this.#conn = conn;
    this.#buffers = buffers;
  }

  /** Whether all has been sent. */
  get empty(): boolean {
    return this.#length === 0 && this.#whole === undefined;
  }

  /** Whether `n` more bytes fit. A character of text may become three. */
  fits(n: number): boolean {
    return this.#length + n <= SIZE;
  }

  /** Takes in a head, or the frame of a chunk, that {@linkcode fits}. */
  text(text: string): void {
    const { bytes: buffer } = this.#buffer ??= this.#buffers.take();
    // For ASCII text both are the same, and writing UTF-8 is several times as fast.
    this.#length += NOT_ASCII.test(text)
      ? buffer.write(text, this.#length, "latin1")
      : buffer.write(text, this.#length);
  }

  /** Takes in text as UTF-8 that {@linkcode fits}; it comes to `size` bytes. */
  content(text: string, size: number): void {
    const { bytes: buffer } = this.#buffer ??= this.#buffers.take();
    const start = this.#length;
    this.#length += size;
    // Calling the runtime costs as much as this many characters.
    if (size > SHORT_TEXT || size !== text.length) buffer.write(text, start);
    else for (let i = 0; i < size; i++) buffer[start + i] = text.charCodeAt(i);
  }

  /** Takes in bytes that {@linkcode fits}. */
  bytes(bytes: Uint8Array): void {
    const { bytes: buffer } = this.#buffer ??= this.#buffers.take();
    buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Takes in a whole message, which goes out without being copied; all else must have been sent. */
  whole(bytes: Buffer): void {
    this.#whole = bytes;
  }

  /** Sends what was gathered; until that has settled, nothing more is to be gathered. */
  async flush(): Promise<void> {
    if (this.empty) return;
    await this.send();
    this.sent();
  }

  /**
   * Starts to send what was gathered, which is something; {@linkcode sent} is to be called when that is
   * done. This is {@linkcode flush} without its promise, for the loop that every request goes through.
   */
  send(): Promise<void> {
    this.writing = true;
    return this.#conn.write(this.#whole ?? this.#buffer!.first(this.#length));
  }

  /** See {@linkcode send}. */
  sent(): void {
    this.writing = false;
    this.#whole = undefined;
    this.#length = 0;
    if (this.#buffer === undefined) return;
    this.#buffers.give(this.#buffer);
    this.#buffer = undefined;
  }

  /** Sends text after what was gathered, whatever its length. */
  async sendText(text: string): Promise<void> {
    if (!this.fits(text.length * 3)) await this.flush();
    if (this.fits(text.length * 3)) this.text(text);
    else await this.#write(Buffer.from(text, "latin1"));
  }

  /** Sends bytes after what was gathered, without copying them if they are many. */
  async sendBytes(bytes: Uint8Array): Promise<void> {
    if (this.fits(bytes.length)) return this.bytes(bytes);
    await this.flush();
    if (this.fits(bytes.length)) this.bytes(bytes);
    else await this.#write(bytes);
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.writing = true;
    await this.#conn.write(bytes);
    this.writing = false;
  }
}

// deno-lint-ignore no-control-regex
const NOT_ASCII = /[^\x00-\x7f]/;
