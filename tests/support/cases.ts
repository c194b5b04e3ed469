// How many cases a test makes up.

import { runtime } from "./runner.deno.ts";

/**
 * How many of `count` generated cases to run: all on Deno, a tenth on the others, where the same
 * JavaScript gets the same values from the same seed.
 */
export function share(count: number): number {
  return runtime === "Deno" ? count : Math.ceil(count / 10);
}
