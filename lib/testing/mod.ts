/**
 * For tests: a transport in memory, a clock that the test moves, and the tests of the contract that
 * every transport keeps.
 *
 * @module
 */

export { VirtualClock } from "../base/clock.ts";
export { MemoryTransport } from "../net/memory/transport.ts";
export type { MemoryTransportOptions } from "../net/memory/transport.ts";
