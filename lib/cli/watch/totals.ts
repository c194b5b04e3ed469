/**
 * The totals of all connections, as a whole and by second.
 *
 * @module
 */

/** The number of seconds that are kept. */
export const SECONDS = 60;

/** The counts of one second. */
export interface Second {
  /** The number of the second, from the start. */
  readonly second: number;
  opened: number;
  /** The bytes of both directions. */
  bytes: number;
  errors: number;
  /** The number of connections that were open at its end. */
  open: number;
}

/** The counts from the start. */
export interface Counts {
  events: number;
  opened: number;
  open: number;
  bytesIn: number;
  bytesOut: number;
  errors: number;
  /** Connections that are not shown any more. */
  droppedConnections: number;
  /** Events that are not kept any more. */
  droppedEvents: number;
}

/** See the module. */
export class Totals {
  readonly counts: Counts = {
    events: 0,
    opened: 0,
    open: 0,
    bytesIn: 0,
    bytesOut: 0,
    errors: 0,
    droppedConnections: 0,
    droppedEvents: 0,
  };
  readonly #seconds: Second[] = [];

  /** An attempt or a connection began. */
  begin(time: number): void {
    this.counts.opened++;
    this.counts.open++;
    this.#at(time).opened++;
  }

  /** It ended. */
  end(time: number): void {
    this.counts.open--;
    this.#at(time);
  }

  /** Bytes were moved. */
  move(time: number, direction: "bytesIn" | "bytesOut", bytes: number): void {
    this.counts[direction] += bytes;
    this.#at(time).bytes += bytes;
  }

  /** Something failed. */
  fail(time: number): void {
    this.counts.errors++;
    this.#at(time).errors++;
  }

  /** The last seconds in which something happened, from `since` on. */
  since(since: number): readonly Second[] {
    return this.#seconds.filter(({ second }) => second >= since);
  }

  #at(time: number): Second {
    const second = Math.max(0, Math.floor(time / 1000));
    let last = this.#seconds.at(-1);
    if (last === undefined || last.second < second) {
      last = { second, opened: 0, bytes: 0, errors: 0, open: 0 };
      this.#seconds.push(last);
      if (this.#seconds.length > SECONDS) this.#seconds.shift();
    }
    last.open = this.counts.open;
    return last;
  }
}
