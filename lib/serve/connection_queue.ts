/**
 * The connections that have been accepted, and wait for a place of their server.
 *
 * @module
 */

import type { Conn } from "../net/transport.ts";

/** The most connections that wait: as many as in a backlog. */
const MOST_WAITING = 512;

/** The share of the places that stays free for others while connections wait that give way. */
const RESERVED = 1 / 16;

/** A queue in which some connections let others go first; see the module. */
export class ConnectionQueue {
  readonly #places: number;
  readonly #givesWay: (conn: Conn) => boolean;
  /** The longest waiting first. */
  readonly #waiting: Conn[] = [];

  /**
   * `places` is the most connections of the server. `givesWay` returns whether a connection lets the
   * others go first; it is called again and again. Default: no connection does.
   */
  constructor(places: number, givesWay: (conn: Conn) => boolean = () => false) {
    this.#places = places;
    this.#givesWay = givesWay;
  }

  /** The number of connections that wait. */
  get size(): number {
    return this.#waiting.length;
  }

  /** Whether too many wait, and none of them gives way. */
  get isFull(): boolean {
    return this.size >= MOST_WAITING && !this.#waiting.some(this.#givesWay);
  }

  /**
   * Adds a connection. Returns the one to close if too many wait: the last that gives way, or else
   * the new one.
   */
  add(conn: Conn): Conn | undefined {
    if (this.size < MOST_WAITING) return void this.#waiting.push(conn);
    const last = this.#givesWay(conn) ? -1 : this.#waiting.findLastIndex(this.#givesWay);
    if (last < 0) return conn;
    const [dropped] = this.#waiting.splice(last, 1);
    this.#waiting.push(conn);
    return dropped;
  }

  /** The connection whose turn it is; some must wait. */
  next(): Conn {
    return this.#waiting.find((conn) => !this.#givesWay(conn)) ?? this.#waiting[0];
  }

  /** Whether a connection may have a place that is free when so many are taken. */
  mayEnter(conn: Conn, taken: number): boolean {
    const reserved = this.#givesWay(conn) ? Math.floor(this.#places * RESERVED) : 0;
    return this.#places - taken > reserved;
  }

  /** Removes a connection that waits. */
  delete(conn: Conn): void {
    this.#waiting.splice(this.#waiting.indexOf(conn), 1);
  }

  /** Removes all, and returns them. */
  takeAll(): readonly Conn[] {
    return this.#waiting.splice(0);
  }
}
