// How many of its cases a test runs.

import { runtime } from "./runner.deno.ts";

/**
 * How many of `count` generated cases to run: all on Deno, a tenth on the others, where the same
 * JavaScript gets the same values from the same seed.
 */
export function share(count: number): number {
  return runtime === "Deno" ? count : Math.ceil(count / 10);
}

/**
 * All of these cases on Deno, every eleventh on the others, where the same JavaScript judges them. A
 * list that repeats itself every two, three or five cases is spread over all of its kinds.
 */
export function spread<T>(cases: readonly T[]): T[] {
  return runtime === "Deno" ? [...cases] : cases.filter((_, i) => i % 11 === 0);
}
