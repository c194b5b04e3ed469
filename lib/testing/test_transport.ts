/**
 * The contract that every transport keeps, as tests.
 *
 * @module
 */

import type { Transport } from "../net/transport.ts";
import { testAddresses } from "./addresses.ts";
import type { DatagramTraits } from "./datagram_suite.ts";
import { testDatagrams } from "./datagrams.ts";
import type { RegisterTest, StreamTraits } from "./stream_suite.ts";
import { testStreams } from "./streams.ts";

/** Options of {@linkcode testTransport}. */
export interface TransportTests {
  /** The transport under test. */
  readonly transport: Transport;
  /** Registers a test: that of `node:test`, of `Deno.test`, or one of your own. */
  readonly test: RegisterTest;
  /** The beginning of the tests' names. Default: the transport's name. */
  readonly name?: string;
  /** Differences of its connections and listeners that are allowed. Default: no differences. */
  readonly streams?: StreamTraits;
  /**
   * Differences of its datagrams that are allowed. `false` if it has no datagrams. Default: no
   * differences.
   */
  readonly datagrams?: DatagramTraits | false;
}

/**
 * Registers tests that hold a transport to the contract of {@linkcode Transport}, {@linkcode Conn},
 * {@linkcode Listener} and {@linkcode Datagram}: some 70, on TCP and UDP of loopback. They run with any
 * runner, in any order, and beside each other. The transports of this package pass them on Deno, Node
 * and Bun. {@linkcode testStreams} does the same for Unix sockets and TLS of a transport.
 *
 * A test fails by rejecting with an `AssertionError` of `node:assert`.
 *
 * @example With the runner of Node, for example in `my_transport_test.js`
 * ```ts ignore
 * import { test } from "node:test";
 * import { testTransport } from "@plainsocket/plainsocket/testing";
 * import { myTransport } from "./my_transport.js";
 *
 * testTransport({ transport: myTransport, test });
 * ```
 *
 * @example Without a runner
 * ```ts
 * import { MemoryTransport, testTransport } from "@plainsocket/plainsocket/testing";
 *
 * const tests = new Map<string, () => Promise<void>>();
 * const test = (name: string, run: () => Promise<void>) => tests.set(name, run);
 * testTransport({ transport: new MemoryTransport(), test });
 * await tests.get("memory: FIN gives null once and for ever")!();
 * ```
 */
export function testTransport(tests: TransportTests): void {
  const { transport, test, name = transport.name, streams, datagrams } = tests;
  testStreams({
    name,
    test,
    listen: (at) => transport.listen(at ?? { host: "127.0.0.1" }),
    connect: (addr, signal) => transport.connect({ ...addr, signal }),
    ...streams,
  });
  testAddresses({ name, test, transport });
  if (datagrams !== false) testDatagrams({ name, test, transport, ...datagrams });
}
