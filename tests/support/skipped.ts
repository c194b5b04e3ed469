// Which tests were skipped in this run of `deno test`. Each test file has its own global scope there;
// what they share is the environment of the process.

import process from "node:process";
import type { Need } from "./programs.ts";

const PREFIX = "PLAINSOCKET_SKIPPED_";
/** A variable for each file, since files may run at the same time. */
const variable = PREFIX + crypto.randomUUID();
let lines = "";

/** Notes that a test is skipped, as these are missing. */
export function noteSkipped(missing: readonly Need[]): void {
  lines += `${missing.join(" ")}\n`;
  process.env[variable] = lines;
}

/** How many tests were skipped in all files so far, and what they need. */
export function skippedSoFar(): { count: number; needs: Set<Need> } {
  const noted = Object.entries(process.env).filter(([name]) => name.startsWith(PREFIX))
    .flatMap(([, value]) => value!.trimEnd().split("\n"));
  const needs = noted.flatMap((line) => line.split(" ") as Need[]);
  return { count: noted.length, needs: new Set(needs) };
}
