// A connection that is taken over keeps the contract, also while the server waits for its next bytes.

import { Input } from "../../lib/http/server/input.ts";
import { restOf } from "../../lib/net/rest_of_conn.ts";
import { BufferPool } from "../../lib/net/buffer_pool.ts";
import type { Conn, Listener } from "../../lib/net/transport.ts";
import { MemoryTransport, testStreams } from "../../lib/testing/mod.ts";
import { test } from "../support/runner.deno.ts";

const memory = new MemoryTransport();
const pool = new BufferPool(64 * 1024);

/** The connection, read ahead as the server does to learn whether the client is still there. */
function takenOver(conn: Conn): Conn {
  const input = new Input(conn, pool);
  // The reads that follow fail as well.
  input.receiveAhead(true)?.catch(() => {});
  return restOf(conn, input);
}

/** The listener, with the connections that it accepts taken over. */
function accepting(listener: Listener): Listener {
  const accept = listener.accept.bind(listener);
  listener.accept = async () => takenOver(await accept());
  return listener;
}

testStreams({
  name: "memory, taken over from HTTP",
  test: (title, run) => test(title, run),
  listen: async (at) => accepting(await memory.listen(at ?? { host: "127.0.0.1" })),
  connect: async (addr, signal) => takenOver(await memory.connect({ ...addr, signal })),
});
