// A TLS listener that is stopped, and a server on it: handshakes that are under way.

import assert from "node:assert/strict";
import { VirtualClock } from "../../../lib/base/virtual_clock.ts";
import type { SocketError } from "../../../lib/base/errors.ts";
import { selfSigned } from "../../../lib/net/tls/self_signed.ts";
import { systemTransport } from "../../../lib/net/system.deno.ts";
import { echo } from "../../../lib/protocols/echo.ts";
import { serve } from "../../../lib/serve/serve.ts";
import type { TcpAddr } from "../../../lib/base/addr.ts";
import type { Listener } from "../../../lib/net/transport.ts";
import { bytes, OWN_HOST, readAll, readText, rejects } from "../../support/helpers.ts";
import { test } from "../../support/runner.deno.ts";

const own = await selfSigned([OWN_HOST]);

/** A listener, and a client whose handshake has begun there and goes no further by itself. */
async function setUp(handshakeTimeout = 3_600_000) {
  const told: SocketError[] = [];
  const onHandshakeError = (error: SocketError) => void told.push(error);
  const tls = { ...own, handshakeTimeout, onHandshakeError };
  const listener = await systemTransport.listen({ host: OWN_HOST, tls });
  const client = await systemTransport.connect(listener.addr);
  // It was taken, since one that came later is accepted.
  const [server, second] = await Promise.all([listener.accept(), connectTls(listener)]);
  server.close();
  second.close();
  return {
    listener,
    client,
    told,
    [Symbol.dispose]() {
      listener.close();
      client.close();
    },
  };
}

async function connectTls({ addr }: Listener<TcpAddr>) {
  return await systemTransport.startTls(await systemTransport.connect(addr), trusting);
}

const trusting = { caCerts: [own.cert] };

test("TLS: a handshake that is under way when the listener stops finishes, and is accepted", async () => {
  using it = await setUp();
  const accepting = it.listener.accept();
  it.listener.stop();
  using client = await systemTransport.startTls(it.client, trusting);
  using server = await accepting;
  await client.write(bytes("hello"));
  assert.equal(await readText(server, 5), "hello");
  await rejects(it.listener.accept(), "ECLOSED");
  assert.deepEqual(it.told, []);
});

test("TLS: a stopped listener waits for a handshake as long as handshakeTimeout says", async () => {
  using it = await setUp(500);
  it.listener.stop();
  await rejects(it.listener.accept(), "ECLOSED");
  assert.deepEqual(it.told.map(({ code }) => code), ["ETIMEDOUT"]);
  assert.equal((await readAll(it.client).catch(() => [])).length, 0);
});

test("serve: a stop finishes the handshakes that are under way, and serves their connections", async () => {
  using it = await setUp();
  const server = serve(it.listener, echo());
  const stopped = server.stop();
  using client = await systemTransport.startTls(it.client, trusting);
  await client.write(bytes("hello"));
  assert.equal(await readText(client, 5), "hello");
  await client.closeWrite();
  assert.equal((await stopped).accepted, 1);
});

test("serve: the drain timeout ends handshakes that do not finish", async () => {
  using it = await setUp();
  const clock = new VirtualClock();
  const server = serve(it.listener, echo(), { clock, drainTimeout: 5000 });
  const stopped = server.stop();
  let over = false;
  void stopped.then(() => over = true);
  await clock.advance(4999);
  assert.equal(over, false);
  await clock.advance(1);
  assert.deepEqual(await stopped, { accepted: 0, refused: 0, reset: 0 });
  assert.equal((await readAll(it.client).catch(() => [])).length, 0);
  // That the listener closes is no failure of the handshake.
  assert.deepEqual(it.told, []);
});
