/**
 * The context of the tests of datagrams.
 *
 * @module
 */

import type { UdpAddr } from "../base/addr.ts";
import type { Datagram } from "../net/datagram.ts";
import type { Transport } from "../net/transport.ts";
import type { RegisterTest } from "./stream_suite.ts";

/** Differences between datagrams of transports that are allowed. */
export interface DatagramTraits {
  /** An address of loopback where nobody else takes ports meanwhile. Default: 127.0.0.1. */
  readonly host?: string;
  /** Whether a socket learns that its peer's host refuses; on Deno it does not. Default: true. */
  readonly tellsRefused?: boolean;
  /** Whether a socket without a peer of its own learns it, too, as on Bun. Default: false. */
  readonly tellsOfOthers?: boolean;
  /** Waits until the address of a closed socket is free. Default: it is free at once. */
  readonly untilFree?: (addr: UdpAddr) => Promise<void>;
}

/** Options of {@linkcode testDatagrams}. */
export interface DatagramTests extends DatagramTraits {
  /** The transport under test. */
  readonly transport: Transport;
  /** Registers a test. */
  readonly test: RegisterTest;
  /** The beginning of the tests' names. Default: the transport's name. */
  readonly name?: string;
}

/** The context of each part of the tests. */
export interface DatagramSuite extends DatagramTraits {
  readonly transport: Transport;
  test(title: string, run: () => Promise<void>): unknown;
  /** Makes a socket without a peer. */
  bound(host?: string): Promise<Datagram>;
  readonly host: string;
}
