/**
 * Finding out which peers are gone: those who say nothing get a Ping, and are lost if that changes
 * nothing. One timer serves all connections with the same interval.
 *
 * @module
 */

import { type Clock, setSweep } from "../../base/clock.ts";

/** A connection that is watched. */
export interface Pinged {
  /** Whether anything has come since the last time that this was asked. */
  heard(): boolean;
  /** Sends a Ping. */
  sendPing(): void;
  /** Called when nothing has come for an interval after the Ping. */
  lose(): void;
}

const watches = new WeakMap<Clock, Map<number, PingWatch>>();

/** The watch of a clock and an interval. */
export function pingWatch(clock: Clock, interval: number): PingWatch {
  const ofClock = watches.get(clock) ?? new Map<number, PingWatch>();
  watches.set(clock, ofClock);
  const watch = ofClock.get(interval) ?? new PingWatch(clock, interval);
  ofClock.set(interval, watch);
  return watch;
}

/** See the module. */
export class PingWatch {
  readonly #clock: Clock;
  readonly #interval: number;
  /** The connections, and whether each was sent a Ping at the last round. */
  readonly #connections = new Map<Pinged, boolean>();
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, interval: number) {
    this.#clock = clock;
    this.#interval = interval;
  }

  add(connection: Pinged): void {
    this.#connections.set(connection, false);
    if (this.#cancel === undefined) this.#wait();
  }

  delete(connection: Pinged): void {
    if (!this.#connections.delete(connection) || this.#connections.size > 0) return;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #wait(): void {
    this.#cancel = setSweep(this.#clock, this.#interval, () => {
      this.#cancel = undefined;
      for (const [connection, pinged] of [...this.#connections]) {
        const heard = connection.heard();
        if (heard) this.#connections.set(connection, false);
        else if (pinged) connection.lose();
        else {
          this.#connections.set(connection, true);
          connection.sendPing();
        }
      }
      if (this.#connections.size > 0) this.#wait();
    });
  }
}
