/**
 * Closing connections on which nothing moves. One coarse timer sweeps all of them and looks at their
 * byte counters, so reading and writing cost nothing more.
 *
 * @module
 */

import { checkArgument, CLOCK, TIMEOUT } from "../base/arguments.ts";
import { type Clock, setSweep, systemClock } from "../base/clock.ts";
import { SocketError } from "../base/errors.ts";
import type { Addr, Endpoint } from "../base/addr.ts";
import type { Conn } from "../net/transport.ts";

const SWEEP_MS = 1000;

/** The part of a connection that {@linkcode IdleWatch} needs. Every {@linkcode Conn} has it. */
export interface Watchable extends Pick<Conn, "bytesRead" | "bytesWritten" | "close"> {
  /** The address of the peer, for the error. */
  readonly remoteAddr: Addr | Endpoint;
}

interface Watched {
  /** The sum of the counters when they last moved, and the time of that. */
  bytes: number;
  since: number;
  /** Whether the peer is expected to do something now. */
  readonly waiting: () => boolean;
  readonly close: (why: SocketError) => void;
}

/**
 * Closes connections on which no byte moves for some time. `serve()` has it as `idleTimeout`; this is
 * the same for connections that a program makes itself.
 *
 * @example A client that does not wait for a silent server for ever
 * ```ts
 * import { dial, IdleWatch, serve, systemTransport } from "@plainsocket/plainsocket";
 * import assert from "node:assert/strict";
 *
 * const listener = await systemTransport.listen({ host: "127.0.0.1" });
 * const silent = serve(listener, async (conn) => {
 *   await conn.read(new Uint8Array(1));
 * });
 *
 * const conn = await dial(systemTransport, listener.addr);
 * const idle = new IdleWatch(100);
 * idle.add(conn);
 * try {
 *   await assert.rejects(conn.read(new Uint8Array(1)), { code: "ETIMEDOUT" });
 * } finally {
 *   idle.delete(conn);
 *   conn.close();
 * }
 *
 * await silent.stop();
 * ```
 */
export class IdleWatch {
  readonly #limit: number;
  readonly #clock: Clock;
  readonly #conns = new Map<Watchable, Watched>();
  #cancel: (() => void) | undefined;

  /**
   * Connections on which no byte moved for `limit` milliseconds are closed with ETIMEDOUT, at most
   * a second (or a quarter of the limit) late. A limit of 0 watches nothing. Throws a RangeError for a
   * negative limit.
   */
  constructor(limit: number, clock: Clock = systemClock) {
    checkArgument("new IdleWatch", limit, TIMEOUT);
    checkArgument("new IdleWatch", clock, CLOCK);
    this.#limit = limit;
    this.#clock = clock;
  }

  /**
   * Starts watching a connection. Time in which `waiting` returns false does not count. `close` is
   * called with the error in place of `conn.close()`, if it is given.
   */
  add(
    conn: Watchable,
    waiting: () => boolean = () => true,
    close: (why: SocketError) => void = (why) => conn.close(why),
  ): void {
    if (this.#limit === 0) return;
    this.#conns.set(conn, { bytes: 0, since: this.#clock.now(), waiting, close });
    this.#cancel ??= this.#arm();
  }

  /** Stops watching a connection. Call it when the connection has ended. */
  delete(conn: Watchable): void {
    this.#conns.delete(conn);
    if (this.#conns.size > 0) return;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #arm(): () => void {
    return setSweep(this.#clock, Math.min(SWEEP_MS, this.#limit / 4), () => {
      this.#sweep();
      this.#cancel = this.#conns.size > 0 ? this.#arm() : undefined;
    });
  }

  #sweep(): void {
    const now = this.#clock.now();
    for (const [conn, watched] of this.#conns) {
      const bytes = conn.bytesRead + conn.bytesWritten;
      if (bytes !== watched.bytes || !watched.waiting()) {
        watched.bytes = bytes;
        watched.since = now;
      } else if (now - watched.since >= this.#limit) {
        this.#conns.delete(conn);
        watched.close(
          new SocketError("ETIMEDOUT", "read", {
            addr: conn.remoteAddr,
            why: `nothing moved for ${this.#limit / 1000} s`,
          }),
        );
      }
    }
  }
}
