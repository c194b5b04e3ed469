/**
 * The body of a response, taken from the connection as its framing says.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { counted } from "../../base/counted.ts";
import type { Conn, TlsConn } from "../../net/transport.ts";
import { ChunkedDecoder } from "../message/chunked.ts";
import { HttpError } from "../message/errors.ts";
import type { BodyLength } from "../message/response_framing.ts";

/**
 * The size of the buffer for a head. A body gets more, since each read costs a turn of the event
 * loop.
 */
const HEAD_BUFFER = 16 * 1024;
const BODY_BUFFER = 256 * 1024;
const NOTHING = Buffer.alloc(0);

/**
 * The bytes that were received and not yet taken: `chunk` from `from` to `to`. Two buffers are
 * filled by turns, so that one can be written somewhere while the other is received into.
 */
export class ResponseInput {
  readonly #conn: Conn;
  #next: Buffer | undefined;
  #full = false;
  /** The buffer that has the bytes. */
  chunk: Buffer = Buffer.alloc(HEAD_BUFFER);
  /** The first byte not taken. */
  from = 0;
  /** The position after the last received byte. */
  to = 0;

  constructor(conn: Conn) {
    this.#conn = conn;
  }

  /** The number of bytes that were received and not taken. */
  get waiting(): number {
    return this.to - this.from;
  }

  /** Whether all that was received is taken. */
  get drained(): boolean {
    return this.waiting === 0;
  }

  /** Frees the buffers, once nothing is received here any more. */
  release(): void {
    this.chunk = NOTHING;
    this.#next = undefined;
    this.from = this.to = 0;
  }

  /** Whether the end may have been made by somebody in between: TLS has an end of its own. */
  get truncated(): boolean {
    return (this.#conn as Partial<TlsConn>).truncated === true;
  }

  /** Receives more into the other buffer; false at the end of the stream. */
  async fill(): Promise<boolean> {
    // The first buffer is small, and stays the only size for a response that fits it.
    const size = this.#full ? BODY_BUFFER : this.chunk.length;
    const buffer = this.#next?.length === size ? this.#next : Buffer.allocUnsafeSlow(size);
    const n = await this.#conn.read(buffer);
    this.#next = this.chunk;
    this.chunk = buffer;
    this.from = 0;
    this.to = n ?? 0;
    this.#full ||= n === buffer.length;
    return n !== null;
  }
}

/** Reads one body. */
export class ResponseBody {
  readonly #input: ResponseInput;
  readonly #most: number;
  readonly #decoder: ChunkedDecoder | undefined;
  /** The number of bytes that are left of a body with a length. Infinity without a length. */
  #left: number;
  #ended = false;
  /** Bytes of content that have been handed out. */
  content = 0;
  /** Bytes that they took on the wire: with the frames of the chunks. */
  wire = 0;

  /**
   * Content may have `most` bytes, and trailer lines `trailerBytes`. Throws {@linkcode HttpError}
   * BODY_TOO_LARGE if `length` says so already.
   */
  constructor(input: ResponseInput, length: BodyLength, most: number, trailerBytes: number) {
    this.#input = input;
    this.#most = most;
    this.#left = typeof length === "number" ? length : Infinity;
    if (length === "chunked") this.#decoder = new ChunkedDecoder({ trailerBytes, folds: true });
    if (typeof length === "number" && length > most) throw this.#tooLarge();
  }

  /** Whether the body has been read to its end. */
  get done(): boolean {
    return this.#ended || (this.#decoder === undefined ? this.#left === 0 : this.#decoder.done);
  }

  /** The next bytes, valid until the call after the next, or `null` at the end. */
  async read(): Promise<Uint8Array | null> {
    const input = this.#input;
    while (!this.done) {
      if (input.from === input.to && !await input.fill()) {
        this.#end();
        break;
      }
      const start = input.from;
      const bytes = this.#decoder === undefined ? this.#rest() : this.#chunks(this.#decoder);
      this.wire += input.from - start;
      this.content += bytes.length;
      if (this.content > this.#most) throw this.#tooLarge();
      if (bytes.length > 0) return bytes;
    }
    return null;
  }

  #rest(): Uint8Array {
    const input = this.#input;
    const n = Math.min(this.#left, input.to - input.from);
    this.#left -= n;
    return input.chunk.subarray(input.from, input.from += n);
  }

  /** The content of all chunks in the buffer, moved together where it is. */
  #chunks(decoder: ChunkedDecoder): Uint8Array {
    const input = this.#input;
    const { chunk } = input;
    let [start, end] = [0, 0];
    input.from = decoder.decode(chunk, input.from, input.to, (from, to) => {
      if (end === 0) start = end = from;
      if (from > end) chunk.copyWithin(end, from, to);
      end += to - from;
    });
    return chunk.subarray(start, end);
  }

  /** The connection has ended: that is the end of the body, or it is not all of it. */
  #end(): void {
    this.#ended = true;
    const content = counted(this.content, "byte");
    if (this.#decoder === undefined && this.#left === Infinity) {
      if (!this.#input.truncated) return;
      // RFC 9112 section 9.8.
      const why = `The connection ended after ${content} of content, and not as TLS ends: ` +
        "it may have been cut off";
      throw new HttpError(502, "PARTIAL", why);
    }
    const missing = this.#decoder === undefined ? counted(this.#left, "byte") : "the last chunk";
    throw new HttpError(
      502,
      "PARTIAL",
      `The server closed after ${content} of content, with ${missing} missing`,
    );
  }

  #tooLarge(): HttpError {
    return new HttpError(
      502,
      "BODY_TOO_LARGE",
      `The content has more than ${counted(this.#most, "byte")}`,
    );
  }
}
