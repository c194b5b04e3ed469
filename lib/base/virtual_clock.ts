/**
 * A clock that tests turn by hand.
 *
 * @module
 */

import { checkArgument, WAIT } from "./arguments.ts";
import { type Clock, nextTurn } from "./clock.ts";
import { TimerQueue } from "./timer_queue.ts";

/**
 * A clock that stands still until it is moved.
 *
 * @example
 * ```ts
 * import { VirtualClock } from "@plainsocket/plainsocket/testing";
 * import assert from "node:assert/strict";
 *
 * const clock = new VirtualClock();
 * let rang = false;
 * clock.setTimer(60_000, () => rang = true);
 * await clock.advance(60_000);
 * assert.ok(rang);
 * ```
 */
export class VirtualClock implements Clock {
  #now = 0;
  readonly #timers = new TimerQueue();

  /** See {@linkcode Clock.now}; starts at 0. */
  now(): number {
    return this.#now;
  }

  /** See {@linkcode Clock.setTimer}. */
  setTimer(ms: number, fn: () => void): () => void {
    return this.#timers.set(this.#now + ms, fn);
  }

  /**
   * Lets `ms` milliseconds pass. Each timer due rings at its time, and what waits on promises gets
   * to run before it, between two of them, and after the last.
   */
  async advance(ms: number): Promise<void> {
    checkArgument("clock.advance", ms, WAIT);
    const end = this.#now + ms;
    for (let rang = true; rang;) {
      await turn();
      rang = false;
      for (; this.#ring(end); rang = true) await nextTurn();
    }
    this.#now = end;
  }

  /** Rings the first of the timers that are due by `end`. Returns false if none is due. */
  #ring(end: number): boolean {
    const { next } = this.#timers;
    // A timer that is never to ring waits for ever.
    if (next > end || next === Infinity) return false;
    this.#now = Math.max(this.#now, next);
    this.#timers.take()!();
    return true;
  }
}

/** Resolves when all that is ready to run has run. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
