/**
 * The metrics of workers. The counts of a worker that has ended are kept, so that no total goes down.
 *
 * @module
 */

import { isMainThread } from "node:worker_threads";
import { addSamples, type Sample, type ServerMetrics } from "../../metrics/mod.ts";
import type { WorkerReport } from "../../workers/protocol.ts";
import { processSamples } from "./process_samples.ts";

/** The report of a worker. Plain data, which JSON can carry. */
export interface MeasuredWorker {
  /** Another one for each process or thread that has held the worker's place. */
  readonly instance: number;
  readonly samples: readonly Sample[];
}

/** Makes the function that a worker reports with. Threads have no process of their own. */
export function workerReporter(metrics: ServerMetrics): () => MeasuredWorker {
  const instance = Math.random();
  return () => {
    const own = isMainThread ? processSamples() : [];
    return { instance, samples: [...metrics.samples(), ...own] };
  };
}

/** Those of the samples that only grow. */
function counters(samples: readonly Sample[]): Sample[] {
  return samples.filter(([name]) => /_(?:total|bucket|sum|count)$/.test(name));
}

/** One worker's place. */
class Place {
  /** The sum of the counters of the workers that held it before. */
  #before: readonly Sample[] = [];
  #last: MeasuredWorker = { instance: NaN, samples: [] };

  /** Takes what the worker reports now, if it does; returns what is known of its place. */
  heed(report: MeasuredWorker | undefined): Sample[] {
    if (report === undefined) return addSamples([this.#before, counters(this.#last.samples)]);
    if (report.instance !== this.#last.instance) {
      this.#before = addSamples([this.#before, counters(this.#last.samples)]);
    }
    this.#last = report;
    return addSamples([this.#before, report.samples]);
  }
}

/** See the module. */
export class WorkerSamples {
  readonly #places = new Map<number, Place>();

  /** Takes a report of each worker; returns what is known of each, by its number. */
  heed(reports: readonly WorkerReport[]): Map<number, Sample[]> {
    return new Map(reports.map(({ id, report }) => {
      let place = this.#places.get(id);
      if (place === undefined) this.#places.set(id, place = new Place());
      return [id, place.heed(report as MeasuredWorker | undefined)];
    }));
  }
}
