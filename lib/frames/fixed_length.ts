/**
 * Frames that all have the same size.
 *
 * @module
 */

import { checkArgument, integer } from "../base/arguments.ts";
import { counted } from "../base/counted.ts";
import { FrameError } from "./error.ts";
import { type FrameBounds, type Framing, incomplete, MOST_SIZE, NO_TAIL } from "./framing.ts";

/**
 * Frames of `size` bytes each, with nothing around them: records.
 *
 * The stream must end between two frames; within one it is the `FrameError` INCOMPLETE. A payload of
 * another size cannot be written: WRONG_SIZE. Throws a `TypeError` unless `size` is an integer from 1.
 *
 * @example
 * ```ts
 * import { decodeFrames, fixedLength } from "@plainsocket/plainsocket/frames";
 * import assert from "node:assert/strict";
 *
 * const { frames, rest } = decodeFrames(fixedLength(2), new Uint8Array([1, 2, 3, 4, 5]));
 * assert.deepEqual(frames, [new Uint8Array([1, 2]), new Uint8Array([3, 4])]);
 * assert.deepEqual(rest, new Uint8Array([5]));
 * ```
 */
export function fixedLength(size: number): Framing {
  checkArgument("fixedLength", size, integer(1, MOST_SIZE));
  return new FixedLength(size);
}

class FixedLength implements Framing {
  readonly name: string;
  readonly maxSize: number;
  readonly overhead = 0;
  readonly tail = NO_TAIL;

  constructor(size: number) {
    this.name = `fixed ${size}`;
    this.maxSize = size;
  }

  check({ length }: Uint8Array): void {
    const { name, maxSize } = this;
    if (length === maxSize) return;
    const size = counted(length, "byte");
    const failure = `Cannot write a frame (${name}): it has ${size}, and not ${maxSize}`;
    throw new FrameError("WRONG_SIZE", failure);
  }

  putHead(_size: number, _out: Uint8Array, at: number): number {
    return at;
  }

  find(bytes: Uint8Array, from: number, _searched: number, bounds: FrameBounds): number {
    const next = from + this.maxSize;
    if (next > bytes.length) return next - bytes.length;
    bounds.start = from;
    bounds.end = bounds.next = next;
    return 0;
  }

  atEnd(rest: Uint8Array): boolean {
    if (rest.length === 0) return false;
    throw incomplete(this, `${rest.length} of its ${counted(this.maxSize, "byte")}`);
  }
}
