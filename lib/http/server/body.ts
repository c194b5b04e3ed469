/**
 * The body of a request, taken from the input as its framing says.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import { ChunkedDecoder } from "../message/chunked.ts";
import { HttpError } from "../message/errors.ts";
import type { Input } from "./input.ts";

/** Reads one body. */
export class BodyReader {
  readonly #input: Input;
  readonly #limit: number;
  readonly #decoder: ChunkedDecoder | undefined;
  /** The number of bytes that are left of a body with a length. */
  #left: number;
  /** The number of bytes of content that were read. */
  #count = 0;
  /** The ranges of the input with content that was not handed out yet. */
  readonly #found: [from: number, to: number][] = [];
  /** The number of bytes that it has, if Content-Length says so. */
  readonly length: number | undefined;

  /** The end was reported: nobody has bytes of it any more. */
  ended = false;
  /** Whether the unread rest was thrown away. */
  dropped = false;

  /** `length` is that of the framing: -1 for a chunked body. */
  constructor(input: Input, length: number, limit: number) {
    this.#input = input;
    this.#limit = limit;
    this.#left = length;
    this.length = length === -1 ? undefined : length;
    this.#decoder = length === -1 ? new ChunkedDecoder() : undefined;
  }

  /** Whether it is too large, as its length says, or what has come of it. */
  get tooLarge(): boolean {
    return this.#left > this.#limit || this.#count > this.#limit;
  }

  /**
   * Throws {@linkcode HttpError} BODY_TOO_LARGE if it is. Only who reads it minds: another method,
   * path or user is refused as such.
   */
  checkLength(): void {
    if (this.tooLarge) throw tooLarge();
  }

  /** Whether the body has been read to its end. */
  get done(): boolean {
    return this.#decoder === undefined
      ? this.#left === 0
      : this.#decoder.done && this.#found.length === 0;
  }

  /** The next bytes, valid until the next call, or `null` at the end. */
  async read(): Promise<Uint8Array | null> {
    for (;;) {
      if (this.done) {
        this.ended = true;
        return null;
      }
      const bytes = this.#take();
      if (bytes !== undefined) return bytes;
      // The last bytes may have been the last chunk. The next request is behind them then.
      if (!this.done && !await this.#input.fill()) {
        throw new HttpError(400, "BODY_INCOMPLETE", "The client closed before the end of the body");
      }
    }
  }

  /** Throws away what has already come: if that is not right, the request is not either. */
  discardReceived(): void {
    this.dropped = !this.done;
    while (!this.done && this.#take() !== undefined);
  }

  /** The next bytes that have already come, if there are any. */
  #take(): Uint8Array | undefined {
    return this.#decoder === undefined ? this.#takeRest() : this.#takeChunk(this.#decoder);
  }

  #takeRest(): Uint8Array | undefined {
    const input = this.#input;
    if (input.empty) return undefined;
    const n = Math.min(this.#left, input.to - input.from);
    this.#left -= n;
    return view(input.chunk, input.from, input.from += n);
  }

  #takeChunk(decoder: ChunkedDecoder): Uint8Array | undefined {
    const input = this.#input;
    if (this.#found.length === 0) {
      input.from = decoder.decode(input.chunk, input.from, input.to, (from, to) => {
        this.#count += to - from;
        this.#found.push([from, to]);
      });
      this.checkLength();
    }
    const range = this.#found.shift();
    return range && view(input.chunk, ...range);
  }
}

/** A plain array: of a Buffer's, `slice()` would be no copy. */
function view({ buffer, byteOffset }: Buffer, from: number, to: number): Uint8Array {
  return new Uint8Array(buffer, byteOffset + from, to - from);
}

function tooLarge(): HttpError {
  return new HttpError(413, "BODY_TOO_LARGE", "The body is too large");
}
