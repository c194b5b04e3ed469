/**
 * The metrics of a process: processor time, memory and descriptors.
 *
 * @module
 */

import process from "node:process";
import type { Sample } from "../../metrics/mod.ts";
import { descriptorLimit, openDescriptors } from "./descriptors.deno.ts";

/** The samples of each process of a server; their sums are those of the server. */
export function processSamples(): Sample[] {
  const { user, system } = process.cpuUsage();
  const open = openDescriptors();
  return [
    ["process_cpu_seconds_total", "", (user + system) / 1e6],
    ["process_resident_memory_bytes", "", process.memoryUsage().rss],
    ...open === undefined ? [] : [["process_open_fds", "", open] as const],
  ];
}

/** The samples that only the first process has. */
export class FirstProcess {
  readonly #started = Date.now() / 1000 - process.uptime();
  /** Read now: when there are no descriptors left, no file can be read. */
  readonly #limit = descriptorLimit();

  samples(): Sample[] {
    return [
      ["process_start_time_seconds", "", this.#started],
      ...this.#limit === undefined ? [] : [["process_max_fds", "", this.#limit] as const],
    ];
  }
}
