/**
 * The main function of a worker, and the messages between a worker and its parent.
 *
 * @module
 */

import type { ServeSummary } from "../serve/serve.ts";
import type { Server } from "../serve/server.ts";
import type { Addr } from "../base/addr.ts";
import type {
  InheritedListenOptions,
  Listener,
  ListenOptions,
  TcpListenOptions,
  TlsListenOptions,
  UnixListenOptions,
} from "../net/transport.ts";

/** The kinds of a worker. */
export type WorkerKind = "processes" | "threads";

/**
 * The default export of a module for {@linkcode startWorkers}: listens, serves, and
 * returns the server that {@linkcode serve}, `serveHttp` or `serveLight` returned. The server is stopped
 * with the worker. Code that serves in another way stops at the signal, and returns a summary then.
 *
 * If it rejects, or has finished before it is to stop, the worker counts as crashed.
 *
 * @example A module that serves in workers, and in one loop as well
 * ```ts
 * import { type Listener, serve, systemTransport } from "@plainsocket/plainsocket";
 * import { echo } from "@plainsocket/plainsocket/protocols";
 * import type { WorkerContext, WorkerMain } from "@plainsocket/plainsocket/workers";
 *
 * const start = (listener: Listener) => serve(listener, echo());
 *
 * function main({ listen }: WorkerContext): ReturnType<WorkerMain> {
 *   return listen().then(start);
 * }
 * export default main;
 *
 * // One loop: the same server, on a listener of our own.
 * await using server = start(await systemTransport.listen({ host: "127.0.0.1" }));
 * ```
 */
export type WorkerMain = (worker: WorkerContext) => Promise<Server<ServeSummary> | ServeSummary>;

/** The messages to a worker. */
export interface WorkerContext {
  /** Its number, from 1. A worker that replaces a crashed one has the same. */
  readonly id: number;
  /** A copy of {@linkcode WorkersOptions.data}. */
  readonly data: unknown;
  /** Aborted when it is to stop. */
  readonly signal: AbortSignal;
  /** The time that connections get to finish then, in milliseconds. */
  readonly drainTimeout: number;
  /**
   * Listens at the address of all workers, once. Rejects as `transport` does, by default
   * `systemTransport`.
   */
  listen(transport?: ListeningTransport): Promise<Listener>;
  /**
   * Has `report` called when the parent asks with {@linkcode Workers.reports}. It returns plain data, which
   * JSON can carry, and must not throw.
   */
  reportWith(report: () => unknown): void;
}

/** The report of a worker. */
export interface WorkerReport {
  /** Its number, from 1. */
  readonly id: number;
  /**
   * The value that the function of {@linkcode WorkerContext.reportWith} returned. Undefined without
   * such a function, and for a worker that does not listen or did not answer in time.
   */
  readonly report: unknown;
}

/** The part of a {@linkcode Transport} that a worker uses. */
export interface ListeningTransport {
  /** As that of {@linkcode Transport}. */
  listen(options: ListenOptions): Promise<Listener>;
}

/** Listen options of workers. */
export type WorkerListenOptions =
  | TcpListenOptions
  | TlsListenOptions
  | UnixListenOptions
  | InheritedListenOptions;

/** The argument, or the data of a thread, that marks a worker of ours. */
export const WORKER_MARK = "plainsocket-worker";

/** A socket that is bound, for processes that inherit it and listen on it. */
export interface HeldSocket {
  /** The address that it is bound to. */
  readonly addr: Addr;
  /** Its descriptor in this process. */
  readonly fd: number;
  /** Frees it; who has inherited it keeps it. */
  close(): void;
}

/** The descriptor that a process finds such a socket at. */
export const INHERITED_FD = 3;

/** A message of a parent to its worker. Plain data, which JSON can carry. */
export type ToWorker =
  | {
    readonly type: "start";
    readonly module: string;
    readonly id: number;
    readonly listen: ListenOptions;
    readonly drainTimeout: number;
    readonly data: unknown;
  }
  | { readonly type: "ask" }
  | { readonly type: "stop"; readonly drainTimeout: number };

/** A message of a worker to its parent. Plain data, which JSON can carry. */
export type FromWorker =
  /** It runs, and waits for "start". */
  | { readonly type: "up" }
  /** It listens. */
  | { readonly type: "ready"; readonly addr: Addr }
  /** The number of connections that it has accepted so far. */
  | { readonly type: "accepted"; readonly accepted: number }
  /** The answer to "ask". */
  | { readonly type: "report"; readonly report?: unknown }
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
