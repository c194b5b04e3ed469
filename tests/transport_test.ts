// The contract suite on every kind of socket of the runtime at hand, and on memory.

import { MemoryTransport } from "../lib/net/memory/transport.ts";
import { systemTransport } from "../lib/net/system.deno.ts";
import { memoryTcp, memoryUnix, systemTcp, systemUnix } from "./contract/networks.ts";
import { testTcpAddresses } from "./contract/tcp.ts";
import { testTransport } from "./contract/transport.ts";
import { test } from "./runner.deno.ts";

const memory = new MemoryTransport();
for (const network of [systemTcp(systemTransport), systemUnix(systemTransport)]) {
  testTransport(network, test);
}
for (const network of [memoryTcp(memory), memoryUnix(memory)]) testTransport(network, test);
for (const transport of [systemTransport, memory]) testTcpAddresses(transport, test);
