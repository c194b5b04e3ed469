/**
 * For tests: a transport in memory, a clock that the test moves, and the tests of the contract that
 * every transport keeps.
 *
 * @module
 */

export { VirtualClock } from "../base/virtual_clock.ts";
export { MemoryTransport } from "../net/memory/transport.ts";
export type { MemoryTransportOptions } from "../net/memory/transport.ts";
export { testAddresses } from "./addresses.ts";
export type { AddressTests } from "./addresses.ts";
export { testDatagrams } from "./datagrams.ts";
export type { DatagramTests, DatagramTraits } from "./datagram_suite.ts";
export { testStreams } from "./streams.ts";
export type {
  ContractPeer,
  RegisterTest,
  ResettingPeer,
  StreamTests,
  StreamTraits,
  UnansweredPeer,
} from "./stream_suite.ts";
export { testTransport } from "./test_transport.ts";
export type { TransportTests } from "./test_transport.ts";
