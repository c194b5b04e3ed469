/**
 * Events on their way to a sink: they get their times, and the sockets their numbers.
 *
 * @module
 */

import type { Clock } from "../base/clock.ts";
import type { SocketOp } from "../base/error_codes.ts";
import { SocketError } from "../base/errors.ts";
import type { EventSink, SocketEvent } from "./events.ts";

// Omit<> on a union would merge its members; this keeps them apart.
type WithoutTime<E> = E extends unknown ? Omit<E, "time"> : never;

/** Reports events: adds their times, and numbers the sockets. */
export class Reporter {
  readonly #sink: EventSink;
  readonly #clock: Clock;
  #sockets = 0;

  constructor(sink: EventSink, clock: Clock) {
    this.#sink = sink;
    this.#clock = clock;
  }

  newSocket(): number {
    return ++this.#sockets;
  }

  emit(event: WithoutTime<SocketEvent>): void {
    this.#sink({ time: this.#clock.now(), ...event } as SocketEvent);
  }

  /** Settles as `work` does, and reports a failure. */
  async reportFailure<T>(socket: number | undefined, op: SocketOp, work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      if (error instanceof SocketError && error.code !== "ECLOSED") {
        this.emit({ type: "error", socket, op, error });
      }
      throw error;
    }
  }
}
