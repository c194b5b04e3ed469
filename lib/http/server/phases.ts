/**
 * The phases of a connection: for what it waits, and for how long it may.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import type { Conn } from "../../net/transport.ts";
import type { ConnectionState } from "../message/connection_state.ts";
import type { HttpLimits } from "./options.ts";

/**
 * The phases of a connection. Each has its own deadline, but for the handler. Another protocol is
 * the handler's, too.
 */
export type Phase = "idle" | "head" | "body" | "handler" | "write" | "linger" | "expired";

/** The action for a connection whose time is up. */
export type Verdict = "close" | "reset" | "refuse";

/**
 * A client that keeps up with fewer bytes a second, in what it sends of a body or takes of a response,
 * is evicted for another one when it is behind for so many milliseconds. A client of a crowd is so
 * sooner: see eviction.ts.
 */
const SLOW_RATE = 500;
const SLOW_MS = 5000;

/** The time that a refused client gets to stop sending and read the response, in milliseconds. */
const LINGER_MS = 2000;

/** The parts of the server that phases use. */
export interface PhasesServer {
  /** The time of the last tick, in milliseconds of the clock. */
  readonly now: number;
  readonly settings: { readonly limits: HttpLimits; readonly clock: Clock };
}

/**
 * The phases of one connection, read off its state when a deadline is looked at. So they cost a request
 * nothing. A phase counts from the last look before it was seen, which is at most one tick too early.
 */
export class Phases {
  readonly #conn: Conn;
  readonly #server: PhasesServer;
  readonly #state: ConnectionState;
  readonly #output: { readonly writing: boolean };
  /** The phase at the last look, the number of its request, and when that look was. */
  #seen: Phase = "idle";
  #request = 0;
  #seenAt: number;
  /** When the phase began, or a byte last moved in it. */
  #since: number;
  #bytes = 0;
  /** The time up to which the bytes that moved in a body or a response pay, at the slow rate. */
  #paidUntil = 0;
  /** When a request was last answered, or the connection made. */
  #freeSince: number;
  /** When a byte last moved, or had to wait for the client. */
  #busy: number;
  /** More of a body is waited for. */
  #readsBody = false;
  /**
   * The time that the body under way has waited for the client, and the start of the present wait.
   */
  #bodyWaited = 0;
  #waitingSince = 0;
  /** The number of bytes that the connection had brought before that body. */
  #bodyStart = 0;

  /** `output.writing` is true while the client is to take something. */
  constructor(
    conn: Conn,
    server: PhasesServer,
    state: ConnectionState,
    output: { readonly writing: boolean },
  ) {
    this.#conn = conn;
    this.#server = server;
    this.#state = state;
    this.#output = output;
    this.#seenAt = this.#since = this.#busy = server.now;
    // To the millisecond: while others wait, it is evicted after half a second without a request.
    this.#freeSince = server.settings.clock.now();
  }

  /** The server's time. */
  get now(): number {
    return this.#server.now;
  }

  /** The phase the connection is in. */
  get current(): Phase {
    const { reading, writing, underWay } = this.#state;
    if (reading === "expired") return "expired";
    if (writing === "closed") return "linger";
    // A read may be waiting still after the connection has failed.
    if (this.#readsBody && reading === "body") return "body";
    if (writing === "content" || this.#output.writing) return "write";
    if (underWay || writing === "switched") return "handler";
    return reading === "head" ? "head" : "idle";
  }

  /** A body follows, whose rate counts from here on. */
  expectBody(): void {
    this.#bodyWaited = 0;
    this.#bodyStart = this.#conn.bytesRead;
  }

  /** The client is waited for, for more of the body. */
  enterBody(): void {
    this.#readsBody = true;
    this.#waitingSince = this.#server.now;
  }

  /** More of the body has come, or never will. */
  leaveBody(): void {
    this.#readsBody = false;
    this.#bodyWaited += this.#server.now - this.#waitingSince;
  }

  /**
   * For how many milliseconds there has been no request, or a part of one, or the client of the one
   * under way has been too slow; else -1.
   */
  waited(): number {
    const phase = this.#look();
    const { now } = this.#server;
    const behind = now - this.#paidUntil;
    if (isPaced(phase)) return behind < SLOW_MS ? -1 : behind;
    if (phase === "linger" || phase === "expired") return now - this.#since;
    return isFree(phase) ? now - this.#freeSince : -1;
  }

  /** For how many milliseconds the client of the request under way has been too slow; -1 without one. */
  behind(): number {
    return isPaced(this.#look()) ? this.#server.now - this.#paidUntil : -1;
  }

  /** For how many milliseconds a response being sent has brought nothing that could be sent. */
  silence(): number {
    this.#look();
    return this.#server.now - this.#busy;
  }

  /** A phase that is seen next counts from here on. */
  catchUp(): void {
    this.#look();
  }

  /** Compares the phase with its deadline. */
  sweep(): Verdict | undefined {
    const phase = this.#look();
    const { writing } = this.#output;
    const { now, settings: { limits } } = this.#server;
    const bytes = this.#conn.bytesRead + this.#conn.bytesWritten;
    // The clocks of body and response start anew with each byte, and a response's runs only while the
    // client is what it waits for.
    const moved = bytes !== this.#bytes && isPaced(phase);
    if (moved || phase === "write" && !writing) {
      const paid = this.#paidUntil + (bytes - this.#bytes) / SLOW_RATE * 1000;
      this.#paidUntil = phase === "write" && !writing ? now : Math.min(now, paid);
      this.#bytes = bytes;
      this.#since = now;
    }
    if (moved || writing) this.#busy = now;
    const elapsed = now - this.#since;
    switch (phase) {
      case "idle":
        return elapsed >= limits.idleTimeout ? "close" : undefined;
      case "head":
        return elapsed >= limits.headTimeout ? "refuse" : undefined;
      case "body":
        return elapsed >= limits.bodyTimeout || this.#tooSlow(now) ? "refuse" : undefined;
      case "write":
        return elapsed >= limits.writeTimeout ? "reset" : undefined;
      case "linger":
      case "expired":
        return elapsed >= LINGER_MS ? "close" : undefined;
    }
  }

  /** Looks which phase it is now. A new one counts from the last look. */
  #look(): Phase {
    const phase = this.current;
    const { requests } = this.#state;
    const isNext = requests !== this.#request;
    if (phase !== this.#seen || isNext) {
      if (isFree(phase) && (isNext || !isFree(this.#seen))) this.#freeSince = this.#seenAt;
      this.#seen = phase;
      this.#request = requests;
      this.#since = this.#busy = this.#paidUntil = this.#seenAt;
      this.#bytes = this.#conn.bytesRead + this.#conn.bytesWritten;
    }
    this.#seenAt = this.#server.now;
    return phase;
  }

  #tooSlow(now: number): boolean {
    const { bodyTimeout, bodyRate } = this.#server.settings.limits;
    const elapsed = this.#bodyWaited + now - this.#waitingSince;
    const bytes = this.#conn.bytesRead - this.#bodyStart;
    return elapsed >= bodyTimeout && bytes < elapsed / 1000 * bodyRate;
  }
}

/** Whether no request is under way. */
function isFree(phase: Phase): boolean {
  return phase === "idle" || phase === "head";
}

/** Whether the client is to send or take bytes at a pace. */
function isPaced(phase: Phase): boolean {
  return phase === "body" || phase === "write";
}
