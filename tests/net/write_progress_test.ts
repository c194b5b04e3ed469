// How far a large write is, as its connection tells while it is under way: that is what deadlines go
// by, and a peer that takes little at a time is not one that takes nothing.

import assert from "node:assert/strict";
import { selfSigned } from "../../lib/net/tls/self_signed.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { systemTcp, systemTls, systemUnix } from "../contract/networks.ts";
import { OWN_HOST, readExactly, unsendable, until } from "../support/helpers.ts";
import { runtime, test } from "../support/runner.deno.ts";

/** Writes are handed over in pieces of some multiple of this. */
const PIECE = 64 * 1024;

/** Bun does not tell how much of what a socket was given has not left. */
const TELLS_PARTS = runtime !== "Bun";
const WHAT = TELLS_PARTS ? "of a part of a piece, too" : "of whole pieces only";

/** Whether this many bytes are what a write tells that is under way. */
function isPast(bytes: number): boolean {
  return TELLS_PARTS ? bytes % PIECE !== 0 : bytes > 0;
}

const networks = [
  systemTcp(systemTransport),
  systemUnix(systemTransport),
  systemTls(systemTransport, await selfSigned(["127.0.0.1", OWN_HOST])),
];
for (const network of networks) {
  for (const way of ["client", "server"] as const) {
    test(`${network.name}: bytesWritten tells ${WHAT}, of the ${way}'s write`, async () => {
      using ends = await network.pair();
      const [from, to] = way === "client" ? [ends.client, ends.server] : [ends.server, ends.client];
      const data = unsendable();
      const writing = from.write(data);
      // The kernel's buffers are full now, wherever in a piece that is.
      await until(() => isPast(from.bytesWritten), `the write to tell ${WHAT}`);
      if (!TELLS_PARTS) assert.equal(from.bytesWritten % PIECE, 0);
      const before = from.bytesWritten;
      assert.ok(before < data.length);
      await Promise.all([readExactly(to, data.length), writing]);
      assert.equal(from.bytesWritten, data.length);
    });
  }
}
