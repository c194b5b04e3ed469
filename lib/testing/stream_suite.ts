/**
 * The context of the tests of connections and listeners.
 *
 * @module
 */

import type { Addr, Endpoint } from "../base/addr.ts";
import type { SocketErrorCode } from "../base/error_codes.ts";
import type { Conn, Listener } from "../net/transport.ts";
import type { Pair } from "./support.ts";

/** A peer that a test asks the caller for: see {@linkcode StreamTraits}. */
export type ContractPeer = "resetting" | "unanswered";

/**
 * Registers a test with a runner, as `test` of `node:test` and `Deno.test` do. `uses` names the peer
 * of the caller's own that the test asks for, so that it can be skipped where there is none today.
 */
export type RegisterTest = (name: string, run: () => Promise<void>, uses?: ContractPeer) => unknown;

/** A connection, and a peer that can break it off. */
export interface ResettingPeer extends AsyncDisposable {
  /** The connection that is tested. */
  readonly conn: Conn;
  /** Makes the peer send `data`, and then reset the connection. */
  reset(data: string): void;
  /** Makes another connection, after the last one was reset. */
  again(): Promise<Conn>;
}

/** An address that nobody answers at, so that connecting to it takes for ever. */
export interface UnansweredPeer extends AsyncDisposable {
  /** The address. */
  readonly endpoint: Endpoint;
  /** Whether somebody is connecting to it. */
  isAsked(): boolean;
}

/** Differences of a kind of socket that are allowed, and the odd peers that the tests need. */
export interface StreamTraits {
  /**
   * Makes a connection whose peer resets it. Default: a connection of its own, reset by
   * {@linkcode Conn.reset}. `null` leaves the tests of resets out.
   */
  readonly resetting?: (() => Promise<ResettingPeer>) | null;
  /** Makes an address that nobody answers at. Default: the tests that need one are left out. */
  readonly unanswered?: () => Promise<UnansweredPeer>;
  /** Waits until the address of a closed listener is free. Default: it is free at once. */
  readonly untilFree?: (addr: Addr) => Promise<void>;
  /** The code of connecting to an address whose listener is closed. Default: ECONNREFUSED. */
  readonly nobody?: SocketErrorCode;
  /** The codes of a write that waits while the peer resets. Default: ECONNRESET and EPIPE. */
  readonly brokenWrite?: readonly SocketErrorCode[];
  /**
   * The end that a client reads which was not accepted when the listener closed: ECONNRESET, or
   * `null` for the end of the stream. Default: either will do.
   */
  readonly leftWaiting?: "ECONNRESET" | null;
  /**
   * The most bytes that a connection takes which nobody reads from: what both ends hold. Less makes the
   * tests faster, and stricter. Default: 16 MiB, more than a kernel holds of TCP.
   */
  readonly mostUnread?: number;
}

/** Options of {@linkcode testStreams}: how a kind of socket listens and connects. */
export interface StreamTests extends StreamTraits {
  /** The beginning of the tests' names. */
  readonly name: string;
  /** Registers a test. */
  readonly test: RegisterTest;
  /** Listens on an address of its own, or again on `at`, which a listener had before. */
  listen(at?: Addr): Promise<Listener>;
  /** Connects to an address; `signal` gives up, as that of {@linkcode Transport.connect}. */
  connect(addr: Addr | Endpoint, signal?: AbortSignal): Promise<Conn>;
}

/** The context of each part of the tests. */
export interface StreamSuite extends Omit<StreamTests, "name" | "resetting"> {
  /** Makes both ends of a connection. */
  pair(): Promise<Pair>;
  readonly resetting: (() => Promise<ResettingPeer>) | null;
  readonly nobody: SocketErrorCode;
  readonly brokenWrite: readonly SocketErrorCode[];
  readonly mostUnread: number;
  /** Random bytes, always the same, of which a write has to wait: more than `mostUnread`. */
  unsendable(): Uint8Array;
}
