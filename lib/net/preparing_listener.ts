/**
 * A listener whose connections are prepared before they are accepted, as by a handshake. That goes on
 * for several at a time, so that nobody waits for a client that takes its time.
 *
 * @module
 */

import type { Addr } from "../base/addr.ts";
import type { SocketError } from "../base/errors.ts";
import { type Deferred, deferred } from "../base/wait.ts";
import type { Admission } from "./admission.ts";
import { BaseListener, isClosed } from "./conn_base.ts";
import type { MetricsSink, RejectReason } from "./metrics_sink.ts";
import type { Conn, Listener } from "./transport.ts";

/** The preparation of a connection before it is accepted. */
export interface Preparation {
  /**
   * Makes the connection that is accepted. It settles in bounded time, at once when the signal is
   * aborted. If it rejects, it has closed `raw`, and has reported the reason.
   */
  readonly prepare: (raw: Conn, signal: AbortSignal) => Promise<Conn>;
  /**
   * The most connections that are being prepared or are ready. If one more comes, the oldest that is
   * still being prepared is reset. When this many are ready, no more is taken from the source.
   */
  readonly most: number;
  /** Decides whose connections are prepared; the others are reset. Default: all are. */
  readonly admission?: Admission;
  /**
   * The reason to count for connections that are not admitted, and for those whose `prepare` rejects.
   * Default: `access`, and the latter are not counted.
   */
  readonly rejectReason?: RejectReason;
  /** Makes the reason with which `prepare` is aborted to make room. */
  readonly madeRoom: (addr: Addr) => SocketError;
  /** Counts those that are ready, and those that are rejected. Default: nothing is counted. */
  readonly metrics?: MetricsSink;
}

/** See the module. */
export class PreparingListener extends BaseListener {
  readonly addr: Addr;
  readonly fd: number | undefined;
  readonly #source: Listener;
  readonly #preparation: Preparation;
  /** The connections under preparation, oldest first, with the functions that give them up. */
  readonly #preparing = new Map<Conn, AbortController>();
  /** The prepared connections that wait for an accept. */
  readonly #ready: Conn[] = [];
  #waiting: Deferred<Conn> | undefined;
  /** The error of the source, until an accept has reported it. */
  #failure: unknown;
  #pulling = false;
  /** The source was stopped, and has no more. */
  #isSourceDry = false;

  /** Begins at once to take connections from `source`, which is closed with this listener. */
  constructor(source: Listener, preparation: Preparation) {
    super();
    this.addr = source.addr;
    this.fd = source.fd;
    this.#source = source;
    this.#preparation = preparation;
    void this.#pull();
  }

  protected startAccept(): Promise<Conn> {
    const conn = this.#ready.shift();
    if (conn === undefined && this.#failure !== undefined) {
      const failure = this.#failure;
      this.#failure = undefined;
      return Promise.reject(failure);
    }
    void this.#pull();
    if (conn !== undefined) {
      this.#preparation.metrics?.connectionsQueued(-1);
      return Promise.resolve(conn);
    }
    if (this.#isDry) return Promise.reject(this.closedError());
    this.#waiting = deferred();
    return this.#waiting.promise;
  }

  /** Whether none is left, and none will come. */
  get #isDry(): boolean {
    return this.#isSourceDry && this.#preparing.size === 0 && this.#ready.length === 0;
  }

  #settle(): void {
    if (this.#isDry) this.#take()?.reject(this.closedError());
  }

  protected override stopListening(): void {
    this.#source.stop();
    // Which notices when the source has no more.
    void this.#pull();
  }

  protected destroy(): void {
    this.#source.close();
    for (const [conn, preparing] of this.#preparing) {
      preparing.abort();
      conn.reset();
    }
    const { metrics } = this.#preparation;
    for (const conn of this.#ready.splice(0)) {
      metrics?.connectionsQueued(-1);
      metrics?.connectionRejected("stopping");
      conn.reset();
    }
    this.#take()?.reject(this.closedError());
  }

  /** Takes from the source as long as there is room. */
  async #pull(): Promise<void> {
    if (this.#pulling || this.#isSourceDry) return;
    this.#pulling = true;
    try {
      while (!this.closed && this.#ready.length < this.#preparation.most) {
        void this.#begin(await this.#source.accept());
      }
    } catch (error) {
      if (this.closed) return;
      if (this.stopped && isClosed(error)) {
        this.#isSourceDry = true;
        return this.#settle();
      }
      const waiting = this.#take();
      if (waiting === undefined) this.#failure = error;
      else waiting.reject(error);
    } finally {
      this.#pulling = false;
    }
  }

  async #begin(raw: Conn): Promise<void> {
    const { prepare, most, admission, metrics, rejectReason } = this.#preparation;
    if (admission?.admit(raw.remoteAddr) === false) {
      metrics?.connectionRejected(rejectReason ?? "access");
      return raw.reset();
    }
    if (this.#preparing.size + this.#ready.length >= most) this.#makeRoom();
    const preparing = new AbortController();
    this.#preparing.set(raw, preparing);
    try {
      const conn = await prepare(raw, preparing.signal);
      const waiting = this.#take();
      if (this.closed) conn.reset();
      else if (waiting !== undefined) waiting.resolve(conn);
      else {
        this.#ready.push(conn);
        metrics?.connectionsQueued(1);
      }
    } catch {
      // It never becomes a connection; `prepare` has reported why.
      if (rejectReason !== undefined && !this.closed) metrics?.connectionRejected(rejectReason);
    } finally {
      this.#preparing.delete(raw);
      admission?.release(raw.remoteAddr);
      if (this.#failure === undefined) void this.#pull();
      this.#settle();
    }
  }

  /** Closes the client that takes the longest. */
  #makeRoom(): void {
    for (const [conn, preparing] of this.#preparing) {
      this.#preparing.delete(conn);
      preparing.abort(this.#preparation.madeRoom(conn.remoteAddr));
      return conn.reset();
    }
  }

  #take(): Deferred<Conn> | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    return waiting;
  }
}
