/**
 * Work that takes long, done bit by bit, so that nobody else waits long for the event loop.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import { LOOKS_SELDOM } from "./file_system.deno.ts";

/** The time that the loop is held at once, in milliseconds; one bit of work may exceed it. */
const TURN_MS = 2;

const waiting: (() => void)[] = [];

/** When the turn is over that the loop was last given for work. */
let turnEnd = 0;

/**
 * Does a bit of work, of a millisecond or two, when it is its turn: at once if nobody waits and the
 * present turn is not over. However much is waiting, whatever has come from the network meanwhile is
 * served in between. Rejects with what `work` throws.
 */
export function inTurn<T>(work: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    const run = () => {
      try {
        resolve(work());
      } catch (error) {
        reject(error);
      }
    };
    if (waiting.length === 0) {
      if (performance.now() < turnEnd) return run();
      soon(takeTurn);
    }
    waiting.push(run);
  });
}

function takeTurn(): void {
  turnEnd = performance.now() + TURN_MS;
  let done = 0;
  while (done < waiting.length && (done === 0 || performance.now() < turnEnd)) waiting[done++]();
  waiting.splice(0, done);
  if (waiting.length > 0) soon(takeTurn);
}

/** A timer that rings within this time, in milliseconds, rang when the loop had nothing else to do. */
const IDLE_MS = 2;

/** The most times that a timer is set, so that the work goes on however busy the loop is. */
const MOST_TIMERS = 3;

/** Calls `fn` after the events of the network; on Deno by a timer, see {@linkcode LOOKS_SELDOM}. */
function soon(fn: () => void): void {
  if (LOOKS_SELDOM) whenIdle(fn, MOST_TIMERS);
  else setImmediate(fn);
}

/**
 * Waits for a timer that rings in time. One that rings late was due before the loop had done what
 * there was to do, and then the loop has not looked at the network.
 */
function whenIdle(fn: () => void, timers: number): void {
  const start = performance.now();
  setTimeout(() => {
    if (timers > 1 && performance.now() - start > IDLE_MS) whenIdle(fn, timers - 1);
    else fn();
  }, 0);
}

/** The number of items that are sorted, or merged, in one bit of work. */
const SOME = 512;

/** Sorts items as `toSorted()` does, in turns. */
export async function sortInTurns<T>(
  items: readonly T[],
  compare: (a: T, b: T) => number,
): Promise<readonly T[]> {
  let runs: T[][] = [];
  for (let i = 0; i < items.length; i += SOME) {
    runs.push(await inTurn(() => items.slice(i, i + SOME).sort(compare)));
  }
  while (runs.length > 1) {
    const merged: T[][] = [];
    for (let i = 0; i < runs.length; i += 2) {
      merged.push(i + 1 < runs.length ? await merge(runs[i], runs[i + 1], compare) : runs[i]);
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

async function merge<T>(a: T[], b: T[], compare: (a: T, b: T) => number): Promise<T[]> {
  const merged: T[] = [];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    await inTurn(() => {
      for (let n = 0; n < SOME && i < a.length && j < b.length; n++) {
        merged.push(compare(b[j], a[i]) < 0 ? b[j++] : a[i++]);
      }
    });
  }
  return merged.concat(a.slice(i), b.slice(j));
}

/** The time for which long work need not pause, in milliseconds. */
const PAUSE_MS = 4;

let pausedAt = 0;
let pause: Promise<void> | undefined;

/**
 * Pauses those who go on and on, all of them at once, when they have not for a while: only then does
 * Deno look at the network. Elsewhere nobody pauses.
 */
export function pauseAtTimes(): Promise<void> | undefined {
  if (!LOOKS_SELDOM || performance.now() - pausedAt < PAUSE_MS) return pause;
  return pause ??= new Promise((resolve) => {
    soon(() => {
      pausedAt = performance.now();
      pause = undefined;
      resolve();
    });
  });
}
