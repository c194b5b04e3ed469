/**
 * A stream in units: lines, frames or parts of HTTP messages.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Framing } from "../frames/framing.ts";

/** A unit at the beginning of bytes. */
export interface Found {
  /** The parts to compare. */
  readonly parts: readonly Uint8Array[];
  /** The number of bytes that it takes, with what ends it. */
  readonly length: number;
  /** Whether what comes next does not depend on it. Default: no. */
  readonly settles?: boolean;
}

/**
 * Finds the unit at the beginning of bytes; undefined if it is not complete. The next call then gets
 * the same bytes again, and more after them.
 */
export type FindUnit = (bytes: Buffer) => Found | undefined;

/** Lines with their ends. */
export const findLine: FindUnit = (bytes) => {
  const length = bytes.indexOf(10) + 1;
  return length === 0 ? undefined : { parts: [bytes.subarray(0, length)], length };
};

/** The payloads of frames. */
export function findFrame(framing: Framing): FindUnit {
  const bounds = { start: 0, end: 0, next: 0 };
  return (bytes) => {
    if (bytes.length === 0 || framing.find(bytes, 0, 0, bounds) > 0) return undefined;
    return { parts: [bytes.subarray(bounds.start, bounds.end)], length: bounds.next };
  };
}

/** Splits a stream into units. */
export class UnitSplitter {
  readonly #find: FindUnit;
  /** The bytes that are left, with room after them. */
  #room: Buffer = Buffer.alloc(0);
  #length = 0;

  constructor(find: FindUnit) {
    this.#find = find;
  }

  /** The number of bytes that wait for the end of their unit. */
  get waiting(): number {
    return this.#length;
  }

  /** Takes bytes in, and returns the units that are complete. */
  push(bytes: Uint8Array): Found[] {
    const found: Found[] = [];
    let rest = this.#append(bytes);
    for (let next; (next = this.#find(rest)) !== undefined;) {
      found.push(next);
      rest = rest.subarray(next.length);
    }
    // The units stay in the old buffer, so what is left is copied to a new one.
    if (found.length > 0) this.#room = Buffer.from(rest);
    this.#length = rest.length;
    return found;
  }

  /** The end of the stream: returns what is left. */
  end(): Found[] {
    const length = this.#length;
    return length === 0 ? [] : [{ parts: [this.#room.subarray(0, length)], length }];
  }

  /** The room doubles: each byte of a long unit is copied a few times only. */
  #append(bytes: Uint8Array): Buffer {
    const length = this.#length + bytes.length;
    if (length > this.#room.length) {
      const larger = Buffer.alloc(Math.max(length, 2 * this.#length));
      larger.set(this.#room.subarray(0, this.#length));
      this.#room = larger;
    }
    this.#room.set(bytes, this.#length);
    return this.#room.subarray(0, length);
  }
}
