/**
 * The connection below TLS, as the stream that `node:tls` reads from and writes to.
 *
 * @module
 */

import { type Clock, systemClock } from "../../base/clock.ts";
import type { Conn } from "../transport.ts";
import { ConnStream } from "../conn_to_duplex.ts";

/** The time in which close_notify must be sent, in milliseconds. */
export const CLOSE_TIMEOUT = 5000;

/**
 * See the module. Once TLS has ended on both sides, `node:tls` destroys what is below it, whether
 * close_notify has left or is still to be written. So destroying it waits until all that was written has
 * left, for {@linkcode CLOSE_TIMEOUT} at most. An error, and {@linkcode free}, end it at once.
 */
export class StreamBelow extends ConnStream {
  readonly #clock: Clock;
  #leaving = false;

  constructor(conn: Conn, clock: Clock = systemClock) {
    super(conn);
    this.#clock = clock;
  }

  override destroy(error?: Error | null): this {
    const left = error ? undefined : this.flushed();
    if (left === undefined) return super.destroy(error ?? undefined);
    if (!this.#leaving) void this.#destroyWhen(left);
    return this;
  }

  async #destroyWhen(left: Promise<void>): Promise<void> {
    this.#leaving = true;
    const cancel = this.#clock.setTimer(CLOSE_TIMEOUT, () => this.free());
    await left;
    cancel();
    this.free();
  }

  /** Destroys it, and gives up what has not left. */
  free(): void {
    super.destroy();
  }
}
