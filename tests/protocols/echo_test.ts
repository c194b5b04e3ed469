import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { echo } from "../../lib/protocols/echo.ts";
import { EchoExchange, type EchoOutcome } from "../../lib/cli/commands/echo/tcp_exchange.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import type { Handler } from "../../lib/serve/serve.ts";
import { bytes, conversation, pair, randomBytes, readAll, rejects } from "../support/helpers.ts";
import { test } from "../support/runner.deno.ts";

const MIB = 1024 * 1024;

async function* chunksOf(data: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size);
}

/** Holds one conversation against a handler. */
async function converse(
  server: Handler,
  source: AsyncIterable<Uint8Array>,
): Promise<{ outcome: EchoOutcome; heard: Buffer }> {
  using ends = await pair(new MemoryTransport());
  const heard: Uint8Array[] = [];
  const exchange = new EchoExchange(ends.client, {
    source,
    sink: (data) => void heard.push(data.slice()),
    recvSize: 64 * 1024,
  });
  const serving = (async () => {
    await server(ends.server, conversation);
    ends.server.close();
  })();
  const outcome = await exchange.run();
  ends.client.close();
  await serving.catch(() => {});
  return { outcome, heard: Buffer.concat(heard) };
}

for (const recvSize of [1, 16, 4096, 5000, 64 * 1024]) {
  test(`echo: with recvSize ${recvSize} all comes back, and then FIN`, async () => {
    using ends = await pair(new MemoryTransport());
    // More than a direction holds.
    const data = randomBytes(70_000);
    const [got] = await Promise.all([
      readAll(ends.client),
      ends.client.write(data).then(() => ends.client.closeWrite()),
      (async () => {
        await echo({ recvSize })(ends.server, conversation);
        ends.server.close();
      })(),
    ]);
    assert.ok(Buffer.from(data).equals(got));
  });
}

test("echo: a peer that resets ends the conversation with its error", async () => {
  using ends = await pair(new MemoryTransport());
  const served = rejects(Promise.resolve(echo()(ends.server, conversation)), "ECONNRESET");
  ends.client.reset();
  await served;
});

test("echo client: sends and receives at the same time, in whatever pieces", async () => {
  const data = randomBytes(4 * MIB);
  const { outcome, heard } = await converse(echo(), chunksOf(data, 10_007));
  assert.deepEqual(outcome, {
    sent: data.length,
    received: data.length,
    differsAt: undefined,
    complete: true,
  });
  assert.ok(heard.equals(data));
});

test("echo client: nothing to send is a complete echo of nothing", async () => {
  const { outcome } = await converse(echo(), chunksOf(new Uint8Array(0), 1));
  assert.deepEqual(outcome, { sent: 0, received: 0, differsAt: undefined, complete: true });
});

test("echo client: tells at which byte the echo differs", async () => {
  const upperCase: Handler = async (conn) => {
    const p = new Uint8Array(3);
    for (let n; (n = await conn.read(p)) !== null;) {
      const text = new TextDecoder().decode(p.subarray(0, n));
      await conn.write(bytes(text.replace("x", "X")));
    }
  };
  const { outcome } = await converse(upperCase, chunksOf(bytes("0123456789x"), 4));
  assert.equal(outcome.differsAt, 10);
  assert.equal(outcome.complete, false);
});

test("echo client: bytes that were never sent differ", async () => {
  const talkative: Handler = async (conn) => {
    await conn.read(new Uint8Array(8));
    await conn.write(bytes("hello and more"));
  };
  const { outcome } = await converse(talkative, chunksOf(bytes("hello"), 5));
  assert.equal(outcome.differsAt, 5);
});

test("echo client: a server that closes early leaves the echo incomplete", async () => {
  const brief: Handler = async (conn) => {
    const p = new Uint8Array(4);
    const n = await conn.read(p);
    await conn.write(p.subarray(0, n!));
  };
  const { outcome, heard } = await converse(brief, chunksOf(bytes("hello"), 5));
  assert.deepEqual(outcome, { sent: 5, received: 4, differsAt: undefined, complete: false });
  assert.equal(heard.toString(), "hell");
});

test("echo client: a server that never echoes is sent no more than the window", async () => {
  using ends = await pair(new MemoryTransport());
  let taken = 0;
  const source = (async function* () {
    for (;; taken += MIB) yield new Uint8Array(MIB);
  })();
  const exchange = new EchoExchange(ends.client, { source, sink: () => {}, recvSize: 1024 });
  const running = rejects(exchange.run(), "ECLOSED");
  const p = new Uint8Array(64 * 1024);
  // All that is sent is swallowed, until the client has to wait for an echo.
  for (let swallowed = 0; swallowed < 16 * MIB;) swallowed += (await ends.server.read(p))!;
  const more = ends.server.read(p);
  assert.equal(taken, 16 * MIB);
  assert.ok(exchange.waiting);
  ends.client.close();
  assert.equal(await more, null);
  await running;
});

test("echo client: a source that fails ends the conversation with its error", async () => {
  using ends = await pair(new MemoryTransport());
  const source = (async function* () {
    yield bytes("some");
    throw new Error("the disk is gone");
  })();
  const exchange = new EchoExchange(ends.client, { source, sink: () => {}, recvSize: 1024 });
  await assert.rejects(exchange.run(), /the disk is gone/);
  ends.client.close();
});
