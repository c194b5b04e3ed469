/**
 * `--workers N`: the parent's side of a server whose connections are served by processes or
 * threads.
 *
 * @module
 */

import process from "node:process";
import { counted } from "../../base/counted.ts";
import { SocketError } from "../../base/errors.ts";
import { startWorkers, type WorkerEvent, type Workers } from "../../workers/workers.ts";
import { readsFiles } from "../options/access_flags.ts";
import { EXIT } from "../io/exit.ts";
import type { LogOptions } from "../io/log.ts";
import { readsPlans } from "../options/instrument_flags.ts";
import type { ServingOptions } from "../options/serving.ts";
import type { WorkerOptions } from "../options/workers.ts";
import { handoverOf } from "./handover.ts";
import { type Listening, MAIN, planListening, type Spoken } from "./serving.ts";
import type { Session } from "../session.ts";
import type { Signals } from "../io/signals.ts";
import { describeSummary, logStop, type Stopped } from "./server_log.ts";
import type { WorkerTask } from "./worker_main.ts";

/** Options of a server with workers, and those that it passes to them. */
export interface WorkersInit<Options> extends ServingOptions {
  /** The URL of the workers' module, whose default export `workerMain` has made. */
  readonly module: string;
  readonly workers: WorkerOptions;
  readonly log: LogOptions;
  /** Options of what the workers serve. Plain data. */
  readonly handlerOptions: Options;
  /** Whether the handler reads files again on SIGHUP. Default: false. */
  readonly rereads?: boolean;
  /** The protocol, as the URL says. Default: bytes. */
  readonly spoken?: Spoken;
  /** The protocols over TLS. Default: any. */
  readonly alpnProtocols?: readonly string[];
  /** The word for the clients in the log when the server stops. Default: "connections". */
  readonly stopped?: Stopped;
}

/**
 * Starts the workers, prints the URL when all of them listen, and waits until a signal has stopped
 * them; resolves to the exit code. They listen as `planned`; by default as the options say.
 */
export async function serveInWorkers<Options>(
  init: WorkersInit<Options>,
  session: Session,
  signals: Signals,
  planned?: Listening,
): Promise<number> {
  const { log, io } = session;
  const { module, workers: { count, kind }, limits, handlerOptions, alpnProtocols } = init;
  const { listenAddress, tls, access, announce } = planned ?? await planListening(init, session);
  const { faults: fault } = session.instruments;
  const task: WorkerTask<Options> = {
    log: init.log,
    access: init.access,
    tls: tls && { choice: init.tls!, read: tls.read },
    proxies: session.proxies,
    limits,
    fault,
    measured: session.monitor !== undefined,
    alpnProtocols,
    handlerOptions,
  };
  const reads = readsFiles(init.access) || readsPlans(fault?.plans ?? []) ||
    tls?.isFollowed === true || init.rereads === true;
  const onReady = reads ? passOn(session) : undefined;
  let workers: Workers;
  try {
    workers = await startWorkers(module, {
      workers: count,
      kind,
      listen: listenAddress,
      data: task,
      drainTimeout: limits.drainTimeout,
      signal: signals.signal,
      clock: io.clock,
      onEvent: (event) => {
        onReady?.(event);
        session.monitor?.heed(event);
        log.note(describe(event));
      },
    });
  } catch (error) {
    if (error instanceof SocketError && signals.signal.aborted) return signals.exitCode();
    throw error;
  }
  session.monitor?.follow(workers);
  // Where the workers bind for themselves, they share the port.
  handoverOf(session).add(MAIN, { addr: workers.addr, fd: workers.fd, isShared: true });
  logStop(init.stopped ?? "connections", limits.drainTimeout, log, signals);
  await announce(workers.addr, init.spoken);
  const summary = await workers.finished;
  const { refused, reset, restarts, lost } = summary;
  log.note(
    describeSummary(summary, access && refused) +
      `; ${counted(count, "worker")}, ${counted(restarts, "restart")}` +
      (lost === 0 ? "" : `, ${lost} lost while they stopped`),
  );
  return reset === 0 && lost === 0 ? EXIT.ok : signals.exitCode();
}

/**
 * Passes SIGHUP on, so that the processes read the files again, too. One that still starts gets it once
 * it is ready. Returns the listener for the workers' events.
 */
function passOn(session: Session): (event: WorkerEvent) => void {
  const ready = new Set<number>();
  let came = false;
  const reload = (pid: number) => {
    try {
      process.kill(pid, "SIGHUP");
    } catch {
      // It has ended just now; the one that replaces it reads the files anyway.
    }
  };
  session.onReload(() => {
    came = true;
    ready.forEach(reload);
  });
  return ({ type, pid }) => {
    if (pid === undefined) return;
    if (type === "crash") return void ready.delete(pid);
    ready.add(pid);
    // It may have read them before they changed.
    if (came) reload(pid);
  };
}

function describe(event: WorkerEvent): string {
  const who = `worker ${event.id}${event.pid === undefined ? "" : ` (pid ${event.pid})`}`;
  if (event.type === "ready") return `${who} is ready`;
  return `${who} ${event.how}; a new one starts in ${event.restartIn / 1000} s`;
}
