/**
 * The {@linkcode Listener} contract over a server that accepts by itself and cannot be paused,
 * as Node's does: what it has accepted is queued, up to the backlog's number.
 *
 * @module
 */

import { type Deferred, deferred } from "../base/wait.ts";
import { BaseListener } from "./conn_base.ts";
import type { Addr } from "../base/addr.ts";
import type { MetricsSink } from "./metrics_sink.ts";
import type { Conn } from "./transport.ts";

/** See the module. */
export class QueueListener extends BaseListener {
  readonly addr: Addr;
  readonly fd: number | undefined;
  readonly #backlog: number;
  readonly #free: () => void;
  readonly #metrics: MetricsSink | undefined;
  /** Accepted, and not yet asked for. */
  readonly #queue: Conn[] = [];
  #waiting: Deferred<Conn> | undefined;
  /** The error of the server, until an accept has reported it. */
  #failure: Error | undefined;

  /** `free` stops the server; it is called once. `fd` is the descriptor of its socket. */
  constructor(
    addr: Addr,
    backlog: number,
    free: () => void,
    { metrics, fd }: { metrics?: MetricsSink; fd?: number } = {},
  ) {
    super();
    this.addr = addr;
    this.fd = fd;
    this.#backlog = backlog;
    this.#free = free;
    this.#metrics = metrics;
  }

  /** Gives a connection to who waits for one, or keeps it, or, if there is no room, resets it. */
  deliver(conn: Conn): void {
    const waiting = this.#take();
    if (waiting !== undefined) return waiting.resolve(conn);
    if (!this.closed && this.#queue.length < this.#backlog) {
      this.#queue.push(conn);
      return this.#metrics?.connectionsQueued(1);
    }
    this.#metrics?.connectionRejected(this.closed ? "stopping" : "queue_full");
    conn.reset();
  }

  /** Tells who waits for a connection, or is the next to do so, that the server cannot accept it. */
  fail(error: Error): void {
    const waiting = this.#take();
    if (waiting !== undefined) waiting.reject(error);
    else this.#failure = error;
  }

  #take(): Deferred<Conn> | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    return waiting;
  }

  protected startAccept(): Promise<Conn> {
    const conn = this.#queue.shift();
    if (conn !== undefined) {
      this.#metrics?.connectionsQueued(-1);
      return Promise.resolve(conn);
    }
    if (this.#failure !== undefined) {
      const failure = this.#failure;
      this.#failure = undefined;
      return Promise.reject(failure);
    }
    this.#waiting = deferred();
    return this.#waiting.promise;
  }

  protected destroy(): void {
    this.#free();
    for (const conn of this.#queue.splice(0)) {
      this.#metrics?.connectionsQueued(-1);
      this.#metrics?.connectionRejected("stopping");
      conn.reset();
    }
    this.#take()?.reject(this.closedError());
  }
}
