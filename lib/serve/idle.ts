/**
 * Closing connections on which nothing moves. One coarse timer sweeps all of them and looks at their
 * byte counters, so reading and writing cost nothing more.
 *
 * @module
 */

import { type Clock, setSweep } from "../base/clock.ts";
import { SocketError } from "../base/errors.ts";
import type { Addr, Endpoint } from "../base/addr.ts";
import type { Conn } from "../net/transport.ts";

const SWEEP_MS = 1000;

/** The part of a connection that is watched. */
interface Watchable extends Pick<Conn, "bytesRead" | "bytesWritten" | "close"> {
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

/** Watches connections; see the module. */
export class IdleWatch {
  readonly #limit: number;
  readonly #clock: Clock;
  readonly #conns = new Map<Watchable, Watched>();
  #cancel: (() => void) | undefined;

  /**
   * Connections on which no byte moved for `limit` milliseconds are closed with ETIMEDOUT, at most
   * a second (or a quarter of the limit) late. A limit of 0 watches nothing.
   */
  constructor(limit: number, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
  }

  /** Starts watching. Time in which `waiting` says false does not count; `close` is what closes. */
  add(
    conn: Watchable,
    waiting: () => boolean = () => true,
    close: (why: SocketError) => void = (why) => conn.close(why),
  ): void {
    if (this.#limit === 0) return;
    this.#conns.set(conn, { bytes: 0, since: this.#clock.now(), waiting, close });
    this.#cancel ??= this.#arm();
  }

  /** Stops watching. */
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
