// The contract suite for datagrams on the sockets of the runtime at hand, and on memory.

import { MemoryTransport } from "../lib/net/memory/transport.ts";
import { systemTransport } from "../lib/net/system.deno.ts";
import { testDatagrams } from "./contract/datagram.ts";
import { until } from "./helpers.ts";
import { isBound } from "./kernel.ts";
import { runtime, test } from "./runner.deno.ts";

testDatagrams({
  transport: systemTransport,
  // There is no connect(2) for datagrams in Deno's node:dgram.
  tellsRefused: runtime !== "Deno",
  tellsOfOthers: runtime === "Bun",
  // Deno frees a socket when its pending receive has noticed.
  untilFree: runtime === "Deno"
    ? (addr) => until(() => !isBound(addr), "the socket to be gone")
    : undefined,
  hasDescriptors: true,
}, test);

testDatagrams({ transport: new MemoryTransport(), tellsRefused: true }, test);
