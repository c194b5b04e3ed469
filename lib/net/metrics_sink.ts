/**
 * The reports of servers for their metrics.
 *
 * @module
 */

import type { Addr } from "../base/addr.ts";
import type { SocketError } from "../base/errors.ts";

/**
 * Why a connection was rejected: an {@linkcode Admission} refused it (`access`), it did not begin with
 * the header of a trusted proxy (`proxy_header`), too many wait already (`queue_full`), or the
 * server stops (`stopping`).
 */
export type RejectReason = "access" | "proxy_header" | "queue_full" | "stopping";

/** The part of a connection that metrics have: it goes on counting. A `Conn` is one. */
export interface MeasuredConn {
  /** The client's address. */
  readonly remoteAddr: Addr;
  /** The number of bytes that were received. */
  readonly bytesRead: number;
  /** The number of bytes that were sent. */
  readonly bytesWritten: number;
}

/** The part of a request that metrics have. */
export interface MeasuredRequest {
  /** The method, as the client sent it; empty if the input was not a valid request. */
  readonly method: string;
  /** The scheme of its URL. */
  readonly scheme: "http" | "https";
}

/**
 * Takes what a server does, to count it. `ServerMetrics` of `plainsocket/metrics` is one; write another
 * for a collector of your own. Its methods are called for each connection and request: they must be
 * quick, and must not throw. Durations are in milliseconds.
 *
 * A listener reports who waits and the handshakes, a server all else: give the same to both.
 */
export interface MetricsSink {
  /**
   * Called with a change of the number of connections that wait for the server in this process. Those
   * that wait in the kernel are not counted.
   */
  connectionsQueued(change: number): void;
  /** A connection was reset before it was served. */
  connectionRejected(reason: RejectReason): void;
  /** A connection is served from now on. */
  connectionOpened(conn: MeasuredConn): void;
  /** Called when it has ended. `error` is that of its handler; undefined without one. */
  connectionClosed(conn: MeasuredConn, duration: number, error: unknown): void;
  /** A handshake of TLS has begun. */
  handshakeBegan(): void;
  /** Called when it has ended; `error` is undefined if it ended well. */
  handshakeEnded(duration: number, error: SocketError | undefined): void;
  /** The head of a request has come. */
  requestBegan(request: MeasuredRequest): void;
  /**
   * Its response has been sent (`complete`), or has broken off. `status` is undefined if the client left
   * before there was a response. The time is from the end of the head to the end of the response; of a
   * connection that was handed over (101), to the end of that.
   */
  requestEnded(
    request: MeasuredRequest,
    duration: number,
    status: number | undefined,
    complete: boolean,
  ): void;
}
