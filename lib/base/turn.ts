/**
 * Turns of the event loop.
 *
 * @module
 */

import { setImmediate, setTimeout } from "node:timers";

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

/** How many calls of {@linkcode inNextTurn} and {@linkcode afterPause} are still to come. */
export function pendingTurns(): number {
  return pending;
}

/** Resolves in the next turn of the event loop: all that is ready to run has run by then. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
