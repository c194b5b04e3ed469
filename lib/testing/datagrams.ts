/**
 * The part of the contract that is about datagrams.
 *
 * @module
 */

import { testDatagramAddresses } from "./datagram_addresses.ts";
import { testDatagramData } from "./datagram_data.ts";
import type { DatagramSuite, DatagramTests } from "./datagram_suite.ts";

/** Registers the tests of {@linkcode Datagram}. */
export function testDatagrams(tests: DatagramTests): void {
  const { transport, name = transport.name } = tests;
  const suite: DatagramSuite = {
    tellsRefused: true,
    host: "127.0.0.1",
    ...tests,
    test: (title, run) => tests.test(`${name}, datagrams: ${title}`, run),
    bound: (host = "127.0.0.1") => transport.listenDatagram({ host }),
  };
  testDatagramData(suite);
  testDatagramAddresses(suite);
}
