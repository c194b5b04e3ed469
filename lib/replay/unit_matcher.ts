/**
 * Comparing a stream with a recorded one unit by unit: units may differ in the parts that are ignored.
 *
 * @module
 */

import { type Matcher, mismatch } from "./match.ts";
import { ReplayError, type Script } from "./script.ts";
import { type FindUnit, type Found, UnitSplitter } from "./unit_splitter.ts";

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
  readonly #splitter: UnitSplitter;
  readonly #keyOf: (part: Uint8Array) => string;
  readonly #units: Unit[] = [];
  #next = 0;

  /**
   * `newFind` makes what finds the units of a stream; `keyOf` returns what counts of a part. Throws a
   * {@linkcode ReplayError} if what was recorded has no such units.
   */
  constructor(script: Script, newFind: () => FindUnit, keyOf: (part: Uint8Array) => string) {
    this.#script = script;
    this.#splitter = new UnitSplitter(newFind());
    this.#keyOf = keyOf;
    const recorded = new UnitSplitter(newFind());
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

  /** The complete units. Bytes that are no unit are a difference. */
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
