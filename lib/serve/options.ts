/**
 * The handler and the options of {@linkcode serve}.
 *
 * @module
 */

import {
  ADMISSION,
  CLOCK,
  FUNCTION,
  type Kinds,
  LIMIT,
  METRICS,
  SIGNAL,
  TIMEOUT,
  WAIT,
} from "../base/arguments.ts";
import type { Clock } from "../base/clock.ts";
import type { Admission } from "../net/admission.ts";
import type { MetricsSink } from "../net/metrics_sink.ts";
import type { Conn } from "../net/transport.ts";
import type { HandlerContext } from "./server.ts";

/**
 * Handles one connection, which is closed when the promise settles. A rejection goes to
 * {@linkcode ServeOptions.onError} and does not affect other connections.
 *
 * After a rejection, too, it is closed in good order, so that sent bytes arrive. A protocol whose
 * messages have no visible end calls `conn.reset()` first, so that half a response does not look
 * whole.
 */
export type Handler = (conn: Conn, context: HandlerContext) => void | Promise<void>;

/** Options of {@linkcode serve}. */
export interface ServeOptions {
  /** Aborting it stops the server: see {@linkcode serve}. */
  readonly signal?: AbortSignal;
  /**
   * The most connections at once. At that number the rest wait in the listener's
   * backlog. 0 for no limit. Default: 1024.
   */
  readonly maxConnections?: number;
  /**
   * Closes a connection to make room for a new one when all places are taken. It returns false if
   * it cannot close one now, and is called again a quarter of a second later, or when another
   * connection comes. Up to 512 new connections are accepted, and wait for a place. Default: new
   * connections wait in the listener's backlog.
   */
  readonly evict?: (newcomer: Conn) => boolean;
  /**
   * Whether a new connection that waits for {@linkcode ServeOptions.evict} lets the others go
   * first. Of the places that others leave, it leaves a sixteenth of all free for those that come
   * later. When 512 wait, it is reset for the next one. Default: new connections get their places in
   * the order in which they came.
   */
  readonly givesWay?: (newcomer: Conn) => boolean;
  /** Called each time that new connections begin to wait, since all places are taken. */
  readonly onFull?: () => void;
  /**
   * Decides who may connect. Refused clients do not count for `maxConnections`. Default: everyone
   * may connect.
   */
  readonly admission?: Admission;
  /**
   * The time without a byte in either direction after which a connection is closed with ETIMEDOUT, in
   * milliseconds; it may be a second late. 0 for no limit. Default: 300,000.
   */
  readonly idleTimeout?: number;
  /** The time that connections get to finish once the server stops, in milliseconds. Default: 10,000. */
  readonly drainTimeout?: number;
  /**
   * Called with the error of a handler. By default a SocketError is ignored, since peers cause it.
   * Any other error is a mistake in the handler and becomes a process warning with its stack and
   * the peer's address.
   */
  readonly onError?: (error: unknown, conn: Conn) => void;
  /** Called when the server stops. From then on connections have `drainTimeout` to finish. */
  readonly onStop?: () => void;
  /**
   * Counts the connections. Pass the same object to `listen()`, which counts waiting connections and
   * handshakes.
   * Default: nothing is counted.
   */
  readonly metrics?: MetricsSink;
  /** The clock. Default: the system's. */
  readonly clock?: Clock;
}

/** The kinds of these options. */
export const SERVE_OPTIONS: Kinds<ServeOptions> = {
  signal: SIGNAL,
  maxConnections: LIMIT,
  evict: FUNCTION,
  givesWay: FUNCTION,
  onFull: FUNCTION,
  admission: ADMISSION,
  idleTimeout: TIMEOUT,
  drainTimeout: WAIT,
  onError: FUNCTION,
  onStop: FUNCTION,
  metrics: METRICS,
  clock: CLOCK,
};
