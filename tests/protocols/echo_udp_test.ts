// The echo protocol over datagrams: the server's loop, and the client's retransmission and counts, on
// a clock that is turned by hand.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { deferred } from "../../lib/base/wait.ts";
import type { Datagram } from "../../lib/net/datagram.ts";
import {
  DatagramEcho,
  type DatagramEchoOptions,
} from "../../lib/cli/commands/echo/udp_exchange.ts";
import { echoDatagram } from "../../lib/protocols/echo.ts";
import { SocketError } from "../../lib/base/errors.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import { type DatagramHandler, serveDatagrams } from "../../lib/serve/serve_datagrams.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { bytes, randomBytes, rejects } from "../support/helpers.ts";
import { test } from "../support/runner.deno.ts";

/** A server in memory that answers with `handler`, and a client of it. */
async function conversation(
  handler: DatagramHandler,
  said: readonly string[],
  options: Partial<DatagramEchoOptions> = {},
) {
  const transport = new MemoryTransport();
  const clock = new VirtualClock();
  const server = await transport.listenDatagram();
  const client = await transport.listenDatagram({ remote: server.addr });
  const served = serveDatagrams(server, handler).finished;
  const heard: string[] = [];
  async function* source() {
    for (const each of said) yield bytes(each);
  }
  const echo = new DatagramEcho(client, {
    source: source(),
    sink: (data) => void heard.push(new TextDecoder().decode(data)),
    retries: 3,
    timeout: 60_000,
    clock,
    ...options,
  });
  return {
    echo,
    clock,
    heard,
    server,
    client,
    async close() {
      client.close();
      server.close();
      return await served;
    },
  };
}

/** A handler that answers as it does only where `drops` says no, call by call. */
function lossy(drops: (call: number) => boolean): DatagramHandler {
  let calls = 0;
  return (data) => drops(++calls) ? undefined : data;
}

test("echo over UDP: each datagram comes back, is matched and counted", async () => {
  const said = ["one", "", "two", "one"];
  const { echo, heard, close } = await conversation(echoDatagram, said);
  assert.deepEqual(await echo.run(), {
    sent: 4,
    echoed: 4,
    lost: 0,
    retransmitted: 0,
    duplicates: 0,
    differsAt: undefined,
  });
  assert.deepEqual(heard, said);
  assert.deepEqual(await close(), { received: 4, answered: 4, dropped: 0 });
});

test("echo over UDP: what is not answered is sent again after 1, 2 and 4 s, and then it is lost", async () => {
  const times: number[] = [];
  const { echo, clock, close } = await conversation(() => {
    times.push(clock.now());
    return undefined;
  }, ["hello"]);
  const running = echo.run();
  await clock.advance(60_000);
  assert.deepEqual(await running, {
    sent: 1,
    echoed: 0,
    lost: 1,
    retransmitted: 3,
    duplicates: 0,
    differsAt: undefined,
  });
  assert.deepEqual(times, [0, 1000, 3000, 7000]);
  await close();
});

test("echo over UDP: the time to wait stays long until a datagram is echoed that was sent once", async () => {
  const times: number[] = [];
  const answers = lossy((call) => [1, 3, 5].includes(call));
  const handler: DatagramHandler = (...args) => {
    times.push(clock.now());
    return answers(...args);
  };
  const { echo, clock, close } = await conversation(handler, ["a", "b", "c", "d"]);
  const running = echo.run();
  await clock.advance(60_000);
  const { sent, echoed, retransmitted } = await running;
  assert.deepEqual([sent, echoed, retransmitted], [4, 4, 3]);
  // a, again after 1 s; b at once, again after 2 s; c at once, again after 4 s; d at once.
  assert.deepEqual(times, [0, 1000, 1000, 3000, 3000, 7000, 7000]);
  await close();
});

test("echo over UDP: one lost of three is counted, and the others come back in order", async () => {
  const { echo, clock, heard, close } = await conversation(
    (data) => data[0] === 50 ? undefined : data,
    ["1", "2", "3"],
    { retries: 1 },
  );
  const running = echo.run();
  await clock.advance(60_000);
  const { sent, echoed, lost, retransmitted } = await running;
  assert.deepEqual([sent, echoed, lost, retransmitted], [3, 2, 1, 1]);
  assert.deepEqual(heard, ["1", "3"]);
  await close();
});

test("echo over UDP: echoes that come twice, or too late, are counted and not printed", async () => {
  const late: Uint8Array[] = [];
  const ends = await conversation(
    async (data, from) => {
      const text = new TextDecoder().decode(data);
      if (text === "late") {
        late.push(data.slice());
        return undefined;
      }
      if (text === "twice") await ends.server.send(data, from);
      if (text === "last") await ends.server.send(late[0], from);
      return data;
    },
    ["twice", "late", "last"],
    { retries: 0 },
  );
  const running = ends.echo.run();
  await ends.clock.advance(60_000);
  const { echoed, lost, duplicates } = await running;
  assert.deepEqual([echoed, lost, duplicates], [2, 1, 2]);
  assert.deepEqual(ends.heard, ["twice", "last"]);
  await ends.close();
});

test("echo over UDP: what is no echo ends it, and is told with the number of the datagram", async () => {
  const shout: DatagramHandler = (data) => bytes(new TextDecoder().decode(data).toUpperCase());
  const { echo, heard, close } = await conversation(shout, ["1", "two", "3"]);
  const { differsAt, echoed } = await echo.run();
  assert.deepEqual([differsAt, echoed], [2, 1]);
  assert.deepEqual(heard, ["1", "TWO"]);
  await close();
});

test("echo over UDP: without an echo for the timeout it gives up, whatever retries there are", async () => {
  const { echo, clock, close } = await conversation(
    (data) => data.length === 1 ? data : undefined,
    ["1", "22", "333", "4"],
    { timeout: 5000, retries: 1 },
  );
  const running = rejects(echo.run(), "ETIMEDOUT");
  await clock.advance(4999);
  assert.deepEqual(echo.counts, { sent: 3, echoed: 1, lost: 1, retransmitted: 1, duplicates: 0 });
  await clock.advance(1);
  const { message } = await running;
  assert.match(
    message,
    /: no echo came from 127\.0\.0\.1:\d+ within 5 s, after 1 of 3 datagrams \(ETIMEDOUT\)/,
  );
  await close();
});

test("echo over UDP: nothing is sent again while the sink is slow, and an idle source is no silence", async () => {
  let [printed, more] = [() => {}, () => {}];
  const sink = () => new Promise<void>((resolve) => printed = resolve);
  async function* source() {
    yield bytes("first");
    await new Promise<void>((resolve) => more = resolve);
    yield bytes("second");
  }
  const ends = await conversation(echoDatagram, [], { sink, source: source(), timeout: 5000 });
  const running = ends.echo.run();
  await ends.clock.advance(20_000);
  printed();
  await ends.clock.advance(20_000);
  more();
  await ends.clock.advance(1);
  printed();
  const { sent, echoed, retransmitted, duplicates } = await running;
  assert.deepEqual([sent, echoed, retransmitted, duplicates], [2, 2, 0, 0]);
  await ends.close();
});

test("echo over UDP: a refusal, a datagram too large and a source that fails reject as they are", async () => {
  const transport = new MemoryTransport();
  const run = async (socket: Datagram, source: AsyncIterable<Uint8Array>) => {
    const clock = new VirtualClock();
    try {
      return await new DatagramEcho(socket, { source, sink() {}, retries: 3, timeout: 0, clock })
        .run();
    } finally {
      socket.close();
    }
  };
  const remote = { host: "127.0.0.1", port: 7 };
  const one = async function* (data: Uint8Array) {
    yield data;
  };
  await rejects(run(await transport.listenDatagram({ remote }), one(bytes("x"))), "ECONNREFUSED");
  using server = await transport.listenDatagram(remote);
  const tooLarge = one(new Uint8Array(70_000));
  await rejects(run(await transport.listenDatagram({ remote }), tooLarge), "EMSGSIZE");
  // deno-lint-ignore require-yield
  const failing = (async function* () {
    throw new Error("no more");
  })();
  await assert.rejects(run(await transport.listenDatagram({ remote }), failing), /no more/);
  assert.equal(server.dropped, 0);
});

test("echo over UDP: a datagram from a service's port is not answered, or two would never stop", async () => {
  const transport = new MemoryTransport();
  const socket = await transport.listenDatagram({ port: 7 });
  const served = serveDatagrams(socket, echoDatagram).finished;
  using forged = await transport.listenDatagram({ port: 19, remote: socket.addr });
  using client = await transport.listenDatagram({ remote: socket.addr });
  await forged.send(bytes("spin"));
  await client.send(bytes("hello"));
  assert.equal((await client.receive(new Uint8Array(10))).size, 5);
  socket.close();
  assert.deepEqual(await served, { received: 2, answered: 1, dropped: 0 });
});

test("echo over UDP: two servers on the same port of two addresses do not answer each other", async () => {
  const transport = new MemoryTransport();
  const servers = [
    await transport.listenDatagram({ host: "127.0.0.1", port: 10_000 }),
    await transport.listenDatagram({ host: "127.0.0.2", port: 10_000 }),
  ];
  const served = servers.map((socket) => {
    let turns = 0;
    return serveDatagrams(socket, (...args) => {
      // Or they would never stop.
      if (++turns === 10) socket.close();
      return echoDatagram(...args);
    }).finished;
  });
  // What somebody sends who forges the address.
  await servers[1].send(bytes("spin"), servers[0].addr);
  for (const { addr } of servers) {
    using client = await transport.listenDatagram({ remote: addr });
    await client.send(bytes("hello"));
    assert.equal((await client.receive(new Uint8Array(10))).size, 5);
  }
  for (const socket of servers) socket.close();
  assert.deepEqual(await Promise.all(served), [
    { received: 2, answered: 1, dropped: 0 },
    { received: 1, answered: 1, dropped: 0 },
  ]);
});

test("serveDatagrams: a handler that throws, and an answer too large, are told and hurt nobody else", async () => {
  const transport = new MemoryTransport();
  const stop = new AbortController();
  const socket = await transport.listenDatagram();
  const told: string[] = [];
  const served = serveDatagrams(socket, (data) => {
    if (data.length === 0) throw new Error("empty");
    return data.length === 1 ? new Uint8Array(70_000) : data;
  }, {
    signal: stop.signal,
    onError: (error, { port }) => told.push(`${(error as Error).message.slice(0, 11)} ${port}`),
  }).finished;
  using client = await transport.listenDatagram({ remote: socket.addr });
  for (const each of ["", "1", "22"]) await client.send(bytes(each));
  assert.equal((await client.receive(new Uint8Array(10))).size, 2);
  const { port } = client.addr;
  assert.deepEqual(told, [`empty ${port}`, `Cannot send ${port}`]);
  stop.abort();
  assert.deepEqual(await served, { received: 3, answered: 1, dropped: 0 });
  await rejects(socket.receive(new Uint8Array(1)), "ECLOSED");
});

test("serveDatagrams: a system that is out of buffers or memory is waited out", async () => {
  const transport = new MemoryTransport();
  const socket = await transport.listenDatagram();
  const short = (["ENOBUFS", "ENOMEM"] as const).map((code) => new SocketError(code, "receive"));
  const receive = socket.receive.bind(socket);
  socket.receive = (p) => short.length > 0 ? Promise.reject(short.shift()) : receive(p);
  const served = serveDatagrams(socket, echoDatagram).finished;
  using client = await transport.listenDatagram({ remote: socket.addr });
  await client.send(bytes("hello"));
  const ended = served.then(() => undefined);
  const answer = await Promise.race([client.receive(new Uint8Array(10)), ended]);
  assert.equal(answer?.size, 5);
  socket.close();
  assert.deepEqual(await served, { received: 1, answered: 1, dropped: 0 });
});

test("serveDatagrams: a signal aborted before stops it at once; a socket closed with a reason rejects", async () => {
  const transport = new MemoryTransport();
  const signal = AbortSignal.abort();
  const summary = await serveDatagrams(await transport.listenDatagram(), echoDatagram, { signal })
    .finished;
  assert.equal(summary.received, 0);
  const socket = await transport.listenDatagram();
  const served = assert.rejects(serveDatagrams(socket, echoDatagram).finished, /enough/);
  socket.close(new Error("enough"));
  await served;
});

test("serveDatagrams: stop() closes the socket, and waits for the handler that is at work", async () => {
  const transport = new MemoryTransport();
  const socket = await transport.listenDatagram();
  const [asked, answer] = [deferred<void>(), deferred<void>()];
  const server = serveDatagrams(socket, async (data) => {
    asked.resolve();
    await answer.promise;
    return data;
  });
  assert.equal(server.addr, socket.addr);
  using client = await transport.listenDatagram({ remote: socket.addr });
  await client.send(bytes("x"));
  await asked.promise;
  const stopped = server.stop();
  await rejects(socket.send(bytes("y"), client.addr), "ECLOSED");
  answer.resolve();
  assert.deepEqual(await stopped, { received: 1, answered: 0, dropped: 0 });
  assert.equal(await server.finished, await stopped);
});

test("echo over UDP: 1 MiB in datagrams of 1,200 bytes comes back over the system's sockets", async () => {
  const server = await systemTransport.listenDatagram({ host: "127.0.0.1" });
  const served = serveDatagrams(server, echoDatagram).finished;
  using client = await systemTransport.listenDatagram({ remote: server.addr });
  const data = randomBytes(1024 * 1024);
  async function* source() {
    for (let at = 0; at < data.length; at += 1200) yield data.subarray(at, at + 1200);
  }
  const chunks: Uint8Array[] = [];
  const echo = new DatagramEcho(client, {
    source: source(),
    sink: (chunk) => void chunks.push(chunk.slice()),
    retries: 3,
    timeout: 20_000,
  });
  const { sent, echoed, lost } = await echo.run();
  assert.deepEqual([sent, echoed, lost], [874, 874, 0]);
  assert.ok(Buffer.concat(chunks).equals(data));
  server.close();
  await served;
});
