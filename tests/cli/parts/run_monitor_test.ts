// What --metrics answers while a server starts, and of workers.

import assert from "node:assert/strict";
import { RunMonitor } from "../../../lib/cli/serving/metrics_server.ts";
import type { LightRequest } from "../../../lib/http/server/light.ts";
import type { Workers } from "../../../lib/workers/workers.ts";
import { test } from "../../support/runner.deno.ts";

/** The status and the text that a monitor answers with. */
async function answer(monitor: RunMonitor, target: string): Promise<[number, string]> {
  const request = { method: "GET", target } as LightRequest;
  const { status, body } = await monitor.handler(request);
  return [status, String(body)];
}

test("metrics: before the server listens it is alive, and not ready", async () => {
  const monitor = new RunMonitor();
  assert.deepEqual(await answer(monitor, "/readyz"), [503, "starting\n"]);
  assert.deepEqual(await answer(monitor, "/healthz"), [200, "running\n"]);
  monitor.state = "ready";
  assert.deepEqual(await answer(monitor, "/readyz"), [200, "ready\n"]);
});

test("metrics: a server with workers is ready while one of them serves", async () => {
  const monitor = new RunMonitor();
  monitor.state = "ready";
  monitor.follow({} as Workers);
  assert.deepEqual(await answer(monitor, "/readyz"), [503, "no worker serves\n"]);
  monitor.heed({ type: "ready", id: 2, pid: 7 });
  assert.deepEqual(await answer(monitor, "/readyz"), [200, "ready\n"]);
  monitor.state = "stopping";
  assert.deepEqual(await answer(monitor, "/readyz"), [503, "stopping\n"]);
});

test("metrics: workers get a second to answer, and several who ask meanwhile get one answer", async () => {
  const monitor = new RunMonitor();
  const waits: number[] = [];
  const workers: Pick<Workers, "reports" | "counts"> = {
    reports: (ms) => {
      waits.push(ms ?? 0);
      return Promise.resolve([{ id: 1, report: undefined }]);
    },
    counts: () => ({ restarts: 3 }) as ReturnType<Workers["counts"]>,
  };
  monitor.follow(workers as Workers);
  const [[status, text]] = await Promise.all([1, 2].map(() => answer(monitor, "/metrics")));
  assert.deepEqual([status, waits], [200, [1000]]);
  assert.match(text, /^plainsocket_worker_restarts_total 3$/m);
});
