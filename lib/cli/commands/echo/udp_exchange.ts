/**
 * The client of the echo protocol (RFC 862) over UDP: sends, sends again what is not answered, and
 * counts what is lost.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { Backoff } from "../../../base/backoff.ts";
import { formatAddr } from "../../../base/addr.ts";
import { type Clock, systemClock } from "../../../base/clock.ts";
import { type Deferred, deferred, within } from "../../../base/wait.ts";
import { counted } from "../../../base/counted.ts";
import type { Datagram } from "../../../net/datagram.ts";
import { SocketError } from "../../../base/errors.ts";

/** The time to wait for the first echo, in milliseconds: RFC 8085 section 3.1.1, after RFC 6298. */
const FIRST_TIMEOUT_MS = 1000;
const LAST_TIMEOUT_MS = 60_000;

/** The number of datagrams that are remembered after their answer or timeout, to recognize late echoes. */
const REMEMBERED = 16;

/** More than any datagram has. */
const LARGEST = 65_535;

/** Options of {@linkcode DatagramEcho}. */
export interface DatagramEchoOptions {
  /** The datagrams to send. Their bytes must not change. */
  readonly source: AsyncIterable<Uint8Array>;
  /** Takes what comes back; the next datagram is sent when it resolves. */
  readonly sink: (data: Uint8Array) => void | Promise<void>;
  /** The number of times that a datagram is sent again before it counts as lost. */
  readonly retries: number;
  /**
   * The time without an echo after which it gives up, even with retries left, in milliseconds; 0 for no
   * limit.
   */
  readonly timeout: number;
  /** The clock. Default: the system's. */
  readonly clock?: Clock;
}

/** The outcome of a {@linkcode DatagramEcho}. Each datagram is either echoed or lost. */
export interface DatagramEchoOutcome {
  /** The number of datagrams that were sent, each counted once. */
  readonly sent: number;
  /** The number of datagrams that came back. */
  readonly echoed: number;
  /** The number of datagrams that did not come back, although they were sent again. */
  readonly lost: number;
  /** The number of times that a datagram was sent again. */
  readonly retransmitted: number;
  /** The number of echoes that had come before, or came too late. */
  readonly duplicates: number;
  /** The number, from 1, of the datagram that waited when something else than its echo came. */
  readonly differsAt: number | undefined;
}

interface Outstanding {
  readonly data: Uint8Array;
  /** Resolves to true when its echo has come, and to false when everything is over. */
  readonly echoed: Deferred<boolean>;
}

/**
 * One exchange with an echo server, on a socket with one peer that the caller closes.
 *
 * An echo carries nothing but the bytes that were sent, so it is matched by them. One datagram at a
 * time is on its way: what comes is its echo, or a late one of a datagram before it, or a mistake.
 * A late echo that equals the datagram on its way is taken for its echo, which nobody can tell apart.
 *
 * A datagram is sent again when its echo has not come within a second, and then within twice that,
 * and so on up to a minute. The time goes back to a second when a datagram is echoed that was sent
 * but once (Karn's algorithm, RFC 6298 section 3).
 */
export class DatagramEcho {
  readonly #socket: Datagram;
  readonly #options: DatagramEchoOptions;
  readonly #clock: Clock;
  readonly #earlier: Uint8Array[] = [];
  readonly #counts = { sent: 0, echoed: 0, lost: 0, retransmitted: 0, duplicates: 0 };
  #outstanding: Outstanding | undefined;
  /** The time that the echo of a datagram may take. */
  readonly #patience = new Backoff(FIRST_TIMEOUT_MS, LAST_TIMEOUT_MS);
  /** Since when the server owes an echo, of whichever datagram. */
  #silentSince: number | undefined;
  /** Settles when the sink has taken what came last. */
  #sunk: Promise<void> | void = undefined;
  #over = false;

  constructor(socket: Datagram, options: DatagramEchoOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** The counts so far. */
  get counts(): Omit<DatagramEchoOutcome, "differsAt"> {
    return this.#counts;
  }

  /**
   * Sends all, until each datagram is echoed or lost, or what comes differs. Rejects with the error of
   * sending or receiving, ETIMEDOUT after the timeout, or with the error of the source.
   */
  async run(): Promise<DatagramEchoOutcome> {
    const receiving = this.#receive();
    // It goes on until the socket is closed, when nobody listens to it any more.
    receiving.catch(() => {});
    try {
      const differsAt = await Promise.race([receiving, this.#sendAll()]);
      return { ...this.#counts, differsAt };
    } finally {
      this.#over = true;
      this.#outstanding?.echoed.resolve(false);
    }
  }

  async #sendAll(): Promise<undefined> {
    for await (const data of this.#options.source) {
      const outstanding = this.#outstanding = { data, echoed: deferred<boolean>() };
      this.#counts.sent++;
      const echoed = await this.#exchange(outstanding);
      if (this.#over) return;
      if (echoed) await this.#sunk;
      else {
        this.#counts.lost++;
        this.#remember(outstanding);
      }
    }
  }

  /** Sends a datagram, and again; resolves to whether it was echoed. */
  async #exchange({ data, echoed }: Outstanding): Promise<boolean> {
    for (let attempt = 0; attempt <= this.#options.retries && !this.#over; attempt++) {
      if (attempt > 0) this.#counts.retransmitted++;
      this.#silentSince ??= this.#clock.now();
      await this.#socket.send(data);
      if (await this.#within(echoed.promise)) {
        if (attempt === 0) this.#patience.reset();
        return true;
      }
      this.#patience.next();
    }
    return false;
  }

  /** Waits for the echo, as long as it is its time. Rejects ETIMEDOUT if all of it is up. */
  async #within(echoed: Promise<boolean>): Promise<boolean> {
    const [timeout, left] = [this.#patience.ms, this.#left()];
    const answer = await within(echoed, Math.min(timeout, left), this.#clock);
    if (answer === undefined && timeout >= left) throw this.#timedOut();
    return answer ?? false;
  }

  #left(): number {
    const { timeout } = this.#options;
    if (timeout === 0 || this.#silentSince === undefined) return Infinity;
    return Math.max(0, this.#silentSince + timeout - this.#clock.now());
  }

  async #receive(): Promise<number> {
    const buffer = new Uint8Array(LARGEST);
    for (;;) {
      const { size } = await this.#socket.receive(buffer);
      const data = buffer.subarray(0, size);
      const outstanding = this.#outstanding;
      if (outstanding !== undefined && Buffer.compare(outstanding.data, data) === 0) {
        this.#remember(outstanding);
        this.#counts.echoed++;
        this.#silentSince = undefined;
        this.#sunk = this.#options.sink(data);
        outstanding.echoed.resolve(true);
        await this.#sunk;
      } else if (this.#earlier.some((earlier) => Buffer.compare(earlier, data) === 0)) {
        this.#counts.duplicates++;
      } else {
        await this.#options.sink(data);
        return this.#counts.sent;
      }
    }
  }

  /** It is done with: what comes and equals it is late. */
  #remember({ data }: Outstanding): void {
    this.#outstanding = undefined;
    if (this.#earlier.push(data) > REMEMBERED) this.#earlier.shift();
  }

  #timedOut(): SocketError {
    const { sent, echoed } = this.#counts;
    const { addr, remoteAddr } = this.#socket;
    const from = remoteAddr === undefined ? "" : ` from ${formatAddr(remoteAddr)}`;
    const seconds = this.#options.timeout / 1000;
    const all = counted(sent, "datagram");
    const why = `no echo came${from} within ${seconds} s, after ${echoed} of ${all}`;
    return new SocketError("ETIMEDOUT", "receive", { addr, why });
  }
}
