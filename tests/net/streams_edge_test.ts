// Connections as web streams and as streams of Node's.

import assert from "node:assert/strict";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { SocketError } from "../../lib/base/errors.ts";
import { toDuplex } from "../../lib/net/conn_to_duplex.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import type { Conn } from "../../lib/net/transport.ts";
import { toWebStreams } from "../../lib/net/web_streams.ts";
import { memoryResetting, systemResetting } from "../contract/networks.ts";
import { bytes, pair, randomBytes, readAll, rejects, unsendable } from "../support/helpers.ts";
import { test } from "../support/runner.deno.ts";

const MIB = 1024 * 1024;

for (
  const [where, make] of [
    ["memory", () => new MemoryTransport()],
    ["TCP", () => systemTransport],
  ] as const
) {
  test(`toWebStreams on ${where}: bytes go both ways, and each end has its FIN`, async () => {
    using ends = await pair(make());
    const { readable, writable } = toWebStreams(ends.client);
    const data = randomBytes(MIB);
    const echoed = toWebStreams(ends.server);
    const echoing = echoed.readable.pipeTo(echoed.writable);
    const writer = writable.getWriter();
    const written = writer.write(data).then(() => writer.close());
    assert.deepEqual(new Uint8Array(await new Response(readable).arrayBuffer()), data);
    await Promise.all([written, echoing]);
    // Both directions have ended, so both connections are closed.
    await rejects(ends.client.write(bytes("x")), "ECLOSED");
    await rejects(ends.server.write(bytes("x")), "ECLOSED");
  });

  test(`toWebStreams on ${where}: reading goes on when the writable is closed`, async () => {
    using ends = await pair(make());
    const { readable, writable } = toWebStreams(ends.client);
    await writable.close();
    assert.equal(await ends.server.read(new Uint8Array(1)), null);
    await ends.server.write(bytes("late"));
    await ends.server.closeWrite();
    assert.equal(await new Response(readable).text(), "late");
  });

  test(`toWebStreams on ${where}: a peer that does not read holds writes back`, async () => {
    using ends = await pair(make());
    const writer = toWebStreams(ends.client).writable.getWriter();
    let done = false;
    const written = writer.write(unsendable()).then(() => done = true);
    assert.equal(writer.desiredSize, 0);
    await ends.server.read(new Uint8Array(1));
    assert.equal(done, false);
    const closed = written.then(() => writer.close());
    await readAll(ends.server);
    await closed;
  });

  test(`toWebStreams on ${where}: cancelling the readable closes the connection`, async () => {
    using ends = await pair(make());
    const { readable } = toWebStreams(ends.client);
    await readable.cancel();
    assert.equal(await ends.server.read(new Uint8Array(1)), null);
    await rejects(ends.client.write(bytes("x")), "ECLOSED");
  });

  test(`toWebStreams on ${where}: aborting the writable frees the connection`, async () => {
    using ends = await pair(make());
    const { readable, writable } = toWebStreams(ends.client);
    const reading = assert.rejects(readable.getReader().read(), /enough/);
    await writable.abort(new Error("enough"));
    await reading;
    // A reset where there is one, and FIN elsewhere.
    await ends.server.read(new Uint8Array(1)).then((n) => assert.equal(n, null), (error) => {
      assert.equal(error.code, "ECONNRESET");
    });
  });

  test(`toDuplex on ${where}: bytes go both ways, and end() is FIN`, async () => {
    using ends = await pair(make());
    const server = toDuplex(ends.server);
    const echoing = pipeline(server, server);
    const client = toDuplex(ends.client);
    client.write("hel");
    client.end("lo");
    assert.equal(await text(client), "hello");
    await echoing;
  });

  test(`toDuplex on ${where}: destroy() closes the connection`, async () => {
    using ends = await pair(make());
    const stream = toDuplex(ends.client);
    const closed = once(stream, "close");
    stream.destroy();
    await closed;
    assert.equal(await ends.server.read(new Uint8Array(1)), null);
  });
}

test("toWebStreams: aborting the writable resets, so that half is not taken for all", async () => {
  using ends = await pair(new MemoryTransport());
  const { writable } = toWebStreams(ends.client);
  const writer = writable.getWriter();
  await writer.write(bytes("half"));
  await writer.abort();
  await rejects(readAll(ends.server), "ECONNRESET");
});

test("toWebStreams: aborting the writable resets although a write waits for the peer", async () => {
  using ends = await pair(new MemoryTransport());
  const writer = toWebStreams(ends.client).writable.getWriter();
  const waiting = assert.rejects(writer.write(unsendable()));
  await ends.server.read(new Uint8Array(1));
  await writer.abort(new Error("enough"));
  await waiting;
  await rejects(readAll(ends.server), "ECONNRESET");
});

test("toWebStreams: nothing is read before somebody reads the stream", async () => {
  using ends = await pair(new MemoryTransport());
  const { readable } = toWebStreams(ends.client);
  await ends.server.write(bytes("x"));
  assert.equal(ends.client.bytesRead, 0);
  const { value } = await readable.getReader().read();
  assert.deepEqual(value, bytes("x"));
});

for (
  const [where, resetting, needs] of [
    ["memory", () => memoryResetting(new MemoryTransport()), []],
    ["TCP", () => systemResetting(systemTransport), ["python3"]],
  ] as const
) {
  test(`toWebStreams on ${where}: a reset of the peer is the error of both streams`, async () => {
    await using peer = await resetting();
    const { readable, writable } = toWebStreams(peer.conn);
    const reader = readable.getReader();
    peer.reset("farewell");
    assert.deepEqual((await reader.read()).value, bytes("farewell"));
    await rejects(reader.read(), "ECONNRESET");
    await rejects(writable.getWriter().write(bytes("x")), "ECONNRESET");
  }, [...needs]);
}

test("toWebStreams: when FIN cannot be sent, the writable says so, and the connection still ends with the readable", async () => {
  using ends = await pair(new MemoryTransport());
  const { client } = ends;
  const conn = {
    read: (p: Uint8Array) => client.read(p),
    write: (p: Uint8Array) => client.write(p),
    closeWrite: () => Promise.reject(new SocketError("EPIPE", "closeWrite")),
    close: () => client.close(),
  } as unknown as Conn;
  const { readable, writable } = toWebStreams(conn);
  await rejects(writable.close(), "EPIPE");
  await ends.server.write(bytes("late"));
  await ends.server.closeWrite();
  assert.equal(await new Response(readable).text(), "late");
  await rejects(client.read(new Uint8Array(1)), "ECLOSED");
});

test("toWebStreams, toDuplex: what is no connection is a mistake", () => {
  assert.throws(() => toWebStreams({} as never), { name: "TypeError" });
  assert.throws(() => toDuplex({} as never), { name: "TypeError" });
});
