// The contract suite on every kind of socket of the runtime at hand, and on memory.

import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { endPeers, memoryTcp, memoryUnix, startPeers, systemTcp, systemUnix } from "./networks.ts";
import { testAddresses } from "../../lib/testing/addresses.ts";
import { testNetwork } from "./transport.ts";
import { mistakes } from "../support/helpers.ts";
import { afterAll, beforeAll, test } from "../support/runner.deno.ts";

beforeAll(startPeers);
afterAll(endPeers);

const memory = new MemoryTransport();
for (const network of [systemTcp(systemTransport), systemUnix(systemTransport)]) {
  testNetwork(network);
}
for (const network of [memoryTcp(memory), memoryUnix(memory)]) testNetwork(network);
for (const transport of [systemTransport, memory]) {
  testAddresses({ transport, test: (name, run) => test(name, run) });

  test(`${transport.name}: a port out of range is told with the call and the range`, async () => {
    for (const port of [-1, 65536, 1.5, NaN]) {
      const wrong = { host: "127.0.0.1", port };
      await mistakes("RangeError", /^listen .*port .*65535, not/, transport.listen(wrong));
      await mistakes("RangeError", /^connect .*port .*65535, not/, transport.connect(wrong));
      await mistakes("RangeError", /^resolve .*port .*65535, not/, transport.resolve(wrong));
    }
  });
}
