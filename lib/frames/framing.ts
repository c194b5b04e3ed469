/**
 * Framings. A framing is a rule for where in a stream of bytes one message ends and the next
 * begins.
 *
 * @module
 */

import { checkOptions, having, integer, type Kind, type Kinds } from "../base/arguments.ts";
import { counted } from "../base/counted.ts";
import { FrameError } from "./error.ts";

/** The most bytes of a payload by default: 1 MiB. */
const MAX_SIZE = 1024 * 1024;

/** The most bytes that a payload can have at all. */
export const MOST_SIZE = 0xffff_ffff;

/** The limit that most framings take. */
export interface FramingOptions {
  /**
   * The most bytes that a payload may have, from 1: what is around it does not count. More is the
   * {@linkcode FrameError} TOO_LARGE, in both directions. Default: 1 MiB, or as much as the length
   * can say if that is less.
   */
  readonly maxSize?: number;
}

/** The bounds of a frame, as indices. */
export interface FrameBounds {
  /** The first byte of the payload. */
  start: number;
  /** The position after the last byte of the payload. */
  end: number;
  /** The position after the last byte of the frame, where the next one begins. */
  next: number;
}

/**
 * A rule for where frames end. It holds no state and does no I/O, so that one serves any number of
 * connections. Programs that send and receive need none of its members: see `FrameReader`,
 * `FrameWriter`, `FrameDecoder` and `encodeFrame`.
 */
export interface Framing {
  /** The name of the framing, for messages: `"lines"`, `"u32"`. */
  readonly name: string;
  /** The most bytes of a payload. */
  readonly maxSize: number;
  /** The most bytes that a frame has besides its payload. */
  readonly overhead: number;
  /** The end of a frame, after its payload. */
  readonly tail: Uint8Array;

  /** Throws the {@linkcode FrameError} of a payload that cannot be sent. */
  check(payload: Uint8Array): void;

  /**
   * Puts what comes before a payload of `size` bytes into `out` at index `at`, where there is room
   * for it. Returns the index after it.
   */
  putHead(size: number, out: Uint8Array, at: number): number;

  /**
   * Looks for the frame that begins at index `from` of `bytes`. Returns 0 if it is whole and puts
   * into `bounds` where it lies; otherwise how many bytes are missing at least. `searched` is for how
   * many of its bytes that was the answer already.
   *
   * Throws a {@linkcode FrameError} if what begins there is no frame, however it goes on.
   */
  find(bytes: Uint8Array, from: number, searched: number, bounds: FrameBounds): number;

  /**
   * Judges what a stream ends with: `rest` is not a whole frame, and often empty. True if it counts as
   * the payload of a last one. Throws the {@linkcode FrameError} INCOMPLETE if it was cut off.
   */
  atEnd(rest: Uint8Array): boolean;
}

/** The framing that a reader, a writer and a decoder take. */
export const FRAMING: Kind = having("a framing, such as lines()", "find", "check", "putHead");

/** Nothing: the tail of a frame that has none. */
export const NO_TAIL: Uint8Array = new Uint8Array(0);

/** Puts a frame, whose payload is checked, into `out` at index `at`. Returns the index after it. */
export function putFrame(
  framing: Framing,
  payload: Uint8Array,
  out: Uint8Array,
  at: number,
): number {
  const start = framing.putHead(payload.length, out, at);
  out.set(payload, start);
  const end = start + payload.length;
  out.set(framing.tail, end);
  return end + framing.tail.length;
}

/**
 * The limit that `options` of the function `where` ask for; `most` is what the framing itself can do,
 * and `others` are the options that it has besides.
 */
export function maxSizeOf(
  where: string,
  options: FramingOptions,
  most: number = MOST_SIZE,
  others: Kinds<Record<string, unknown>> = {},
): number {
  checkOptions(where, options, { ...others, maxSize: integer(1, most) }, "{ maxSize: 1000 }");
  return options.maxSize ?? Math.min(MAX_SIZE, most);
}

/** Throws TOO_LARGE for a payload of more than `maxSize` bytes. */
export function checkPayloadSize({ name, maxSize }: Framing, size: number): void {
  if (size <= maxSize) return;
  const has = counted(size, "byte");
  const failure = `Cannot write a frame (${name}): it has ${has}, over the limit of ${maxSize}`;
  throw new FrameError("TOO_LARGE", failure);
}

/** The error of a frame whose length is known and over the limit. */
export function tooLarge({ name, maxSize }: Framing, size: number): FrameError {
  const has = counted(size, "byte");
  const failure = `Cannot read a frame (${name}): it has ${has}, over the limit of ${maxSize}`;
  return new FrameError("TOO_LARGE", failure);
}

/** The error of a frame that goes on after the limit, nobody knows how far. */
export function endless({ name, maxSize }: Framing): FrameError {
  const limit = counted(maxSize, "byte");
  const failure = `Cannot read a frame (${name}): it has more than the limit of ${limit}`;
  return new FrameError("TOO_LARGE", failure);
}

/** The error of a frame that the stream's end has cut off; `came` says how much of it came. */
export function incomplete({ name }: Framing, came: string): FrameError {
  const failure = `Cannot read a frame (${name}): the stream ended within it, after ${came}`;
  return new FrameError("INCOMPLETE", failure);
}
