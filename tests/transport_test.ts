// The contract suite on the sockets of the runtime at hand, and on memory.

import { MemoryTransport } from "../lib/memory.ts";
import { systemTransport } from "../lib/transport.deno.ts";
import {
  countDescriptors,
  memoryResetting,
  memoryUnanswered,
  systemResetting,
  systemUnanswered,
} from "./contract/parties.ts";
import { testTransport } from "./contract/transport.ts";
import { test } from "./runner.deno.ts";

testTransport({
  test,
  transport: systemTransport,
  resetting: () => systemResetting(systemTransport),
  unanswered: systemUnanswered,
  countDescriptors,
});

const memory = new MemoryTransport();
testTransport({
  test,
  transport: memory,
  resetting: () => memoryResetting(memory),
  unanswered: () => memoryUnanswered(memory),
});
