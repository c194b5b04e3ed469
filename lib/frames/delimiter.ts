/**
 * Frames that end with certain bytes: lines above all.
 *
 * @module
 */

import { BYTES, checkArgument, type Kind } from "../base/arguments.ts";
import { counted } from "../base/counted.ts";
import { FrameError } from "./error.ts";
import {
  checkPayloadSize,
  endless,
  type FrameBounds,
  type Framing,
  type FramingOptions,
  incomplete,
  maxSizeOf,
} from "./framing.ts";

const LF = 0x0a;
const CR = 0x0d;

const MOST_DELIMITER = 256;

const END: Kind = {
  ...BYTES,
  takes: `a delimiter of 1 to ${MOST_DELIMITER} bytes in a Uint8Array`,
  fits: (end) => (end as Uint8Array).length >= 1 && (end as Uint8Array).length <= MOST_DELIMITER,
};

/**
 * Lines: each ends with LF or CRLF, which is not part of it, and is written with LF. A CR anywhere
 * else belongs to the line.
 *
 * The last text of the stream is a line, too, even without a line end. A payload with a LF in it,
 * or a CR at its end, cannot be written: HAS_DELIMITER. For a protocol that insists on CRLF, there
 * is {@linkcode delimiter}.
 *
 * @example
 * ```ts
 * import { decodeFrames, lines } from "@plainsocket/plainsocket/frames";
 * import assert from "node:assert/strict";
 *
 * const received = new TextEncoder().encode("one\r\n\ntwo\nthr");
 * const { frames, rest } = decodeFrames(lines(), received);
 * const decoder = new TextDecoder();
 * assert.deepEqual(frames.map((line) => decoder.decode(line)), ["one", "", "two"]);
 * assert.equal(decoder.decode(rest), "thr");
 * ```
 */
export function lines(options: FramingOptions = {}): Framing {
  return new Lines(maxSizeOf("lines", options));
}

/**
 * Frames that end with `end`, which is not part of them and cannot be in them.
 *
 * The stream must end after a delimiter; otherwise it is the `FrameError` INCOMPLETE. A payload
 * with the delimiter in it cannot be written, nor one that ends with a part of it so that the two
 * together would end early: HAS_DELIMITER. Throws a `RangeError` unless `end` has 1 to 256 bytes.
 *
 * @example
 * ```ts
 * import { decodeFrames, delimiter } from "@plainsocket/plainsocket/frames";
 * import assert from "node:assert/strict";
 *
 * const framing = delimiter(new TextEncoder().encode("\r\n"));
 * const { frames } = decodeFrames(framing, new TextEncoder().encode("EHLO a\nb\r\n"));
 * assert.equal(new TextDecoder().decode(frames[0]), "EHLO a\nb");
 * ```
 */
export function delimiter(end: Uint8Array, options: FramingOptions = {}): Framing {
  checkArgument("delimiter", end, END);
  return new Delimiter(end.slice(), maxSizeOf("delimiter", options));
}

class Lines implements Framing {
  readonly name = "lines";
  readonly maxSize: number;
  readonly overhead = 2;
  readonly tail: Uint8Array = new Uint8Array([LF]);

  constructor(maxSize: number) {
    this.maxSize = maxSize;
  }

  check(payload: Uint8Array): void {
    checkPayloadSize(this, payload.length);
    if (payload.includes(LF)) throw hasDelimiter(this, "it has a line end in it");
    if (payload[payload.length - 1] === CR) throw hasDelimiter(this, "it ends with CR");
  }

  putHead(_size: number, _out: Uint8Array, at: number): number {
    return at;
  }

  find(bytes: Uint8Array, from: number, searched: number, bounds: FrameBounds): number {
    const lf = bytes.indexOf(LF, from + searched);
    const behind = lf < 0 ? bytes.length : lf;
    const end = behind > from && bytes[behind - 1] === CR ? behind - 1 : behind;
    // A CR that nothing follows yet may be the first half of the end.
    if (end - from > this.maxSize) throw endless(this);
    if (lf < 0) return 1;
    bounds.start = from;
    bounds.end = end;
    bounds.next = lf + 1;
    return 0;
  }

  atEnd(rest: Uint8Array): boolean {
    if (rest.length > this.maxSize) throw endless(this);
    return rest.length > 0;
  }
}

class Delimiter implements Framing {
  readonly name = "delimiter";
  readonly maxSize: number;
  readonly overhead: number;
  readonly tail: Uint8Array;
  /** With these at its end, a payload makes the delimiter begin within it: CRLF for CRLF CRLF. */
  readonly #joints: readonly Uint8Array[];

  constructor(end: Uint8Array, maxSize: number) {
    this.tail = end;
    this.overhead = end.length;
    this.maxSize = maxSize;
    this.#joints = Array.from(end.subarray(1), (_, i) => end.subarray(0, i + 1))
      .filter((start) => startsWith(end, end.subarray(start.length)));
  }

  check(payload: Uint8Array): void {
    checkPayloadSize(this, payload.length);
    if (indexOf(payload, this.tail, 0) >= 0) throw hasDelimiter(this, "it has the delimiter in it");
    if (this.#joints.some((joint) => endsWith(payload, joint))) {
      throw hasDelimiter(this, "with its last bytes the delimiter would begin");
    }
  }

  putHead(_size: number, _out: Uint8Array, at: number): number {
    return at;
  }

  find(bytes: Uint8Array, from: number, searched: number, bounds: FrameBounds): number {
    const { maxSize, tail } = this;
    // The last bytes searched may have been the first ones of the delimiter.
    const end = indexOf(bytes, tail, from + Math.max(0, searched - tail.length + 1));
    // Told alike, and as soon as it is clear, whether the delimiter has come or not.
    const size = end < 0 ? bytes.length - from - tail.length + 1 : end - from;
    if (size > maxSize) throw endless(this);
    if (end < 0) return 1;
    bounds.start = from;
    bounds.end = end;
    bounds.next = end + tail.length;
    return 0;
  }

  atEnd(rest: Uint8Array): boolean {
    if (rest.length === 0) return false;
    throw incomplete(this, `${counted(rest.length, "byte")} without the delimiter`);
  }
}

/** Returns the index of `what` in `bytes`, from index `from` on. -1 if it is not there. */
function indexOf(bytes: Uint8Array, what: Uint8Array, from: number): number {
  const last = bytes.length - what.length;
  for (let at = from; at <= last; at++) {
    at = bytes.indexOf(what[0], at);
    if (at < 0 || at > last) return -1;
    let same = 1;
    while (same < what.length && bytes[at + same] === what[same]) same++;
    if (same === what.length) return at;
  }
  return -1;
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return start.every((byte, i) => bytes[i] === byte);
}

function endsWith(bytes: Uint8Array, end: Uint8Array): boolean {
  return bytes.length >= end.length && startsWith(bytes.subarray(bytes.length - end.length), end);
}

function hasDelimiter({ name }: Framing, why: string): FrameError {
  return new FrameError("HAS_DELIMITER", `Cannot write a frame (${name}): ${why}`);
}
