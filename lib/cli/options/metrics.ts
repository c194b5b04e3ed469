/**
 * Flags of a server that others measure, and ask whether it is well.
 *
 * @module
 */

import type { MetricsSink } from "../../net/metrics_sink.ts";
import type { WorkerEvent, Workers } from "../../workers/workers.ts";
import {
  type Flag,
  integer,
  needing,
  optional,
  seconds,
  UsageError,
  type Values,
} from "../io/flags.ts";

/** The flags. */
export const METRICS_FLAGS: {
  readonly metrics: Flag<number | undefined>;
  readonly "drain-delay": Flag<number>;
} = {
  metrics: optional(
    integer("PORT", [0, 65535], 0, "metrics and health at this port of 127.0.0.1"),
  ),
  "drain-delay": needing(
    "metrics",
    seconds(0, "accept for so long after SIGTERM (default 0)"),
  ),
};

/** The part of a server's help about these flags. */
export const METRICS_HELP =
  `--metrics serves programs of this machine: /metrics for Prometheus, /healthz, which is 200 while the
server runs, and /readyz, which is 200 while it takes clients and 503 from Ctrl-C or SIGTERM on.
With --drain-delay it goes on accepting for so long after that, so that a balancer sees it first.`;

/** Options of the metrics. */
export interface MetricsOptions {
  /** The port of 127.0.0.1; 0 is one that is free. */
  readonly port: number;
  /** How long the server goes on accepting once it is not ready any more, in milliseconds. */
  readonly drainDelay: number;
}

/**
 * Makes the options that the flags say; undefined without metrics. `listenAddress` is where the server listens.
 * Throws a {@linkcode UsageError} if that is the same port.
 */
export function parseMetrics(
  values: Values<typeof METRICS_FLAGS>,
  listenAddress: object | { readonly port: number | undefined },
): MetricsOptions | undefined {
  const { metrics: port, "drain-delay": drainDelay } = values;
  if (port !== undefined && port !== 0 && "port" in listenAddress && listenAddress.port === port) {
    throw new UsageError(
      `--port and --metrics are the same, ${port}: choose another for --metrics`,
    );
  }
  return port === undefined ? undefined : { port, drainDelay };
}

/** The metrics of a run. */
export interface Monitor {
  /** Takes what the server does, if it serves by itself. */
  readonly metrics: MetricsSink;
  /** Takes an event of a worker. */
  heed(event: WorkerEvent): void;
  /** Asks these workers from now on. */
  follow(workers: Workers): void;
}
