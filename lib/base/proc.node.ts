/**
 * Whether `/proc` of Linux may be read, on Node. The twin for Deno is `proc.deno.ts`.
 *
 * @module
 */

import { existsSync } from "node:fs";
import process from "node:process";
import { forbiddenBy } from "./permission.ts";

/** Whether `/proc` can be read. With `--permission`, Node lets only those who may read it. */
export function mayReadProc(): boolean {
  if (process.platform !== "linux") return false;
  try {
    return existsSync("/proc/self/fd");
  } catch (error) {
    if (forbiddenBy(error) === undefined) throw error;
    return false;
  }
}
