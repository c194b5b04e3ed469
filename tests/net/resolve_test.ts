// Which of a name's addresses is the one, where one is wanted.

import assert from "node:assert/strict";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import { test } from "../support/runner.deno.ts";

test("a name that is ::1 and 127.0.0.1 means 127.0.0.1, to listen and to connect", async () => {
  const transport = new MemoryTransport({ hosts: { localhost: ["::1", "127.0.0.1"] } });
  using listener = await transport.listen({ host: "localhost", port: 7 });
  assert.equal(listener.addr.host, "127.0.0.1");
  using conn = await transport.connect({ host: "localhost", port: 7 });
  assert.equal(conn.remoteAddr.host, "127.0.0.1");
});

test("any other name means its first address", async () => {
  const hosts = { six: ["::1"], far: ["2001:db8::1", "192.0.2.1"] };
  const transport = new MemoryTransport({ hosts });
  for (const [host, addrs] of Object.entries(hosts)) {
    using listener = await transport.listen({ host, port: 7 });
    assert.equal(listener.addr.host, addrs[0]);
    using conn = await transport.connect({ host, port: 7 });
    assert.equal(conn.remoteAddr.host, addrs[0]);
  }
});
