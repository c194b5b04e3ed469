/**
 * Frames (RFC 6455 section 5.2), without a socket.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import { CLOSE } from "./close_code.ts";
import { WsError } from "./error.ts";
import { applyMask } from "./mask.ts";

/** The opcodes of frames. */
export const OPCODE = {
  continuation: 0x0,
  text: 0x1,
  binary: 0x2,
  close: 0x8,
  ping: 0x9,
  pong: 0xa,
} as const;

/** The end of the connection: clients mask what they send, servers do not. */
export type WsRole = "client" | "server";

/** The most bytes that a control frame carries. */
export const MAX_CONTROL = 125;

/** The most bytes before a payload: 2, a length of 8, and a key of 4. */
export const MAX_HEADER = 14;

const FIN = 0x80;
const RSV1 = 0x40;
const RSV2_3 = 0x30;
const MASKED = 0x80;

/** Returns the size of a header with this length, without a key. */
export function headerSize(length: number): number {
  return length < 126 ? 2 : length < 0x10000 ? 4 : 10;
}

/** The flags in the first byte of a header. */
export interface FrameFlags {
  /** The last frame of its message. */
  readonly fin: boolean;
  /** The message is compressed. */
  readonly compressed: boolean;
}

/** Puts a header at a place of a buffer, without a key. Returns where it ends. */
export function putHeader(
  out: Buffer,
  at: number,
  opcode: number,
  { fin, compressed }: FrameFlags,
  length: number,
  masked: boolean,
): number {
  out[at] = opcode | (fin ? FIN : 0) | (compressed ? RSV1 : 0);
  const mask = masked ? MASKED : 0;
  if (length < 126) {
    out[at + 1] = length | mask;
    return at + 2;
  }
  if (length < 0x10000) {
    out[at + 1] = 126 | mask;
    out[at + 2] = length >> 8;
    out[at + 3] = length & 0xff;
    return at + 4;
  }
  out[at + 1] = 127 | mask;
  out.writeUIntBE(Math.floor(length / 2 ** 32), at + 2, 4);
  out.writeUIntBE(length % 2 ** 32, at + 6, 4);
  return at + 10;
}

/**
 * Reads frames, in pieces of any size. Its properties are those of the frame under way.
 */
export class FrameParser {
  readonly #masked: boolean;
  readonly #mayCompress: boolean;
  /** The header, as far as it has come; then the key of its payload is in the first 4 bytes. */
  readonly #head = new Uint8Array(MAX_HEADER);
  #headLength = 0;
  #phase = 0;
  /** A message has begun whose last frame has not. */
  #inMessage = false;
  opcode = 0;
  fin = false;
  compressed = false;
  /** The length of the payload, and how much of it has not come. */
  length = 0;
  left = 0;

  /** `role` is this end's; `mayCompress` is whether permessage-deflate was agreed on. */
  constructor(role: WsRole, mayCompress: boolean) {
    this.#masked = role === "server";
    this.#mayCompress = mayCompress;
  }

  /** Whether the frame under way is a control frame. */
  get isControl(): boolean {
    return this.opcode >= 0x8;
  }

  /**
   * Takes the header of the next frame from the bytes from `from` to `to`. Returns where it ends; -1 if it
   * is not whole, and all of the bytes are taken. Throws a {@linkcode WsError}.
   */
  header(chunk: Uint8Array, from: number, to: number): number {
    let at = from;
    if (this.#headLength < 2) {
      at = this.#fillHead(2, chunk, at, to);
      if (this.#headLength < 2) return -1;
      // Errors are reported before the rest has come.
      this.#check(this.#head[0], this.#head[1]);
    }
    const size = this.#headSize();
    at = this.#fillHead(size, chunk, at, to);
    if (this.#headLength < size) return -1;
    this.#finish();
    return at;
  }

  /** Takes bytes until the header has `size` of them. Returns where what is taken ends. */
  #fillHead(size: number, chunk: Uint8Array, from: number, to: number): number {
    const head = this.#head;
    let length = this.#headLength;
    let at = from;
    while (length < size && at < to) head[length++] = chunk[at++];
    this.#headLength = length;
    return at;
  }

  /** Returns the size of the header whose first two bytes are there. */
  #headSize(): number {
    const short = this.#head[1] & 0x7f;
    return (short < 126 ? 2 : short === 126 ? 4 : 10) + (this.#masked ? 4 : 0);
  }

  #check(first: number, second: number): void {
    const opcode = first & 0x0f;
    const control = opcode >= 0x8;
    const size = second & 0x7f;
    if ((first & RSV2_3) !== 0) throw broken("a reserved bit of its frame is set");
    if ((first & RSV1) !== 0 && (!this.#mayCompress || control || opcode === 0)) {
      throw broken(
        this.#mayCompress
          ? "a frame is marked as compressed that does not begin a message"
          : "its frame is compressed, which was not agreed on",
      );
    }
    if (opcode > OPCODE.pong || opcode > OPCODE.binary && !control) {
      throw broken(`its frame has the reserved opcode ${opcode}`);
    }
    if (((second & MASKED) !== 0) !== this.#masked) {
      throw broken(this.#masked ? "its frame is not masked" : "its frame is masked");
    }
    if (control) {
      if ((first & FIN) === 0) throw broken("its control frame is fragmented");
      if (size > MAX_CONTROL) throw broken("its control frame has more than 125 bytes");
    } else if (opcode === OPCODE.continuation) {
      if (!this.#inMessage) throw broken("it continues a message that has not begun");
    } else if (this.#inMessage) {
      throw broken("it begins a message before the one before has ended");
    }
  }

  #finish(): void {
    const head = this.#head;
    this.opcode = head[0] & 0x0f;
    this.fin = (head[0] & FIN) !== 0;
    this.compressed = (head[0] & RSV1) !== 0;
    this.length = this.left = this.#length(head[1] & 0x7f);
    if (this.opcode < 0x8) this.#inMessage = !this.fin;
    if (this.#masked) {
      for (let i = 0; i < 4; i++) head[i] = head[this.#headLength - 4 + i];
    }
    this.#phase = 0;
    this.#headLength = 0;
  }

  #length(short: number): number {
    const head = this.#head;
    if (short < 126) return short;
    if (short === 126) {
      const length = head[2] << 8 | head[3];
      if (length < 126) throw broken("its frame does not have its length in the shortest form");
      return length;
    }
    let length = 0;
    for (let i = 2; i < 10; i++) length = length * 256 + head[i];
    if (head[2] >= 0x80) throw broken("its frame has a length of more than 63 bits");
    if (length < 0x10000) throw broken("its frame does not have its length in the shortest form");
    return length;
  }

  /**
   * Takes payload from the bytes from `from` to `to`, and unmasks it there. Returns where what is taken
   * ends.
   */
  payload(chunk: Uint8Array, from: number, to: number): number {
    const end = Math.min(to, from + this.left);
    if (this.#masked) applyMask(chunk, from, end, this.#head, this.#phase);
    this.#phase = this.#phase + end - from & 3;
    this.left -= end - from;
    return end;
  }
}

function broken(why: string): WsError {
  return new WsError(CLOSE.protocol, why);
}
