/**
 * What runs in a worker, and how it and its parent talk.
 *
 * @module
 */

import type { ServeSummary } from "../serve/serve.ts";
import type { Addr } from "../base/addr.ts";
import type {
  Listener,
  ListenOptions,
  TcpListenOptions,
  TlsListenOptions,
  UnixListenOptions,
} from "../net/transport.ts";

/**
 * What a module exports as its default to be run by {@linkcode startWorkers}: listens, serves until
 * it is told to stop, and resolves to what {@linkcode serve} (or `serveHttp`, `serveLight`) gave it.
 *
 * If it rejects, or resolves before it is told to stop, the worker counts as crashed.
 *
 * @example A module that serves in workers, and in one loop as well
 * ```ts
 * import { echo, serve, systemTransport } from "@plainsocket/plainsocket";
 * import type { WorkerMain } from "@plainsocket/plainsocket/workers";
 *
 * const main: WorkerMain = async ({ listen, signal, grace }) =>
 *   serve(await listen(), echo(), { signal, grace });
 * export default main;
 *
 * // One loop: the same function, on a listener of our own.
 * const stop = new AbortController();
 * const served = main({
 *   id: 1,
 *   data: undefined,
 *   signal: stop.signal,
 *   grace: 10_000,
 *   listen: () => systemTransport.listen({ host: "127.0.0.1" }),
 * });
 * stop.abort();
 * await served;
 * ```
 */
export type WorkerMain = (worker: WorkerContext) => Promise<ServeSummary>;

/** The messages to a worker. */
export interface WorkerContext {
  /** Its number, from 1. A worker that replaces a crashed one has the same. */
  readonly id: number;
  /** A copy of {@linkcode WorkersOptions.data}. */
  readonly data: unknown;
  /** Aborted when it is to stop. */
  readonly signal: AbortSignal;
  /** Milliseconds that conversations get to finish then. */
  readonly grace: number;
  /**
   * Listens where all the workers do, once. What `transport` (by default `systemTransport`) rejects
   * with is thrown.
   */
  listen(transport?: ListeningTransport): Promise<Listener>;
}

/** What a worker needs of a {@linkcode Transport}. */
export interface ListeningTransport {
  /** As that of {@linkcode Transport}. */
  listen(options: ListenOptions): Promise<Listener>;
}

/** Where workers listen. */
export type WorkerListenOptions = TcpListenOptions | TlsListenOptions | UnixListenOptions;

/** The argument, or the data of a thread, that marks a worker of ours. */
export const WORKER_MARK = "plainsocket-worker";

/** A socket that is bound, for processes that inherit it and listen on it. */
export interface HeldSocket {
  /** Where it is bound. */
  readonly addr: Addr;
  /** Its descriptor in this process. */
  readonly fd: number;
  /** Frees it; who has inherited it keeps it. */
  close(): void;
}

/** The descriptor that a process finds such a socket at. */
export const INHERITED_FD = 3;

/** What a parent says to its worker. Plain data, which JSON can carry. */
export type ToWorker =
  | {
    readonly type: "start";
    readonly module: string;
    readonly id: number;
    readonly listen: ListenOptions;
    readonly grace: number;
    readonly data: unknown;
  }
  | { readonly type: "stop" };

/** What a worker says to its parent. Plain data, which JSON can carry. */
export type FromWorker =
  /** It runs, and waits for "start". */
  | { readonly type: "up" }
  /** It listens. */
  | { readonly type: "ready"; readonly addr: Addr }
  /** How many connections it has accepted so far. */
  | { readonly type: "accepted"; readonly accepted: number }
  /** It has served, and waits to be ended. */
  | { readonly type: "done"; readonly summary: ServeSummary }
  /** It could not serve, and waits to be ended. */
  | { readonly type: "failed"; readonly failure: Failure };

/** An error on its way from a worker to its parent. */
export interface Failure {
  readonly message: string;
  readonly stack: string | undefined;
  /** Of a SocketError. */
  readonly socket: {
    readonly code: string;
    readonly op: string;
    readonly addr: unknown;
  } | undefined;
}
