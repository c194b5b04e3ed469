// The contract suite on TLS; and, over what no listener of TLS is for, what depends on how it reads.

import assert from "node:assert/strict";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import { storeOf } from "../../lib/net/tls/handshake.ts";
import { acceptTlsOver } from "../../lib/net/tls/conn.ts";
import { selfSigned } from "../../lib/net/tls/self_signed.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { assertHeldBack } from "../../lib/testing/stream_unread.ts";
import {
  endPeers,
  memoryTcp,
  type Network,
  startPeers,
  systemTls,
  systemUnix,
} from "./networks.ts";
import { testNetwork } from "./transport.ts";
import { OWN_HOST, pairThrough } from "../support/helpers.ts";
import { afterAll, beforeAll, test } from "../support/runner.deno.ts";

beforeAll(startPeers);
afterAll(endPeers);

const own = await selfSigned(["127.0.0.1", OWN_HOST]);
testNetwork(systemTls(systemTransport, own));

/** Both ends of TLS over a connection. */
async function securePair({ listen, connect }: Network) {
  const below = await pairThrough(await listen(), connect);
  const store = storeOf(own, below.listener.addr);
  const [client, server] = await Promise.all([
    systemTransport.startTls(below.client, { insecure: true }),
    acceptTlsOver(below.server, store, own, new AbortController().signal),
  ]);
  return {
    below,
    client,
    server,
    [Symbol.dispose]() {
      client.close();
      server.close();
      below[Symbol.dispose]();
    },
  };
}

for (const network of [memoryTcp(new MemoryTransport()), systemUnix(systemTransport)]) {
  test(`${systemTransport.name}, TLS over ${network.name}: whoever never reads, or reads once, holds the peer back`, () => {
    return assertHeldBack(() => securePair(network));
  });
}

test(`${systemTransport.name}, TLS over memory: a reset is one of the connection below`, async () => {
  using ends = await securePair(memoryTcp(new MemoryTransport()));
  const below = ends.below.client;
  const ended = new Promise<string>((resolve) => {
    for (const how of ["close", "reset"] as const) {
      const end = below[how].bind(below);
      below[how] = () => {
        resolve(how);
        end();
      };
    }
  });
  ends.client.reset();
  assert.equal(await ended, "reset");
});
