/**
 * The chunked transfer coding (RFC 9112 section 7.1), decoded in place: a state machine with no
 * socket in it.
 *
 * @module
 */

import { HttpError } from "./errors.ts";
import { FIELD_VALUE, QUOTED_STRING, TOKEN } from "../../base/header_fields.ts";

/** The most bytes of the extensions of one chunk: more is an attack. */
const MAX_EXTENSIONS = 256;

/** The differences between requests and responses. */
export interface ChunkedOptions {
  /** Bytes of the trailer section; more is HEADERS_TOO_LARGE. Default: 8192. */
  readonly trailerBytes?: number;
  /** A trailer line may go on in the next one (obs-fold, RFC 9112 section 5.2). Default: it may not. */
  readonly folds?: boolean;
}

const CR = 0x0d;
const LF = 0x0a;

/** The part of a chunk that the next byte belongs to. */
type State = "size" | "extension" | "size-lf" | "data" | "data-cr" | "data-lf" | "trailer" | "end";

/** Decodes one body; see the module. */
export class ChunkedDecoder {
  #state: State = "size";
  /** The number of bytes that are left of the chunk. While its size is read, the size so far. */
  #left = 0;
  #digits = 0;
  #extension = "";
  #line = 0;
  #trailer = "";
  #trailerBytes = 0;
  /** The syntax of a trailer line, from the second one on. */
  readonly #trailerLine: RegExp;
  readonly #mostTrailer: number;
  #sawField = false;

  constructor({ trailerBytes = 8 * 1024, folds = false }: ChunkedOptions = {}) {
    this.#mostTrailer = trailerBytes;
    this.#trailerLine = folds ? FIELD_OR_FOLD : FIELD;
  }

  /** Whether the last chunk and the trailer section have come. */
  get done(): boolean {
    return this.#state === "end";
  }

  /**
   * Takes bytes of `chunk` from `from` to `to`, up to the end of the body. Tells with `onData` where
   * in `chunk` there is content. Returns the index after the last byte taken.
   *
   * Throws {@linkcode HttpError} for what is not chunked coding. The decoder is of no use after that.
   */
  decode(
    chunk: Uint8Array,
    from: number,
    to: number,
    onData: (start: number, end: number) => void,
  ): number {
    let at = from;
    while (at < to && this.#state !== "end") {
      if (this.#state === "data") {
        const n = Math.min(this.#left, to - at);
        onData(at, at + n);
        at += n;
        this.#left -= n;
        if (this.#left === 0) this.#state = "data-cr";
      } else this.#byte(chunk[at++]);
    }
    return at;
  }

  #byte(byte: number): void {
    switch (this.#state) {
      case "size":
        return this.#size(byte);
      case "extension":
        return this.#extend(byte);
      case "size-lf":
        if (byte !== LF) throw bad("The size of a chunk does not end with CRLF");
        this.#state = this.#left === 0 ? "trailer" : "data";
        return;
      case "data-cr":
        if (byte !== CR) throw bad("A chunk is longer than its size says");
        this.#state = "data-lf";
        return;
      case "data-lf":
        if (byte !== LF) throw bad("A chunk does not end with CRLF");
        this.#state = "size";
        this.#left = this.#digits = this.#line = 0;
        return;
      default:
        return this.#trail(byte);
    }
  }

  /** chunk-size: hexadecimal digits only, 16 of them at most, for less than 2^44 bytes. */
  #size(byte: number): void {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      // Leading zeros are allowed, but not without end.
      if (++this.#digits > 16 || this.#left > 0xff_ffff_ffff) {
        throw bad("A chunk's size is too large");
      }
      this.#left = this.#left * 16 + digit;
      return;
    }
    if (this.#digits === 0) throw bad("A chunk has no size");
    if (byte === CR) this.#state = "size-lf";
    else if (byte === 0x3b /* ; */ || byte === 0x20 || byte === 0x09) {
      this.#state = "extension";
      this.#extension = String.fromCharCode(byte);
    } else throw bad("The size of a chunk is not a hexadecimal number");
  }

  /** chunk-ext is checked when it is whole, and then ignored. */
  #extend(byte: number): void {
    if (++this.#line > MAX_EXTENSIONS) throw bad("The extensions of a chunk are too long");
    if (byte !== CR) {
      this.#extension += String.fromCharCode(byte);
      return;
    }
    if (!EXTENSIONS.test(this.#extension)) throw bad("The extensions of a chunk are not right");
    this.#state = "size-lf";
  }

  /** The trailer section is checked like header fields, and dropped. */
  #trail(byte: number): void {
    if (++this.#trailerBytes > this.#mostTrailer) {
      throw new HttpError(
        431,
        "HEADERS_TOO_LARGE",
        `The trailer section has more than ${this.#mostTrailer} bytes`,
      );
    }
    this.#trailer += String.fromCharCode(byte);
    if (byte !== LF) return;
    if (this.#trailer === "\r\n") this.#state = "end";
    else if (!(this.#sawField ? this.#trailerLine : FIELD).test(this.#trailer)) {
      throw bad("A trailer field is not right");
    }
    this.#sawField = true;
    this.#trailer = "";
  }
}

/** *( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] ) */
const EXTENSIONS = new RegExp(
  `^(?:[ \\t]*;[ \\t]*${TOKEN}(?:[ \\t]*=[ \\t]*(?:${TOKEN}|${QUOTED_STRING}))?)*$`,
);

const FIELD = new RegExp(`^${TOKEN}:${FIELD_VALUE}\\r\\n$`);
const FIELD_OR_FOLD = new RegExp(`^(?:${TOKEN}:|[\\t ])${FIELD_VALUE}\\r\\n$`);

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function bad(message: string): HttpError {
  return new HttpError(400, "BAD_CHUNK", message);
}
