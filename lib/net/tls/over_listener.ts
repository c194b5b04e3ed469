/**
 * Listening with TLS over the connections of another listener.
 *
 * @module
 */

import type { Addr } from "../../base/addr.ts";
import { type Deferred, deferred } from "../../base/wait.ts";
import { SocketError } from "../../base/errors.ts";
import type { Admission } from "../admission.ts";
import { BaseListener } from "../conn_base.ts";
import type { Conn, Listener } from "../transport.ts";
import type { CertificateStore } from "./certificates.ts";
import { acceptTlsOver } from "./conn.ts";
import { madeRoom, storeOf } from "./handshake.ts";
import type { TlsServerOptions } from "./options.ts";

/** Shakes hands as the server over `conn`, which is closed if that fails. */
export type AcceptTls = (
  conn: Conn,
  store: CertificateStore,
  options: TlsServerOptions,
  signal: AbortSignal,
) => Promise<Conn>;

/**
 * Shakes hands with those that `source` accepts, at most `backlog` at a time. Throws EINVAL if the
 * certificates and keys are not valid; the source is closed then.
 */
export function listenTlsOver(
  source: Listener,
  options: TlsServerOptions,
  backlog: number,
  accept: AcceptTls = acceptTlsOver,
): Listener {
  const { onHandshakeError, admission } = options;
  try {
    const store = storeOf(options, source.addr);
    const shake = async (conn: Conn, signal: AbortSignal): Promise<Conn> => {
      try {
        return await accept(conn, store, options, signal);
      } catch (error) {
        // ECANCELED: the listener was closed.
        const tell = error instanceof SocketError && error.code !== "ECANCELED";
        if (tell) onHandshakeError?.(error);
        throw error;
      }
    };
    return new HandshakeListener(source, shake, backlog, admission);
  } catch (error) {
    source.close();
    throw error;
  }
}

/**
 * A listener whose connections have shaken hands already when they are accepted. Handshakes go on
 * beside each other, so that nobody waits for a client that takes its time. `shake` settles in bounded
 * time, at once when aborted, and closes what it rejects.
 */
class HandshakeListener extends BaseListener {
  readonly addr: Addr;
  readonly #source: Listener;
  readonly #shake: (raw: Conn, signal: AbortSignal) => Promise<Conn>;
  readonly #most: number;
  readonly #admission: Admission | undefined;
  /** Handshakes under way, in the order in which they began, with what gives them up. */
  readonly #shaking = new Map<Conn, AbortController>();
  /** Those that are done, and not yet asked for. */
  readonly #ready: Conn[] = [];
  #waiting: Deferred<Conn> | undefined;
  /** The error of the source, until an accept has reported it. */
  #failure: unknown;
  #pulling = false;

  /**
   * At most `most` connections shake hands or are ready at a time: for who comes on top, the oldest
   * handshake makes room. While `most` are ready, the rest stays at the source.
   */
  constructor(
    source: Listener,
    shake: (raw: Conn, signal: AbortSignal) => Promise<Conn>,
    most: number,
    admission?: Admission,
  ) {
    super();
    this.addr = source.addr;
    this.#source = source;
    this.#shake = shake;
    this.#most = most;
    this.#admission = admission;
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
    if (conn !== undefined) return Promise.resolve(conn);
    this.#waiting = deferred();
    return this.#waiting.promise;
  }

  protected destroy(): void {
    this.#source.close();
    for (const [conn, handshake] of this.#shaking) {
      handshake.abort();
      conn.reset();
    }
    for (const conn of this.#ready.splice(0)) conn.reset();
    this.#take()?.reject(this.closedError());
  }

  /** Takes from the source as long as there is room. */
  async #pull(): Promise<void> {
    if (this.#pulling) return;
    this.#pulling = true;
    try {
      while (!this.closed && this.#ready.length < this.#most) {
        void this.#begin(await this.#source.accept());
      }
    } catch (error) {
      if (this.closed) return;
      const waiting = this.#take();
      if (waiting === undefined) this.#failure = error;
      else waiting.reject(error);
    } finally {
      this.#pulling = false;
    }
  }

  async #begin(raw: Conn): Promise<void> {
    if (this.#admission?.admit(raw.remoteAddr) === false) return raw.reset();
    if (this.#shaking.size + this.#ready.length >= this.#most) this.#makeRoom();
    const handshake = new AbortController();
    this.#shaking.set(raw, handshake);
    try {
      const conn = await this.#shake(raw, handshake.signal);
      const waiting = this.#take();
      if (this.closed) conn.reset();
      else if (waiting === undefined) this.#ready.push(conn);
      else waiting.resolve(conn);
    } catch {
      // It never becomes a connection; `shake` has reported why.
    } finally {
      this.#shaking.delete(raw);
      this.#admission?.release(raw.remoteAddr);
      if (this.#failure === undefined) void this.#pull();
    }
  }

  /** Closes the client whose handshake takes the longest. */
  #makeRoom(): void {
    for (const [conn, handshake] of this.#shaking) {
      this.#shaking.delete(conn);
      handshake.abort(madeRoom(conn.remoteAddr));
      return conn.reset();
    }
  }

  #take(): Deferred<Conn> | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    return waiting;
  }
}
