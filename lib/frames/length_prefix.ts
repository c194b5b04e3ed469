/**
 * Frames that begin with their length.
 *
 * @module
 */

import { checkArgument, type Kind, oneOf } from "../base/arguments.ts";
import { counted } from "../base/counted.ts";
import { FrameError } from "./error.ts";
import {
  checkPayloadSize,
  type FrameBounds,
  type Framing,
  type FramingOptions,
  incomplete,
  maxSizeOf,
  MOST_SIZE,
  NO_TAIL,
  tooLarge,
} from "./framing.ts";

/**
 * The type of a length: an unsigned integer of 1, 2 or 4 bytes, or one that takes as many as it
 * needs.
 */
export type LengthType = "u8" | "u16" | "u32" | "varint";

/** Options of {@linkcode lengthPrefix}. */
export interface LengthPrefixOptions extends FramingOptions {
  /**
   * The byte order of a length of 2 or 4 bytes: the most significant one, which is the order of
   * networks, or the least. Default: `"big"`.
   */
  readonly endian?: "big" | "little";
}

/** The number of bytes that the lengths of fixed size have. */
const WIDTHS = { u8: 1, u16: 2, u32: 4 };

const TYPE: Kind = oneOf(...Object.keys(WIDTHS), "varint");

const ENDIAN: Kind = oneOf("big", "little");

/** The most bytes of a varint: enough for any length of 32 bits. Some peers pad shorter ones. */
const MOST_VARINT = 5;

/**
 * Frames that begin with the number of bytes of their payload, which may be any bytes, or none.
 *
 * A `"varint"` is unsigned LEB128, as in Protocol Buffers: 7 bits in each byte, the least significant
 * first, and the top bit set in all but the last. Of at most 5 bytes; a length padded to more bytes
 * than it needs is read, and none is written.
 *
 * The stream must end between two frames; within one it is the `FrameError` INCOMPLETE.
 *
 * @example
 * ```ts
 * import { encodeFrame, lengthPrefix } from "@plainsocket/plainsocket/frames";
 * import assert from "node:assert/strict";
 *
 * const payload = new Uint8Array([7, 8]);
 * assert.deepEqual(encodeFrame(lengthPrefix("u32"), payload), new Uint8Array([0, 0, 0, 2, 7, 8]));
 * assert.deepEqual(encodeFrame(lengthPrefix("varint"), payload), new Uint8Array([2, 7, 8]));
 * ```
 */
export function lengthPrefix(type: LengthType, options: LengthPrefixOptions = {}): Framing {
  checkArgument("lengthPrefix", type, TYPE);
  const most = type === "varint" ? MOST_SIZE : 256 ** WIDTHS[type] - 1;
  const maxSize = maxSizeOf("lengthPrefix", options, most, { endian: ENDIAN });
  if (type === "varint") return new VarintPrefix(maxSize);
  const little = options.endian === "little" && type !== "u8";
  return new IntegerPrefix(type, WIDTHS[type], little, maxSize);
}

class IntegerPrefix implements Framing {
  readonly name: string;
  readonly maxSize: number;
  readonly overhead: number;
  readonly tail = NO_TAIL;
  readonly #little: boolean;

  constructor(type: string, width: number, little: boolean, maxSize: number) {
    this.name = little ? `${type}le` : type;
    this.maxSize = maxSize;
    this.overhead = width;
    this.#little = little;
  }

  check(payload: Uint8Array): void {
    checkPayloadSize(this, payload.length);
  }

  putHead(size: number, out: Uint8Array, at: number): number {
    const end = at + this.overhead;
    if (this.#little) { for (let i = at; i < end; i++, size >>>= 8) out[i] = size; }
    else for (let i = end - 1; i >= at; i--, size >>>= 8) out[i] = size;
    return end;
  }

  find(bytes: Uint8Array, from: number, _searched: number, bounds: FrameBounds): number {
    const start = from + this.overhead;
    if (start > bytes.length) return start - bytes.length;
    let size = 0;
    if (this.#little) { for (let i = start - 1; i >= from; i--) size = size * 256 + bytes[i]; }
    else for (let i = from; i < start; i++) size = size * 256 + bytes[i];
    return payloadAt(this, start, size, bytes, bounds);
  }

  atEnd(rest: Uint8Array): boolean {
    return nothing(this, rest);
  }
}

class VarintPrefix implements Framing {
  readonly name = "varint";
  readonly maxSize: number;
  readonly overhead = MOST_VARINT;
  readonly tail = NO_TAIL;

  constructor(maxSize: number) {
    this.maxSize = maxSize;
  }

  check(payload: Uint8Array): void {
    checkPayloadSize(this, payload.length);
  }

  putHead(size: number, out: Uint8Array, at: number): number {
    for (; size > 0x7f; size >>>= 7) out[at++] = size | 0x80;
    out[at] = size;
    return at + 1;
  }

  find(bytes: Uint8Array, from: number, _searched: number, bounds: FrameBounds): number {
    let size = 0;
    // Not shifted, since shifting takes 32 bits only.
    for (let at = from, unit = 1; at < bytes.length; at++, unit *= 128) {
      const byte = bytes[at];
      size += (byte & 0x7f) * unit;
      if (byte < 0x80) return payloadAt(this, at + 1, size, bytes, bounds);
      if (at - from === MOST_VARINT - 1) throw this.#endlessLength();
    }
    return 1;
  }

  atEnd(rest: Uint8Array): boolean {
    return nothing(this, rest);
  }

  #endlessLength(): FrameError {
    const failure =
      `Cannot read a frame (${this.name}): its length has more than ${MOST_VARINT} bytes`;
    return new FrameError("BAD_LENGTH", failure);
  }
}

/** The second half of finding a frame: its payload, once its length is known. */
function payloadAt(
  framing: Framing,
  start: number,
  size: number,
  bytes: Uint8Array,
  bounds: FrameBounds,
): number {
  if (size > framing.maxSize) throw tooLarge(framing, size);
  const end = start + size;
  if (end > bytes.length) return end - bytes.length;
  bounds.start = start;
  bounds.end = bounds.next = end;
  return 0;
}

/** A stream ends in good order when nothing is left of it. */
function nothing(framing: Framing, rest: Uint8Array): boolean {
  if (rest.length === 0) return false;
  const bounds = { start: 0, end: 0, next: 0 };
  const missing = framing.find(rest, 0, 0, bounds);
  throw incomplete(
    framing,
    `${counted(rest.length, "byte")}, at least ${missing} more were to come`,
  );
}
