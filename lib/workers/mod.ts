/**
 * A server in several processes or threads, one on each core.
 *
 * @module
 */

export type {
  ListeningTransport,
  WorkerContext,
  WorkerKind,
  WorkerListenOptions,
  WorkerMain,
  WorkerReport,
} from "./protocol.ts";
export { startWorkers } from "./workers.ts";
export type {
  WorkerCounts,
  WorkerEvent,
  Workers,
  WorkersOptions,
  WorkersSummary,
} from "./workers.ts";
