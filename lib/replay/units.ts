/**
 * Matching in units: lines or frames, of which some parts may differ from what was recorded.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Framing } from "../frames/framing.ts";
import { type Matcher, mismatch } from "./match.ts";
import type { Script } from "./script.ts";

/** Something at the beginning of bytes. */
export interface Found {
  readonly unit: Uint8Array;
  /** How many bytes it takes, with what ends it. */
  readonly length: number;
}

/** Finds the unit at the beginning of bytes; undefined if it is not complete. */
export type FindUnit = (bytes: Uint8Array) => Found | undefined;

/** Lines with their ends. */
export const findLine: FindUnit = (bytes) => {
  const length = bytes.indexOf(10) + 1;
  return length === 0 ? undefined : { unit: bytes.subarray(0, length), length };
};

/** The payloads of frames. */
export function findFrame(framing: Framing): FindUnit {
  const bounds = { start: 0, end: 0, next: 0 };
  return (bytes) => {
    if (bytes.length === 0 || framing.find(bytes, 0, 0, bounds) > 0) return undefined;
    return { unit: bytes.subarray(bounds.start, bounds.end), length: bounds.next };
  };
}

/** Takes a stream apart. */
class Splitter {
  readonly #find: FindUnit;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(find: FindUnit) {
    this.#find = find;
  }

  /** Takes bytes in, and returns the units that are complete. */
  push(bytes: Uint8Array): Found[] {
    const found: Found[] = [];
    let rest = Buffer.concat([this.#rest, bytes]);
    for (let next; (next = this.#find(rest)) !== undefined;) {
      found.push(next);
      rest = rest.subarray(next.length);
    }
    this.#rest = rest;
    return found;
  }

  /** The end of the stream: returns what is left. */
  end(): Found[] {
    const { length } = this.#rest;
    return length === 0 ? [] : [{ unit: this.#rest, length }];
  }
}

/** A unit of what was recorded. */
interface Unit {
  /** What counts of it. */
  readonly key: string;
  /** Where the bytes after it begin in the recorded stream. */
  readonly end: number;
}

/** Compares unit by unit. */
export class UnitMatcher implements Matcher {
  position = 0;
  readonly #script: Script;
  readonly #splitter: Splitter;
  readonly #keyOf: (unit: Uint8Array) => string;
  readonly #units: Unit[] = [];
  #next = 0;

  /** `keyOf` returns what counts of a unit. */
  constructor(script: Script, find: FindUnit, keyOf: (unit: Uint8Array) => string) {
    this.#script = script;
    this.#splitter = new Splitter(find);
    this.#keyOf = keyOf;
    const recorded = new Splitter(find);
    let end = 0;
    for (const { unit, length } of [...recorded.push(script.expected), ...recorded.end()]) {
      end += length;
      this.#units.push({ key: keyOf(unit), end });
    }
  }

  feed(bytes: Uint8Array): void {
    for (const { unit } of this.#splitter.push(bytes)) this.#compare(unit);
  }

  end(): void {
    for (const { unit } of this.#splitter.end()) this.#compare(unit);
    if (this.#next < this.#units.length) {
      throw mismatch(this.#script, this.position, new Uint8Array(0));
    }
    this.position = this.#script.expected.length;
  }

  #compare(unit: Uint8Array): void {
    const wanted = this.#units[this.#next];
    if (wanted === undefined || wanted.key !== this.#keyOf(unit)) {
      throw mismatch(this.#script, this.position, unit);
    }
    this.#next++;
    this.position = wanted.end;
  }
}
