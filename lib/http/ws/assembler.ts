/**
 * Messages made of the payloads of their frames (RFC 6455 section 5.4).
 *
 * @module
 */

import { Buffer, constants, isUtf8 } from "node:buffer";
import { counted } from "../../base/counted.ts";
import { shortAscii } from "./ascii.ts";
import { CLOSE } from "./close_code.ts";
import type { Deflate } from "./deflate.ts";
import { WsError } from "./error.ts";
import { OPCODE } from "./frame.ts";
import type { WsSettings } from "./options.ts";
import { Utf8Check } from "./utf8.ts";

/** So much is allocated at first for what has not come yet; later as much as has come, twice. */
const FIRST_ROOM = 128 * 1024;

const NOTHING = Buffer.alloc(0);

/** A message: text, or bytes, which are the reader's to keep. */
export type WsMessage = string | Uint8Array;

/** See the module. */
export class Assembler {
  readonly #settings: WsSettings;
  readonly #deflate: Deflate | undefined;
  #text = false;
  #compressed = false;
  #fragments = 0;
  #utf8: Utf8Check | undefined;
  /** The gathered buffers, how much of each is filled, and what is free in the last one. */
  #pieces: Buffer[] = [];
  #filled: number[] = [];
  #room: Buffer = NOTHING;
  /** The number of bytes that are gathered. */
  size = 0;

  constructor(settings: WsSettings, deflate: Deflate | undefined) {
    this.#settings = settings;
    this.#deflate = deflate;
  }

  get type(): "text" | "binary" {
    return this.#text ? "text" : "binary";
  }

  /** Whether the message can be given only as a whole. */
  get compressed(): boolean {
    return this.#compressed;
  }

  /** A message begins. */
  begin(opcode: number, compressed: boolean): void {
    this.#text = opcode === OPCODE.text;
    this.#compressed = compressed;
    this.#fragments = 0;
    this.#utf8 = undefined;
    if (this.#pieces.length > 0) this.takePieces();
  }

  /** A frame of it begins. Throws a {@linkcode WsError} if there are too many. */
  frame(): void {
    const { maxFragments } = this.#settings;
    if (++this.#fragments <= maxFragments) return;
    throw new WsError(
      CLOSE.policy,
      `its message has more than ${counted(maxFragments, "frame")}`,
    );
  }

  /** The most bytes of the message: those that are taken, unless the runtime cannot hold as many. */
  #maxSize(): number {
    const most = this.#text ? constants.MAX_STRING_LENGTH : constants.MAX_LENGTH;
    return Math.min(this.#settings.maxSize, most);
  }

  /** Throws a {@linkcode WsError} if a message of so many bytes is too large. */
  checkSize(size: number): void {
    const maxSize = this.#maxSize();
    if (size <= maxSize) return;
    throw new WsError(CLOSE.tooLarge, `its message has more than ${counted(maxSize, "byte")}`);
  }

  /** Checks a piece of text. Throws a {@linkcode WsError} as soon as it cannot be UTF-8. */
  check(bytes: Uint8Array): void {
    if (!this.#text || this.#compressed) return;
    if (!(this.#utf8 ??= new Utf8Check()).push(bytes)) throw notUtf8();
  }

  /** Checks that a text may end here. */
  checkEnd(): void {
    if (this.#utf8?.whole === false) throw notUtf8();
  }

  /** Gathers a piece, which is copied; `more` bytes of its frame follow. */
  add(bytes: Buffer, more: number): void {
    this.check(bytes);
    this.size += bytes.length;
    if (this.#room.length < bytes.length) {
      // Where the rest of the frame goes, too: it is copied once.
      const size = Math.min(bytes.length + more, Math.max(FIRST_ROOM, 2 * this.size));
      this.#room = Buffer.allocUnsafeSlow(Math.max(bytes.length, size));
      this.#pieces.push(this.#room);
      this.#filled.push(0);
    }
    this.#room.set(bytes);
    this.#room = this.#room.subarray(bytes.length);
    this.#filled[this.#filled.length - 1] += bytes.length;
  }

  /** The pieces gathered so far, which are then another's. */
  takePieces(): Buffer[] {
    const pieces = this.#pieces.map((piece, i) => piece.subarray(0, this.#filled[i]));
    this.#pieces = [];
    this.#filled = [];
    this.#room = NOTHING;
    this.size = 0;
    return pieces;
  }

  /** The whole message, which is all in the bytes from `from` to `to`. */
  single(chunk: Buffer, from: number, to: number): WsMessage {
    if (this.#text && !this.#compressed) {
      const short = shortAscii(chunk, from, to);
      if (short !== undefined) return short;
    }
    const bytes = chunk.subarray(from, to);
    if (this.#compressed) return this.#inflated(bytes);
    if (!this.#text) return new Uint8Array(bytes);
    if (!isUtf8(bytes)) throw notUtf8();
    return bytes.toString();
  }

  /** The whole message. */
  finish(): WsMessage {
    const pieces = this.takePieces();
    const bytes = pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
    if (this.#compressed) return this.#inflated(bytes);
    this.checkEnd();
    return this.#text ? bytes.toString() : bytes;
  }

  #inflated(bytes: Uint8Array): WsMessage {
    const message = this.#deflate!.inflate(bytes, this.#maxSize());
    if (!this.#text) return message;
    if (!isUtf8(message)) throw notUtf8();
    return message.toString();
  }
}

function notUtf8(): WsError {
  return new WsError(CLOSE.data, "its text is not UTF-8");
}
