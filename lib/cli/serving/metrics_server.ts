/**
 * `--metrics PORT`: an HTTP server on 127.0.0.1 with metrics and health. It starts before the main server
 * listens, and ends after it.
 *
 * @module
 */

import { formatAddr } from "../../base/addr.ts";
import { SocketError } from "../../base/errors.ts";
import type { LightHandler, LightRequest, LightResponse } from "../../http/server/light.ts";
import { serveLight } from "../../http/server/server.ts";
import {
  addSamples,
  formatSamples,
  METRICS_TYPE,
  type Sample,
  ServerMetrics,
} from "../../metrics/mod.ts";
import { systemTransport } from "../../net/system.deno.ts";
import type { Listener } from "../../net/transport.ts";
import type { WorkerEvent, Workers } from "../../workers/workers.ts";
import type { MetricsOptions, Monitor } from "../options/metrics.ts";
import { CliError, exitCodeOf } from "../io/exit.ts";
import type { Session } from "../session.ts";
import { localProgramsOnly } from "./local_programs_only.ts";
import { handoverOf, isSuccessor } from "./handover.ts";
import { FirstProcess, processSamples } from "./process_samples.ts";
import { logMistake } from "./server_log.ts";
import { WorkerSamples } from "./worker_samples.ts";

/** The most connections at once. */
const MAX_CONNECTIONS = 64;

/** One request for each connection: who asks for many and reads nothing keeps nobody out. */
const LIMITS = { requests: 1 };

/** The time that workers get to say what they have counted, in milliseconds. */
const WORKERS_MS = 1000;

/** Starts it, and has it end with the run. Rejects with a `CliError`. */
export async function startMonitor({ port }: MetricsOptions, session: Session): Promise<Monitor> {
  const { log, io: { clock } } = session;
  const monitor = new RunMonitor();
  // Until a successor serves, its predecessor does.
  if (isSuccessor()) monitor.state = "ready";
  session.onReady(() => {
    // A signal to stop may come first.
    if (monitor.state === "starting") monitor.state = "ready";
  });
  const listener = await listen(port, session);
  const server = serveLight(listener, localProgramsOnly(monitor.handler), {
    clock,
    maxConnections: MAX_CONNECTIONS,
    limits: LIMITS,
    drainTimeout: 0,
    onError: (error) => logMistake(error, log, "metrics: "),
  });
  session.onStopping(() => {
    monitor.state = "stopping";
    // From now on the process that replaces this one answers.
    if (session.isReplaced) void server.stop();
  });
  session.onEnd(async () => void await server.stop());
  const url = `http://${formatAddr(listener.addr)}/metrics`;
  log.report([`metrics at ${url}`], { event: "metrics", url });
  return monitor;
}

/** Rejects with a `CliError` that names the option. */
async function listen(port: number, session: Session): Promise<Listener> {
  const handover = handoverOf(session);
  try {
    const listenAddress = await handover.addressFor("metrics", { host: "127.0.0.1", port });
    const listener = await systemTransport.listen(listenAddress);
    handover.add("metrics", listener);
    return listener;
  } catch (error) {
    if (!(error instanceof SocketError)) throw error;
    throw new CliError(exitCodeOf(error), `--metrics: ${error.message}`, { cause: error });
  }
}

/** See the module. */
export class RunMonitor implements Monitor {
  readonly metrics: ServerMetrics = new ServerMetrics();
  state: "starting" | "ready" | "stopping" = "starting";
  readonly #first = new FirstProcess();
  #workers: Workers | undefined;
  readonly #ready = new Set<number>();
  readonly #samples = new WorkerSamples();
  /** The question to the workers that is under way; others who ask meanwhile get its answer. */
  #asking: Promise<Map<number, Sample[]>> | undefined;

  heed({ type, id }: WorkerEvent): void {
    if (type === "ready") this.#ready.add(id);
    else this.#ready.delete(id);
  }

  follow(workers: Workers): void {
    this.#workers = workers;
  }

  /** Answers the requests. */
  readonly handler: LightHandler = async (request) => {
    const answer = await this.#answer(request);
    return answer ?? plain(404, "There is /metrics, /metrics/workers, /healthz and /readyz.");
  };

  async #answer({ method, target }: LightRequest): Promise<LightResponse | undefined> {
    // A proxy may ask with the whole URL.
    const [path] = target.replace(/^https?:\/\/[^/?#]*/i, "").split("?");
    if (method !== "GET" && method !== "HEAD") {
      return plain(405, "This takes GET and HEAD.", ["Allow", "GET, HEAD"]);
    }
    if (path === "/healthz") return plain(200, "running");
    if (path === "/readyz") return this.#readiness();
    if (path === "/metrics") return metricsResponse(await this.#all());
    if (path === "/metrics/workers") return metricsResponse(await this.#byWorker());
    return undefined;
  }

  #readiness(): LightResponse {
    const isServed = this.#workers === undefined || this.#ready.size > 0;
    if (this.state !== "ready") return plain(503, this.state);
    return isServed ? plain(200, "ready") : plain(503, "no worker serves");
  }

  /** The samples of all processes, added up. */
  async #all(): Promise<Sample[]> {
    const own = this.#own();
    const served = this.#workers === undefined
      ? [this.metrics.samples()]
      : (await this.#ofWorkers(this.#workers)).values();
    return addSamples([...served, own]);
  }

  /** The samples of each worker, and those of this process as those of worker 0. */
  async #byWorker(): Promise<Sample[]> {
    if (this.#workers === undefined) return labelled(0, await this.#all());
    const workers = await this.#ofWorkers(this.#workers);
    const samples = Array.from(workers, ([id, samples]) => labelled(id, samples)).flat();
    return [...samples, ...labelled(0, this.#own())];
  }

  /** Those of this process, which serves nothing itself if there are workers. */
  #own(): Sample[] {
    const own = [...processSamples(), ...this.#first.samples()];
    if (this.#workers === undefined) return own;
    const { restarts } = this.#workers.counts();
    return [
      ["plainsocket_ready_workers", "", this.#ready.size],
      ["plainsocket_worker_restarts_total", "", restarts],
      ...own,
    ];
  }

  #ofWorkers(workers: Workers): Promise<Map<number, Sample[]>> {
    return this.#asking ??= workers.reports(WORKERS_MS)
      .then((reports) => this.#samples.heed(reports))
      .finally(() => this.#asking = undefined);
  }
}

function labelled(worker: number, samples: readonly Sample[]): Sample[] {
  return samples.map(([name, labels, value]) => {
    return [name, `${labels}${labels === "" ? "" : ","}worker="${worker}"`, value];
  });
}

function metricsResponse(samples: readonly Sample[]): LightResponse {
  const headers = ["Content-Type", METRICS_TYPE, "Cache-Control", "no-store"];
  return { status: 200, headers, body: formatSamples(samples) };
}

function plain(status: number, text: string, more: readonly string[] = []): LightResponse {
  const type = ["Content-Type", "text/plain;charset=utf-8", "Cache-Control", "no-store"];
  return { status, headers: [...type, ...more], body: `${text}\n` };
}
