/**
 * The memory of a server that is under load, without its garbage.
 *
 * @module
 */

import process from "node:process";
import { fileURLToPath } from "node:url";
import { until } from "../../tests/support/helpers.ts";
import type { Program } from "../../tests/support/peers.ts";

/** The module that a runtime loads so that {@linkcode memoryOf} gets a report. */
export const REPORT: string = fileURLToPath(new URL("report_memory.js", import.meta.url));

/** In bytes. */
export interface Memory {
  /** What JavaScript holds, buffers included. */
  readonly heap: number;
  /** What the process has resident. */
  readonly resident: number;
}

/** Has a server that was started with {@linkcode REPORT} collect its garbage, and returns what is left. */
export async function memoryOf({ pid, stdout }: Program): Promise<Memory> {
  const reports = () => stdout.lines.filter((line) => line.startsWith("memory "));
  const before = reports().length;
  process.kill(pid, "SIGWINCH");
  await until(() => reports().length > before, "a report of the server's memory");
  const { heapUsed, external, rss } = JSON.parse(reports().at(-1)!.slice("memory ".length));
  return { heap: heapUsed + external, resident: rss };
}

/** How much more a server may hold behind the load than behind the warm-up. */
const GROWTH = 1.1;

/** A size for people. */
export function mib(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

/** Throws if a server holds more behind the load than it may. */
export function checkGrowth([before, after]: readonly Memory[]): void {
  if (after.heap <= GROWTH * before.heap) return;
  throw new Error(`Memory grew from ${mib(before.heap)} to ${mib(after.heap)}`);
}
