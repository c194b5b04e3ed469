/**
 * Errors of frames.
 *
 * @module
 */

/** A stable name for what is wrong: a key of {@linkcode FRAME_ERRORS}. */
export type FrameErrorCode =
  | "BAD_LENGTH"
  | "HAS_DELIMITER"
  | "INCOMPLETE"
  | "TOO_LARGE"
  | "WRONG_SIZE";

/** Every code a {@linkcode FrameError} can carry, with what to do about it. */
export const FRAME_ERRORS: Readonly<Record<FrameErrorCode, string>> = {
  BAD_LENGTH: "Check that both sides use the same framing.",
  HAS_DELIMITER: "Payloads that may hold any bytes need a length prefix.",
  INCOMPLETE: "The peer closed too early, or uses another framing; its log may say why.",
  TOO_LARGE:
    "Check that both sides use the same framing; if such frames are meant, raise its `maxSize`, or " +
    "use a length prefix that can say more.",
  WRONG_SIZE: "Fill the payload up to that size, or use a length prefix.",
};

/**
 * A frame that cannot be read or written. Decide by `code`; the message is for people and says what
 * was tried, why it failed and what to do next.
 *
 * - TOO_LARGE: the frame is larger than the framing's `maxSize`.
 * - INCOMPLETE: the stream ended in the middle of a frame.
 * - BAD_LENGTH: the length of a frame is a varint of more than 5 bytes.
 * - HAS_DELIMITER: the payload to write has the delimiter in it, so that it would end early.
 * - WRONG_SIZE: the payload to write does not have the size that all frames have.
 *
 * @example
 * ```ts
 * import { encodeFrame, FrameError, lengthPrefix } from "@plainsocket/plainsocket/frames";
 * import assert from "node:assert/strict";
 *
 * assert.throws(
 *   () => encodeFrame(lengthPrefix("u8"), new Uint8Array(256)),
 *   (error) => error instanceof FrameError && error.code === "TOO_LARGE",
 * );
 * ```
 */
export class FrameError extends Error {
  /** Always `"FrameError"`. */
  override readonly name = "FrameError";
  /** The code of the error. */
  readonly code: FrameErrorCode;

  /** Makes an error; `failure` says what was tried and why it failed, without a period. */
  constructor(code: FrameErrorCode, failure: string) {
    super(`${failure} (${code}). ${FRAME_ERRORS[code]}`);
    this.code = code;
  }
}
