/**
 * Random numbers that are the same for the same seed, on every runtime.
 *
 * @module
 */

/** A stream of random numbers (mulberry32). Not for secrets. */
export class Random {
  #state: number;

  /** The same `seed` and `streams` give the same numbers; different streams differ. */
  constructor(seed: number, ...streams: readonly number[]) {
    this.#state = streams.reduce((state, stream) => mix(state ^ mix(stream)), mix(seed));
  }

  /** A number from 0 up to 1, which is not reached. */
  next(): number {
    this.#state = this.#state + 0x6d2b79f5 | 0;
    return mix(this.#state) / 2 ** 32;
  }

  /** An integer from 0 up to `end`, which is not reached. */
  integer(end: number): number {
    return Math.floor(this.next() * end);
  }
}

/** Spreads the bits of an integer of 32 bits. */
function mix(n: number): number {
  n = Math.imul(n ^ n >>> 15, n | 1);
  n ^= n + Math.imul(n ^ n >>> 7, n | 61);
  return (n ^ n >>> 14) >>> 0;
}
