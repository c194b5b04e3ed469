/**
 * One connection for one request: what bounds its time, and how it ends.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { abortError, SocketError } from "../../base/errors.ts";
import { IdleWatch } from "../../serve/idle.ts";
import type { Conn } from "../../net/transport.ts";
import type { Upload } from "./upload.ts";

/** A connection that closes itself when the signal says so, or when nothing moves that should. */
export class Session {
  readonly conn: Conn;
  /** The content that is being sent, if it is a stream. */
  upload: Upload | undefined;
  /** The response has come whole: a stream that is still being sent may not keep it waiting for ever. */
  whole = false;
  readonly #signal: AbortSignal;
  readonly #idle: IdleWatch;
  /** The server is being waited for. */
  #waiting = false;
  /** The head of the response has come. */
  #answered = false;
  #released = false;

  constructor(conn: Conn, signal: AbortSignal, idleTimeout: number, clock: Clock) {
    this.conn = conn;
    this.#signal = signal;
    this.#idle = new IdleWatch(idleTimeout, clock);
    const waiting = () => this.#waiting && (this.whole || this.upload?.waiting !== true);
    this.#idle.add(conn, waiting, () => conn.close(this.#silent(idleTimeout)));
    if (signal.aborted) this.#onAbort();
    signal.addEventListener("abort", this.#onAbort);
  }

  readonly #onAbort = () => {
    const late = this.#answered ? "the response has not come whole" : "no response";
    this.conn.close(abortError("read", this.conn.remoteAddr, this.#signal, late));
  };

  #silent(ms: number): SocketError {
    const what = this.#answered ? "the response has not come whole" : "no response has come";
    const why = `${what}, and nothing moved for ${ms / 1000} s`;
    return new SocketError("ETIMEDOUT", "read", { addr: this.conn.remoteAddr, why });
  }

  /** Settles as `work` does, which waits for the server: first for the head of the response. */
  async wait<T>(work: Promise<T>): Promise<T> {
    this.#waiting = true;
    try {
      const done = await work;
      this.#answered = true;
      return done;
    } finally {
      this.#waiting = false;
    }
  }

  /** Hands the connection over: nothing here bounds its time any more, or closes it. */
  release(): Conn {
    this.#released = true;
    this.#unwatch();
    return this.conn;
  }

  /** Closes the connection, unless it was handed over. A second call does nothing. */
  close(): void {
    if (this.#released) return;
    this.#unwatch();
    this.conn.close();
    this.upload?.drop(new SocketError("ECLOSED", "write", { addr: this.conn.remoteAddr }));
  }

  #unwatch(): void {
    this.#idle.delete(this.conn);
    this.#signal.removeEventListener("abort", this.#onAbort);
  }
}
