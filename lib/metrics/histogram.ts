/**
 * Counts durations by how long they were.
 *
 * @module
 */

import type { Sample } from "./samples.ts";

/** The bounds of requests and handshakes, in seconds, that OpenTelemetry recommends. */
export const SHORT_SECONDS: readonly number[] = [
  ...[0.005, 0.01, 0.025, 0.05, 0.075],
  ...[0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
];

/** The bounds of connections, in seconds, that OpenTelemetry recommends. */
export const LONG_SECONDS: readonly number[] = [
  ...[0.01, 0.02, 0.05, 0.1, 0.2, 0.5],
  ...[1, 2, 5, 10, 30, 60, 120, 300],
];

/** See the module. */
export class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;

  /** `bounds` are in seconds, ascending. What is longer than the last is counted after it. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  /** Counts a duration. */
  observe(seconds: number): void {
    const bounds = this.#bounds;
    let i = 0;
    while (i < bounds.length && seconds > bounds[i]) i++;
    this.#counts[i]++;
    this.#sum += seconds;
  }

  /** Adds what was counted to `samples`. `labels` are as those of {@linkcode Sample}. */
  addTo(samples: Sample[], name: string, labels: string): void {
    let count = 0;
    const before = labels === "" ? "" : `${labels},`;
    for (const [i, n] of this.#counts.entries()) {
      count += n;
      const bound = i < this.#bounds.length ? this.#bounds[i] : "+Inf";
      samples.push([`${name}_bucket`, `${before}le="${bound}"`, count]);
    }
    samples.push([`${name}_sum`, labels, this.#sum], [`${name}_count`, labels, count]);
  }
}
