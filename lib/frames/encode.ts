/**
 * Frames of bytes that are there already: one made, or all that are in them found.
 *
 * @module
 */

import { BYTES, checkArgument } from "../base/arguments.ts";
import { FRAMING, type Framing, putFrame } from "./framing.ts";

/**
 * Makes the frame of a payload. Throws a {@linkcode FrameError} if the payload cannot be sent so.
 *
 * @example
 * ```ts
 * import { encodeFrame, lengthPrefix } from "@plainsocket/plainsocket/frames";
 * import assert from "node:assert/strict";
 *
 * const framing = lengthPrefix("u16", { endian: "little" });
 * assert.deepEqual(encodeFrame(framing, new Uint8Array([9])), new Uint8Array([1, 0, 9]));
 * ```
 */
export function encodeFrame(framing: Framing, payload: Uint8Array): Uint8Array {
  checkArgument("encodeFrame", framing, FRAMING);
  checkArgument("encodeFrame", payload, BYTES);
  framing.check(payload);
  const frame = new Uint8Array(payload.length + framing.overhead);
  return frame.subarray(0, putFrame(framing, payload, frame, 0));
}

/** The result of {@linkcode decodeFrames}. */
export interface DecodedFrames {
  /** The payloads of the frames, in order. */
  readonly frames: Uint8Array[];
  /** The bytes after them. */
  readonly rest: Uint8Array;
}

/**
 * Finds the frames at the beginning of `bytes`, which need not be all of a stream. The results
 * are parts of `bytes`, not copies.
 *
 * Throws a {@linkcode FrameError} if the first one is not a frame, however it goes on. One after that
 * is where `rest` begins, so that the frames before it are not lost.
 *
 * @example
 * ```ts
 * import { decodeFrames, lengthPrefix } from "@plainsocket/plainsocket/frames";
 * import assert from "node:assert/strict";
 *
 * const { frames, rest } = decodeFrames(lengthPrefix("u8"), new Uint8Array([1, 65, 0, 3, 66]));
 * assert.deepEqual(frames, [new Uint8Array([65]), new Uint8Array([])]);
 * assert.deepEqual(rest, new Uint8Array([3, 66]));
 * ```
 */
export function decodeFrames(framing: Framing, bytes: Uint8Array): DecodedFrames {
  checkArgument("decodeFrames", framing, FRAMING);
  checkArgument("decodeFrames", bytes, BYTES);
  const frames: Uint8Array[] = [];
  const bounds = { start: 0, end: 0, next: 0 };
  let at = 0;
  try {
    while (at < bytes.length && framing.find(bytes, at, 0, bounds) === 0) {
      frames.push(bytes.subarray(bounds.start, bounds.end));
      at = bounds.next;
    }
  } catch (error) {
    if (frames.length === 0) throw error;
  }
  return { frames, rest: bytes.subarray(at) };
}
