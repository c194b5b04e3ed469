// What is known of workers that come and go: no sum goes down.

import assert from "node:assert/strict";
import { WorkerSamples } from "../../../lib/cli/serving/worker_samples.ts";
import type { Sample } from "../../../lib/metrics/mod.ts";
import { test } from "../../support/runner.deno.ts";

/** What a worker reports that has counted so much, and has so much open. */
function report(instance: number, total: number, open: number) {
  const samples: Sample[] = [["x_total", "", total], ["x_open", "", open]];
  return { id: 1, report: { instance, samples } };
}

const NONE = { id: 1, report: undefined };

test("worker samples: what a worker has counted stays when another takes its place, and its gauges go", () => {
  const samples = new WorkerSamples();
  const seen = [report(0.1, 5, 2), NONE, report(0.2, 1, 1), report(0.2, 3, 0), report(0.3, 0, 1)]
    .map((one) => samples.heed([one]).get(1));
  assert.deepEqual(seen, [
    [["x_total", "", 5], ["x_open", "", 2]],
    [["x_total", "", 5]],
    [["x_total", "", 6], ["x_open", "", 1]],
    [["x_total", "", 8], ["x_open", "", 0]],
    [["x_total", "", 8], ["x_open", "", 1]],
  ]);
});

test("worker samples: one that has never reported has none", () => {
  assert.deepEqual([...new WorkerSamples().heed([NONE])], [[1, []]]);
});
