/**
 * Bytes in, in whatever pieces they come; frames out. No I/O.
 *
 * @module
 */

import { BYTES, checkArgument } from "../base/arguments.ts";
import { type FrameBounds, FRAMING, type Framing } from "./framing.ts";

/** Nothing, to begin with. */
const EMPTY = new Uint8Array(0);

/** The fewest bytes that are allocated at a time for a frame whose length is not known. */
const STEP = 1024;

/**
 * Decodes a stream. Give it a chunk with {@linkcode push}, take frames with {@linkcode next} until
 * there is none, and so on; tell it the end with {@linkcode end}, and take what is left.
 *
 * A frame that lies whole in its chunk is not copied: it is a part of the chunk. One that comes in
 * pieces is put together in a buffer that grows with what has come, up to the framing's `maxSize`.
 * So a frame is the caller's for as long as the chunk is: who reuses the chunk keeps `slice()`s.
 *
 * @example
 * ```ts
 * import { FrameDecoder, lines } from "@plainsocket/plainsocket/frames";
 * import assert from "node:assert/strict";
 *
 * const decoder = new FrameDecoder(lines());
 * const found: string[] = [];
 * for (const chunk of ["one\ntw", "o\nthree\n"]) {
 *   decoder.push(new TextEncoder().encode(chunk));
 *   for (let frame; (frame = decoder.next()) !== null;) found.push(new TextDecoder().decode(frame));
 * }
 * decoder.end();
 * assert.equal(decoder.next(), null);
 * assert.deepEqual(found, ["one", "two", "three"]);
 * ```
 */
export class FrameDecoder {
  readonly #framing: Framing;
  readonly #bounds: FrameBounds = { start: 0, end: 0, next: 0 };
  /** The chunk that was pushed. All before index #at is taken, or held. */
  #chunk: Uint8Array = EMPTY;
  #at = 0;
  /** The beginning of a frame that lies in several chunks: #heldSize bytes of it. */
  #held: Uint8Array = EMPTY;
  #heldSize = 0;
  /** The number of its bytes that were found not to be whole, and the number that is still missing. */
  #searched = 0;
  #missing = 0;
  #ended = false;
  #lastTaken = false;

  /** Frames end where `framing` says. */
  constructor(framing: Framing) {
    checkArgument("new FrameDecoder", framing, FRAMING);
    this.#framing = framing;
  }

  /** Whether {@linkcode end} was called. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * The bytes that came and were not taken as a frame, in a copy: the beginning of the next frame,
   * or that which {@linkcode next} throws for and all after it.
   */
  get rest(): Uint8Array {
    const held = this.#held.subarray(0, this.#heldSize);
    const chunk = this.#chunk.subarray(this.#at);
    const rest = new Uint8Array(held.length + chunk.length);
    rest.set(held);
    rest.set(chunk, held.length);
    return rest;
  }

  /**
   * Gives it the next bytes of the stream, which must not change until {@linkcode next} has returned
   * `null`. Throws a `TypeError` if that is not yet the case for those before, or after
   * {@linkcode end}.
   */
  push(chunk: Uint8Array): void {
    checkArgument("decoder.push", chunk, BYTES);
    if (this.#ended) throw new TypeError("A decoder takes nothing after the end of the stream");
    if (this.#at < this.#chunk.length) {
      throw new TypeError("A decoder takes bytes when all frames of those before are taken");
    }
    this.#chunk = chunk;
    this.#at = 0;
  }

  /** Ends the stream. A second call does nothing. */
  end(): void {
    this.#ended = true;
  }

  /**
   * Takes the next frame. Returns its payload, which is valid until the chunk changes. Returns `null` if
   * more bytes are needed, and at the end of the stream.
   *
   * Throws a {@linkcode FrameError} if the next bytes are not a frame. Each later call throws it again.
   */
  next(): Uint8Array | null {
    if (this.#heldSize > 0) return this.#join();
    const chunk = this.#chunk;
    const at = this.#at;
    if (at === chunk.length) return this.#ended ? this.#last() : null;
    const bounds = this.#bounds;
    this.#missing = this.#framing.find(chunk, at, 0, bounds);
    if (this.#missing > 0) {
      this.#searched = chunk.length - at;
      this.#hold(chunk.length - at);
      return this.#ended ? this.#last() : null;
    }
    this.#at = bounds.next;
    return payload(chunk, bounds);
  }

  /** Goes on with a frame in pieces. */
  #join(): Uint8Array | null {
    for (;;) {
      const held = this.#held.subarray(0, this.#heldSize);
      if (held.length > this.#searched) {
        this.#missing = this.#framing.find(held, 0, this.#searched, this.#bounds);
        if (this.#missing === 0) return this.#joined(held);
        this.#searched = held.length;
      }
      const left = this.#chunk.length - this.#at;
      if (left === 0) return this.#ended ? this.#last() : null;
      this.#hold(Math.min(left, Math.max(this.#missing, STEP)));
    }
  }

  /** Takes the frame that is whole now, and gives back to the chunk what lies after it. */
  #joined(held: Uint8Array): Uint8Array {
    this.#at -= held.length - this.#bounds.next;
    this.#reset();
    return payload(held, this.#bounds);
  }

  /** Copies the next `n` bytes of the chunk after those held. */
  #hold(n: number): void {
    const { maxSize, overhead } = this.#framing;
    const size = this.#heldSize + n;
    if (size > this.#held.length) {
      // No frame needs more, so it is enough also for a frame that is not right.
      const most = Math.max(size, Math.min(2 * size + STEP, maxSize + overhead + STEP));
      const grown = new Uint8Array(most);
      grown.set(this.#held.subarray(0, this.#heldSize));
      this.#held = grown;
    }
    this.#held.set(this.#chunk.subarray(this.#at, this.#at + n), this.#heldSize);
    this.#heldSize = size;
    this.#at += n;
  }

  /** Returns the last frame of the stream. */
  #last(): Uint8Array | null {
    if (this.#lastTaken) return null;
    const rest = this.#held.subarray(0, this.#heldSize);
    const counts = this.#framing.atEnd(rest);
    this.#lastTaken = true;
    this.#reset();
    return counts ? rest : null;
  }

  /** Holds nothing any more. The buffer is that of the frame, which others of its chunk may follow. */
  #reset(): void {
    this.#held = EMPTY;
    this.#heldSize = 0;
    this.#searched = 0;
  }
}

/** The part of `bytes` that is a payload. A constructor costs half of what subarray() does. */
function payload(bytes: Uint8Array, { start, end }: FrameBounds): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start);
}
