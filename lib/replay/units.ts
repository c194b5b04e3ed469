/**
 * Matching in units: lines, frames or parts of HTTP, which may differ somewhat from what was recorded.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Framing } from "../frames/framing.ts";
import { type Matcher, mismatch } from "./match.ts";
import { ReplayError, type Script } from "./script.ts";

/** Something at the beginning of bytes. */
export interface Found {
  /** The parts to compare. */
  readonly parts: readonly Uint8Array[];
  /** The number of bytes that it takes, with what ends it. */
  readonly length: number;
  /** Whether what comes next does not depend on it. Default: no. */
  readonly settles?: boolean;
}

/**
 * Finds the unit at the beginning of bytes; undefined if it is not complete. The next call then has the
 * same bytes again, with more behind them.
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

/** Takes a stream apart. */
class Splitter {
  readonly #find: FindUnit;
  /** The bytes that are left, with room behind them. */
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
    // The units stay in the old buffer: what is left is copied to a new one.
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

/** A unit of what was recorded. */
interface Unit {
  readonly parts: readonly Uint8Array[];
  /** The position of the bytes after it in the recorded stream. */
  readonly end: number;
}

const NOTHING = new Uint8Array(0);

/**
 * The number of bytes that a unit may be longer than all that was recorded, if parts may differ.
 */
const MORE_THAN_RECORDED = 1024 * 1024;

/** Compares unit by unit. */
export class UnitMatcher implements Matcher {
  position = 0;
  settled = 0;
  /** The number of bytes that the units so far had as they came. */
  #taken = 0;
  readonly #script: Script;
  readonly #splitter: Splitter;
  readonly #keyOf: (part: Uint8Array) => string;
  readonly #units: Unit[] = [];
  #next = 0;

  /**
   * `newFind` makes what finds the units of a stream; `keyOf` returns what counts of a part. Throws a
   * {@linkcode ReplayError} if what was recorded has no such units.
   */
  constructor(script: Script, newFind: () => FindUnit, keyOf: (part: Uint8Array) => string) {
    this.#script = script;
    this.#splitter = new Splitter(newFind());
    this.#keyOf = keyOf;
    const recorded = new Splitter(newFind());
    let end = 0;
    try {
      for (const { parts, length } of [...recorded.push(script.expected), ...recorded.end()]) {
        end += length;
        this.#units.push({ parts, end });
      }
    } catch (error) {
      throw notSuch(script, error);
    }
  }

  feed(bytes: Uint8Array): void {
    for (const found of this.#split(bytes)) this.#compare(found);
    if (this.#splitter.waiting > this.#script.expected.length + MORE_THAN_RECORDED) {
      throw mismatch(this.#script, this.position, bytes);
    }
  }

  end(): void {
    for (const found of this.#splitter.end()) this.#compare(found);
    if (this.#next < this.#units.length) throw mismatch(this.#script, this.position, NOTHING);
    this.position = this.#script.expected.length;
  }

  /** The units that are complete. What has no units is a difference. */
  #split(bytes: Uint8Array): Found[] {
    try {
      return this.#splitter.push(bytes);
    } catch {
      throw mismatch(this.#script, this.position, bytes);
    }
  }

  #compare({ parts, length, settles }: Found): void {
    const wanted = this.#units[this.#next];
    if (wanted === undefined) throw mismatch(this.#script, this.position, parts[0]);
    for (let i = 0; i < Math.max(parts.length, wanted.parts.length); i++) {
      const [part, other] = [parts[i] ?? NOTHING, wanted.parts[i] ?? NOTHING];
      if (this.#keyOf(part) === this.#keyOf(other)) continue;
      throw mismatch(this.#script, this.position, part, other);
    }
    this.#next++;
    this.position = wanted.end;
    this.#taken += length;
    if (settles) this.settled = this.#taken;
  }
}

function notSuch({ connection }: Script, error: unknown): ReplayError {
  return new ReplayError(
    `Cannot replay connection ${connection} by its messages: ${(error as Error).message}. ` +
      'Compare it with match: "stream".',
    { cause: error },
  );
}
