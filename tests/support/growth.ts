// How the cost of a call grows, on a machine that may be busy with other things.

import assert from "node:assert/strict";

/** How many times both are measured, before their costs count as too far apart. */
const MAX_ROUNDS = 50;

/** What a call takes, in milliseconds. */
function cost(call: () => unknown): number {
  const start = performance.now();
  try {
    call();
  } catch {
    // It is refused.
  }
  return performance.now() - start;
}

/**
 * Fails unless the long costs less than so many times the short. Each counts as the least that it
 * took so far, since a busy machine makes a call slower, never faster; a cost that grows with the
 * square stays too high in every round.
 */
export function assertGrowth(
  times: number,
  what: string,
  short: () => unknown,
  long: () => unknown,
): void {
  let [few, many] = [Infinity, Infinity];
  for (let round = 0; round < MAX_ROUNDS; round++) {
    few = Math.min(few, Math.max(cost(short), 0.05));
    many = Math.min(many, cost(long));
    if (round >= 2 && many < times * few) return;
  }
  assert.fail(`${what}: ${many.toFixed(2)} ms, and ${few.toFixed(2)} ms`);
}
