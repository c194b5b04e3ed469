/**
 * Framing: where one message ends and the next begins, on connections that know only bytes. Here is
 * what works on bytes alone; `FrameReader` and `FrameWriter` do the same on a connection.
 *
 * @module
 */

export { FrameDecoder } from "./decoder.ts";
export { delimiter, lines } from "./delimiter.ts";
export { FRAME_ERRORS, FrameError } from "./error.ts";
export type { FrameErrorCode } from "./error.ts";
export { decodeFrames, encodeFrame } from "./encode.ts";
export type { DecodedFrames } from "./encode.ts";
export { fixedLength } from "./fixed_length.ts";
export type { FrameBounds, Framing, FramingOptions } from "./framing.ts";
export { lengthPrefix } from "./length_prefix.ts";
export type { LengthPrefixOptions, LengthType } from "./length_prefix.ts";
export { FrameReader } from "./reader.ts";
export { untilClose } from "./until_close.ts";
export { FrameWriter } from "./writer.ts";
