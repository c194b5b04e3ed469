// Listens on the socket file named by its argument and connects to it, and prints how that ended:
// for tests of what a process may not do.

import process from "node:process";
import type { SocketError } from "../../lib/base/errors.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";

const path = process.argv[2];
try {
  using listener = await systemTransport.listen({ path });
  using _client = await systemTransport.connect(listener.addr);
  process.stdout.write("connected\n");
} catch (error) {
  process.stdout.write(`${(error as SocketError).message}\n`);
}
