/**
 * How the load generator (bench/echo/load.c, and those with the same command line) is told to
 * measure.
 *
 * @module
 */

import type { Child } from "./children.ts";

/** Before the first round, each server gets this long with its load, for its compiler to settle. */
export const FIRST_WARMUP_MS = 1000;

/** Each slice begins with this long unmeasured, in which the echoes are compared byte by byte. */
export const WARMUP_MS = 50;

/** On top of what the generator is told to take: connecting, and its own patience. */
const SPARE_MS = 30_000;

/** What the load generator prints: totals of one slice. */
export interface Totals {
  readonly messages: number;
  readonly seconds: number;
  /** Seconds of CPU time that the server used. */
  readonly serverCpu: number;
  /** Seconds of CPU time that the generator used, without what it spun away. */
  readonly loadCpu: number;
}

/** Has the generator take a slice of so many milliseconds. */
export async function takeSlice(load: Child, warmup: number, ms: number): Promise<Totals> {
  load.say(`${warmup} ${ms}`);
  return JSON.parse(await load.line(warmup + ms + SPARE_MS));
}
