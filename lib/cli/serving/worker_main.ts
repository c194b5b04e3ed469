/**
 * The module that each worker of `--workers` runs: what a command serves, with the parent's
 * options.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import type { Listener, Transport } from "../../net/transport.ts";
import type { ServeOptions, ServeSummary } from "../../serve/serve.ts";
import type { ServerMetrics } from "../../metrics/mod.ts";
import type { CertificateStore } from "../../net/tls/certificate_store.ts";
import type { WorkerMain } from "../../workers/protocol.ts";
import { flushed, serverIo } from "../io/io.ts";
import { Log, type LogOptions, type Transcript } from "../io/log.ts";
import type { AccessOptions } from "../options/access_flags.ts";
import { Instruments } from "../options/instrument.ts";
import type { LimitOptions } from "../options/limits.ts";
import type { TlsServerChoice } from "../options/tls_server.ts";
import type { ProxyOptions } from "../options/proxy_protocol.ts";
import { openObserved, type ShownOptions } from "../options/transport.ts";
import { openAccess } from "./access_reload.ts";
import type { Certificates } from "./certificate_files.ts";
import type { followCertificates } from "./certificate_reload.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { serveOptions, withTls } from "./serving.ts";
import { Shortage } from "./resource_shortage.ts";

/** The resources for the connections of a worker. */
export interface WorkerContext {
  readonly log: Log;
  /** The transport that they connect with, if they do. */
  readonly transport: Transport;
  readonly clock: Clock;
  readonly life: Lifecycle;
}

/** The same in a worker. */
export interface WorkerRun extends WorkerContext {
  /** Called with an error that may be a lack of descriptors. */
  readonly shortage: Shortage;
}

/** How a command serves, and its log. */
export interface WorkerServing<Options> {
  /** Serves the connections of a listener, until the signal of `serving` says stop. */
  readonly serve: (
    listener: Listener,
    serving: ServeOptions,
    options: Options,
    context: WorkerRun,
  ) => Promise<ServeSummary>;
  /** The transcript that `-v` shows. */
  readonly transcript: () => Transcript;
  /** How it is shown. */
  readonly shown?: ShownOptions;
}

/** The task of a worker from its parent. Plain data. */
export interface WorkerTask<Options> {
  readonly log: LogOptions;
  readonly access: AccessOptions | undefined;
  /** Undefined: no TLS. */
  readonly tls: { readonly choice: TlsServerChoice; readonly read: Certificates } | undefined;
  /** Undefined without `--proxy-protocol`. */
  readonly proxies: ProxyOptions | undefined;
  readonly limits: LimitOptions;
  /** Undefined: no faults. */
  readonly fault: Parameters<Instruments["openFaults"]>[0] | undefined;
  /** Whether the parent asks for metrics. */
  readonly measured: boolean;
  /** The protocols over TLS. Undefined is any. */
  readonly alpnProtocols: readonly string[] | undefined;
  /** The options of the handler. */
  readonly handlerOptions: Options;
}

/** Makes the default export of a worker's module. Its task has the options of the handler. */
export function workerMain<Options>(
  { serve, transcript, shown }: WorkerServing<Options>,
): WorkerMain {
  return async ({ id, data, signal, drainTimeout, listen, reportWith }) => {
    const io = serverIo();
    const { stderr, clock } = io;
    // It goes on when nobody reads stderr.
    stderr.on("error", () => {});
    const task = data as WorkerTask<Options>;
    const log = new Log(io, { ...task.log, worker: id });
    const onReload = (reload: () => void) => io.onSignal("SIGHUP", reload);
    const access = openAccess(task.access, log, onReload);
    const onEnd = (stop: () => void) => signal.addEventListener("abort", stop);
    const certificates = task.tls &&
      await openCertificates(task.tls, { clock, log: undefined, onReload, onEnd });
    const instruments = new Instruments();
    if (task.fault !== undefined) await instruments.openFaults(task.fault, { log, onReload });
    const sockets = task.proxies &&
      (await import("../options/proxied_sockets.ts")).openSockets(task.proxies, log);
    const shortage = new Shortage(log, clock);
    const transport = shortage.watch(
      openObserved({ log, instruments, sockets }, transcript(), shown),
    );
    // Faults are for the connections of clients, and not for those that the handlers make.
    const listening = instruments.withFaults(transport, clock);
    const metrics = task.measured ? await openMetrics(reportWith) : undefined;
    const listener = await listen({
      listen: (options) =>
        listening.listen({
          ...withTls(options, certificates, access, log, task.alpnProtocols),
          metrics,
        }),
    });
    const options = serveOptions(task.limits, access, log, clock);
    const serving = { ...options, signal, drainTimeout, metrics };
    const life = { onReload, onEnd, isWorker: true };
    const context = { log, transport, clock, life, shortage };
    const summary = await serve(listener, serving, task.handlerOptions, context);
    // The output of a thread is lost if it ends before it is written.
    await flushed(stderr);
    // Handshakes, too, refuse who may not connect.
    return { ...summary, refused: access?.refused ?? 0 };
  };
}

/** The certificates of a worker. The modules of TLS are loaded where it is spoken. */
async function openCertificates(
  { choice, read }: NonNullable<WorkerTask<unknown>["tls"]>,
  following: Parameters<typeof followCertificates>[2],
): Promise<CertificateStore> {
  const [{ CertificateFiles }, { followCertificates }] = await Promise.all([
    import("./certificate_files.ts"),
    import("./certificate_reload.ts"),
  ]);
  return followCertificates(new CertificateFiles(choice), read, following);
}

/** The metrics of a worker, with which it reports. Their modules are loaded where the parent asks. */
async function openMetrics(
  reportWith: (report: () => unknown) => void,
): Promise<ServerMetrics> {
  const [{ ServerMetrics }, { workerReporter }] = await Promise.all([
    import("../../metrics/mod.ts"),
    import("./worker_samples.ts"),
  ]);
  const metrics = new ServerMetrics();
  reportWith(workerReporter(metrics));
  return metrics;
}
