/**
 * What a connection is waiting for, and for how long it may.
 *
 * @module
 */

import type { Conn } from "../../net/transport.ts";
import type { HttpServer } from "./server.ts";

/** What a connection is waiting for; each has its own deadline, but for the handler. */
export type Phase = "idle" | "head" | "body" | "handler" | "write" | "linger" | "expired";

/** What is to be done with a connection whose time is up. */
export type Verdict = "close" | "reset" | "refuse";

/** After so many milliseconds without a byte of a body that is read, it has stalled. */
const STALLED_MS = 5000;

/** How long a client that was refused gets to take that, stop sending and read why. */
const LINGER_MS = 2000;

/** The phases of one connection. The time is that of the server's last tick, so it costs nothing. */
export class Phases {
  readonly #conn: Conn;
  readonly #server: HttpServer;
  /** When the phase began, or a byte last moved in it. */
  #since: number;
  #bytes = 0;
  /** When a request was last answered, or the connection made. */
  #freeSince: number;
  /** When a byte last moved, or had to wait for the client. */
  #busy: number;
  /** How long the client was waited for, for the body under way, and since when it is now. */
  #bodyWaited = 0;
  #waitingSince = 0;
  /** How many bytes the connection had brought before that body. */
  #bodyStart = 0;
  /** The phase the connection is in. */
  current: Phase = "idle";

  constructor(conn: Conn, server: HttpServer) {
    this.#conn = conn;
    this.#server = server;
    this.#since = this.#freeSince = this.#busy = server.now;
  }

  /** The server's time. */
  get now(): number {
    return this.#server.now;
  }

  enter(phase: Phase): void {
    if (phase === "idle" || phase === "head" && this.current !== "idle") {
      this.#freeSince = this.#server.now;
    }
    this.current = phase;
    this.#since = this.#busy = this.#server.now;
    this.#bytes = this.#conn.bytesRead + this.#conn.bytesWritten;
  }

  /** A body follows, whose rate counts from here on. */
  expectBody(): void {
    this.#bodyWaited = 0;
    this.#bodyStart = this.#conn.bytesRead;
  }

  /** The client is waited for, for more of the body. */
  enterBody(): void {
    this.enter("body");
    this.#waitingSince = this.#server.now;
  }

  /** More of the body has come; the phase is again what it was. */
  leaveBody(phase: Phase): void {
    this.#bodyWaited += this.#server.now - this.#waitingSince;
    this.enter(phase);
  }

  /**
   * For how many milliseconds there has been no request, or a part of one; -1 if one is under way. One
   * whose body has stalled counts as none from the moment on at which it has for some seconds.
   */
  waited(): number {
    const { current } = this;
    const { now } = this.#server;
    if (current === "body") return Math.max(-1, now - this.#since - STALLED_MS);
    if (current === "linger" || current === "expired") return now - this.#since;
    return current === "idle" || current === "head" ? now - this.#freeSince : -1;
  }

  /** For how many milliseconds a reply being sent has brought nothing that could be sent. */
  silence(): number {
    return this.#server.now - this.#busy;
  }

  /** Compares the phase with its deadline; `writing` tells whether the client is to take a reply. */
  sweep(now: number, writing: boolean): Verdict | undefined {
    const { limits } = this.#server.settings;
    const phase = this.current;
    const bytes = this.#conn.bytesRead + this.#conn.bytesWritten;
    // The clocks of body and reply start anew with each byte, and a reply's runs only while the
    // client is what it waits for.
    const moved = bytes !== this.#bytes && (phase === "body" || phase === "write");
    if (moved || phase === "write" && !writing) {
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

  #tooSlow(now: number): boolean {
    const { bodyTimeout, bodyRate } = this.#server.settings.limits;
    const elapsed = this.#bodyWaited + now - this.#waitingSince;
    const bytes = this.#conn.bytesRead - this.#bodyStart;
    return elapsed >= bodyTimeout && bytes < elapsed / 1000 * bodyRate;
  }
}
