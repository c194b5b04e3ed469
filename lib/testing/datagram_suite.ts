/**
 * What the tests of datagrams work with.
 *
 * @module
 */

import type { UdpAddr } from "../base/addr.ts";
import type { Datagram } from "../net/datagram.ts";
import type { Transport } from "../net/transport.ts";
import type { RegisterTest } from "./stream_suite.ts";

/** Where datagrams of transports differ, and may. */
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

/** What {@linkcode testDatagrams} takes. */
export interface DatagramTests extends DatagramTraits {
  /** What is tested. */
  readonly transport: Transport;
  /** Registers a test. */
  readonly test: RegisterTest;
  /** What the tests' names begin with. Default: the transport's name. */
  readonly name?: string;
}

/** What each part of the tests works with. */
export interface DatagramSuite extends DatagramTraits {
  readonly transport: Transport;
  test(title: string, run: () => Promise<void>): unknown;
  /** Makes a socket without a peer. */
  bound(host?: string): Promise<Datagram>;
  readonly host: string;
}
