/**
 * Time as a parameter: the clock, and waiting by it; and turns of the event loop.
 *
 * @module
 */

import { setImmediate, setTimeout } from "node:timers";

/** A source of time that can wait. */
export interface Clock {
  /** Milliseconds since some moment in the past; never goes back. */
  now(): number;
  /** Calls `fn` once, `ms` milliseconds from now, which may be Infinity. Returns a function that cancels it. */
  setTimer(ms: number, fn: () => void): () => void;
}

/** The longest that a timer of the runtimes waits; what is longer they take for 1 ms. */
export const LONGEST_TIMER_MS: number = 2 ** 31 - 1;

/** The clock of the runtime. Its timers ring after 24 days at the latest. */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimer(ms, fn) {
    const timer = setTimeout(fn, Math.min(ms, LONGEST_TIMER_MS));
    return () => clearTimeout(timer);
  },
};

/** A timer that rings later than that says that the program was held up. */
const MOST_LATE_MS = 250;

/**
 * Calls `sweep` once, `ms` milliseconds from now, to judge for how long peers have been silent. If the
 * program was held up, it reads what has come meanwhile first: that is not the silence of its peers.
 * Then `isLate` is true, and `onLate` was called before that reading. Returns a function that cancels it.
 */
export function setSweep(
  clock: Clock,
  ms: number,
  sweep: (isLate: boolean) => void,
  onLate: () => void = () => {},
): () => void {
  const due = clock.now() + ms;
  let cancel = clock.setTimer(ms, () => {
    if (clock.now() - due <= MOST_LATE_MS) return sweep(false);
    onLate();
    // The event loop looks at the network before it rings this one.
    cancel = clock.setTimer(0, () => sweep(true));
  });
  return () => cancel();
}

/** Resolves after `ms` milliseconds, or as soon as `signal` is aborted. */
export function sleep(ms: number, clock: Clock, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      cancel();
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const cancel = clock.setTimer(ms, end);
    if (signal?.aborted) end();
    else signal?.addEventListener("abort", end);
  });
}

let pending = 0;

/** Calls `fn` in the next turn of the event loop, when what waited for I/O has had its turn. */
export function inNextTurn(fn: () => void): void {
  pending++;
  setImmediate(() => {
    pending--;
    fn();
  });
}

/** Calls `fn` after a millisecond: a loop of turns alone would keep Deno from looking at the network. */
export function afterPause(fn: () => void): void {
  pending++;
  setTimeout(() => {
    pending--;
    fn();
  }, 1);
}

/** Returns the number of pending calls of {@linkcode inNextTurn} and {@linkcode afterPause}. */
export function pendingTurns(): number {
  return pending;
}

/** Resolves in the next turn of the event loop: all that is ready to run has run by then. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
