// Which tests were skipped in this run of `deno test`. Each test file has its own global scope there;
// what they share is the environment of the process.

import process from "node:process";
import type { OtherProgram } from "./programs.ts";

const PREFIX = "PLAINSOCKET_SKIPPED_";
/** A variable for each file, since files may run at the same time. */
const variable = PREFIX + crypto.randomUUID();
let lines = "";

/** Notes that a test is skipped, as these programs are missing. */
export function noteSkipped(missing: readonly OtherProgram[]): void {
  lines += `${missing.join(" ")}\n`;
  process.env[variable] = lines;
}

/** How many tests were skipped in all files so far, and the programs that they need. */
export function skippedSoFar(): { count: number; programs: Set<OtherProgram> } {
  const noted = Object.entries(process.env).filter(([name]) => name.startsWith(PREFIX))
    .flatMap(([, value]) => value!.trimEnd().split("\n"));
  const programs = noted.flatMap((line) => line.split(" ") as OtherProgram[]);
  return { count: noted.length, programs: new Set(programs) };
}
