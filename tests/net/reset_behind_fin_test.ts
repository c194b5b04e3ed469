// A connection that is reset while its FIN is still being sent.

import assert from "node:assert/strict";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { bytes, until } from "../support/helpers.ts";
import { test } from "../support/runner.deno.ts";

test("net: a reset right behind a half-close frees the socket: the peer cannot go on sending", async () => {
  using listener = await systemTransport.listen({ host: "127.0.0.1" });
  const conn = await systemTransport.connect(listener.addr);
  using peer = await listener.accept();
  conn.closeWrite().catch(() => {});
  conn.reset();
  let failed = false;
  // The first bytes reach a socket that is gone, and are answered with RST.
  await until(() => {
    peer.write(bytes("hello")).catch(() => failed = true);
    return failed;
  }, "a write that fails");
  assert.ok(failed);
});
