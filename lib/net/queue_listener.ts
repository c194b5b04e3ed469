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

/** The server that fills a queue. */
export interface QueueSource {
  /** Stops accepting; called once. */
  stop(): void;
  /** The accepted connections that join the queue when they are prepared. Default: none. */
  readonly underWay?: {
    readonly size: number;
    /** Gives all of them up; called once. */
    giveUp(): void;
  };
}

/** See the module. */
export class QueueListener extends BaseListener {
  readonly addr: Addr;
  readonly fd: number | undefined;
  readonly #backlog: number;
  readonly #source: QueueSource;
  readonly #metrics: MetricsSink | undefined;
  /** Accepted, and not yet asked for. */
  readonly #queue: Conn[] = [];
  #waiting: Deferred<Conn> | undefined;
  /** The error of the server, until an accept has reported it. */
  #failure: Error | undefined;

  /** `fd` is the descriptor of its socket. */
  constructor(
    addr: Addr,
    backlog: number,
    source: QueueSource,
    { metrics, fd }: { metrics?: MetricsSink; fd?: number } = {},
  ) {
    super();
    this.addr = addr;
    this.fd = fd;
    this.#backlog = backlog;
    this.#source = source;
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

  /** Looks whether a stop is complete. Called when one that was under way has ended, and is delivered. */
  settle(): void {
    if (this.#isDry) this.#take()?.reject(this.closedError());
  }

  /** Whether none is left, and none will come. */
  get #isDry(): boolean {
    return this.stopped && this.#queue.length === 0 && !this.#source.underWay?.size;
  }

  /** Rejects the accept that waits, or the next one: the server cannot accept a connection. */
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
    if (this.#isDry) return Promise.reject(this.closedError());
    this.#waiting = deferred();
    return this.#waiting.promise;
  }

  protected override stopListening(): void {
    this.#source.stop();
    this.settle();
  }

  protected destroy(): void {
    if (!this.stopped) this.#source.stop();
    this.#source.underWay?.giveUp();
    for (const conn of this.#queue.splice(0)) {
      this.#metrics?.connectionsQueued(-1);
      this.#metrics?.connectionRejected("stopping");
      conn.reset();
    }
    this.#take()?.reject(this.closedError());
  }
}
