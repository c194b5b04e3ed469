// Which connection is evicted when all the places of an HTTP server are taken.

import assert from "node:assert/strict";
import { AccessList } from "../../lib/serve/access_list.ts";
import { deferred } from "../../lib/base/wait.ts";
import type { LightHandler } from "../../lib/http/server/light.ts";
import type { HttpOptions } from "../../lib/http/server/options.ts";
import { Eviction } from "../../lib/http/server/eviction.ts";
import { serveHttp } from "../../lib/http/fetch/serve_http.ts";
import type { Conn } from "../../lib/net/transport.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { bytes, readAll, turn } from "../support/helpers.ts";
import { GET, hearOne, hello, serveOn } from "../support/http_helpers.ts";
import { test } from "../support/runner.deno.ts";

const TICK = 250;
/** The time that a connection waits for its request before it may be evicted, in milliseconds. */
const WAIT = 500;

const ask = async (conn: Conn, text = GET) => {
  await conn.write(bytes(text));
  return await hearOne(conn);
};

/** Whether the server has closed a connection on which it is not to send anything. */
async function isClosed(conn: Conn): Promise<boolean> {
  let closed = false;
  conn.read(new Uint8Array(1)).then((n) => closed = n === null, () => closed = true);
  await turn();
  return closed;
}

test("eviction: whoever has waited longest since the last request makes it, one for each newcomer", async () => {
  await using server = await serveOn(hello, { maxConnections: 4 });
  const conns: Conn[] = [];
  for (let i = 0; i < 4; i++) {
    conns.push(await server.connect());
    await server.clock.advance(TICK);
  }
  // The first has just asked; the third sends a part of a head, which is not a request yet.
  await ask(conns[0]);
  await conns[2].write(bytes("GET / HT"));
  await server.clock.advance(WAIT);
  using one = await server.connect();
  assert.match(await ask(one), /hello$/);
  assert.deepEqual([await isClosed(conns[1]), await isClosed(conns[3])], [true, false]);
  using two = await server.connect();
  assert.match(await ask(two), /hello$/);
  assert.deepEqual([await isClosed(conns[2])], [true]);
  assert.match(await ask(conns[0]), /hello$/);
  for (const conn of conns) conn.close();
});

test("eviction: the half second of a new connection begins when it comes, and not before", async () => {
  const hang: LightHandler = ({ target }) =>
    target === "/last" ? { status: 200, body: "hello" } : new Promise(() => {});
  await using server = await serveOn(hang, { maxConnections: 2 });
  using busy = await server.connect();
  await busy.write(bytes(GET));
  await server.clock.advance(TICK - 50);
  using young = await server.connect();
  await server.clock.advance(0);
  await server.clock.advance(50 + TICK);
  using next = await server.connect();
  const heard = ask(next, GET.replace("/", "/last"));
  await server.clock.advance(TICK - 50);
  const isEarly = await isClosed(young);
  await server.clock.advance(TICK);
  assert.match(await heard, /hello$/);
  busy.reset();
  assert.equal(isEarly, false);
});

test("eviction: who waits for an answer, takes one, or sends a body, keeps the place", async () => {
  const answer = deferred<void>();
  const handler: LightHandler = async (request) => {
    if (request.target === "/stream") return { status: 200, body: stream() };
    for await (const _ of request.body ?? []);
    await answer.promise;
    return { status: 200, body: "hello" };
  };
  async function* stream() {
    yield bytes("one");
    await answer.promise;
  }
  let full = 0;
  await using server = await serveOn(handler, { maxConnections: 3, onFull: () => full++ });
  const texts = [
    GET,
    GET.replace("/", "/stream"),
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\nx",
  ];
  const conns = await Promise.all(texts.map(async (text) => {
    const conn = await server.connect();
    await conn.write(bytes(text));
    return conn;
  }));
  for (let i = 0; i < 5; i++) {
    await server.clock.advance(4000);
    // The body goes on, at 500 bytes a second.
    await conns[2].write(bytes("x".repeat(2000)));
  }
  using next = await server.connect();
  const heard = ask(next);
  await server.clock.advance(2000);
  assert.equal(next.bytesRead, 0);
  assert.equal(full, 1, "It is called once for each that waits");
  answer.resolve();
  await hearOne(conns[0]);
  // Now the first waits for its next request, and then for too long.
  await server.clock.advance(WAIT + TICK);
  assert.match(await heard, /hello$/);
  for (const conn of conns) conn.close();
});

test("eviction: bodies that have stalled keep nobody out", async () => {
  const handler: LightHandler = async (request) => {
    for await (const _ of request.body ?? []);
    return { status: 200, body: "hello" };
  };
  await using server = await serveOn(handler, { maxConnections: 2 });
  const stalled = [await server.connect(), await server.connect()];
  for (const conn of stalled) {
    await conn.write(bytes("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx"));
  }
  await server.clock.advance(5000 + WAIT + TICK);
  using next = await server.connect();
  const heard = ask(next);
  await server.clock.advance(TICK);
  assert.match(await heard, /hello$/);
  for (const conn of stalled) conn.close();
});

test("eviction: clients that send a body or take a response slowly keep nobody out", async () => {
  const large = new Uint8Array(16 << 20);
  const handler: LightHandler = async (request) => {
    for await (const _ of request.body ?? []);
    return { status: 200, body: request.target === "/large" ? large : "hello" };
  };
  await using server = await serveOn(handler, { maxConnections: 2 });
  const [sends, takes] = [await server.connect(), await server.connect()];
  await sends.write(bytes("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\n"));
  await takes.write(bytes(GET.replace("/", "/large")));
  // The server sees what moves at its ticks: a few bytes in each second.
  for (let i = 0; i < 7; i++) {
    await sends.write(bytes("x"));
    await takes.read(new Uint8Array(100));
    await server.clock.advance(1000);
  }
  const newcomers = [await server.connect(), await server.connect()];
  const heard = newcomers.map((conn) => ask(conn));
  await server.clock.advance(TICK);
  for (const text of await Promise.all(heard)) assert.match(text, /hello$/);
  assert.ok(await isClosed(sends));
  // What is not whole does not look so.
  await assert.rejects(readAll(takes), { code: "ECONNRESET" });
  for (const conn of newcomers) conn.close();
  for (const conn of [sends, takes]) conn.close();
});

/** A server whose 20 places are taken by clients of 16 MiB: four of them first, then a crowd of 16. */
async function crowded(options: HttpOptions = {}) {
  const large = new Uint8Array(16 << 20);
  const handler: LightHandler = ({ target }) => ({
    status: 200,
    body: target === "/large" ? large : "hello",
  });
  const server = await serveOn(handler, { maxConnections: 20, drainTimeout: 0, ...options });
  const conns: Conn[] = [];
  for (let i = 0; i < 20; i++) {
    const conn = await server.connect(i < 4 ? "192.0.2.1" : "192.0.2.2");
    await conn.write(bytes(GET.replace("/", "/large")));
    conns.push(conn);
    if (i === 3) await server.clock.advance(TICK);
  }
  return { server, conns };
}

/** The numbers of those that have been reset. */
async function resetOf(conns: readonly Conn[]): Promise<number[]> {
  const resets = await Promise.all(
    conns.map((conn) => conn.write(bytes("x")).then(() => false, () => true)),
  );
  return resets.flatMap((isReset, i) => isReset ? [i] : []);
}

test("eviction: of an address with many places a client makes it that is slow for half a second", async () => {
  const { server, conns } = await crowded();
  await using _ = server;
  await server.clock.advance(WAIT + TICK);
  const newcomers: Conn[] = [];
  for (const gone of [[4], [4, 5]]) {
    const newcomer = await server.connect("192.0.2.3");
    newcomers.push(newcomer);
    assert.match(await ask(newcomer), /hello$/);
    // Those of another address were slow before.
    assert.deepEqual(await resetOf(conns), gone);
  }
  for (const conn of [...conns, ...newcomers]) conn.close();
});

test("eviction: newcomers of an address with many places wait behind others, and have nobody ended who is slow for less than five seconds", async () => {
  const { server, conns } = await crowded();
  await using _ = server;
  await server.clock.advance(WAIT + TICK);
  const kin = await server.connect("192.0.2.2");
  const heard = ask(kin);
  await server.clock.advance(WAIT);
  assert.deepEqual(await resetOf(conns), []);
  using other = await server.connect("192.0.2.3");
  assert.match(await ask(other), /hello$/);
  assert.deepEqual(await resetOf(conns), [4]);
  assert.equal(kin.bytesRead, 0);
  await server.clock.advance(5000);
  assert.match(await heard, /hello$/);
  for (const conn of [...conns, kin]) conn.close();
});

test("eviction: clients of one address that all go on, or share it as a proxy's, keep their places", async () => {
  const p = new Uint8Array(64 * 1024);
  for (const trustProxy of [[], ["192.0.2.2"]]) {
    const { server, conns } = await crowded({ trustProxy });
    await using _ = server;
    using newcomer = await server.connect("192.0.2.3");
    const heard = ask(newcomer);
    for (let i = 0; i < 12; i++) {
      // Behind a proxy nothing moves.
      if (trustProxy.length === 0) await Promise.all(conns.map((conn) => conn.read(p)));
      await server.clock.advance(TICK);
    }
    assert.equal(newcomer.bytesRead, 0);
    assert.deepEqual(await resetOf(conns), []);
    conns[0].close();
    assert.match(await heard, /hello$/);
    for (const conn of conns) conn.close();
  }
});

test("eviction: a crowd is 16 connections of an address, and a sixteenth of all; the server being late is not its fault", () => {
  const connection = (host: string | undefined, behind: number) => {
    const one = { host, behind, spare: -1, evict: () => connections.delete(one) };
    return one;
  };
  let connections: Set<ReturnType<typeof connection>>;
  const some = (n: number, host?: string, behind = 500) =>
    Array.from({ length: n }, () => connection(host, behind));
  for (
    const [all, isLate, made] of [
      [some(16, "a"), false, true],
      [some(16, "a"), true, false],
      [some(15, "a"), false, false],
      [some(16, "a", 499), false, false],
      [some(100), false, false],
      [[...some(20, "a"), ...some(300)], false, true],
      [[...some(20, "a"), ...some(301)], false, false],
    ] as const
  ) {
    connections = new Set(all);
    const eviction = new Eviction(connections);
    eviction.tick(isLate);
    // Those of a crowd are not evicted for each other.
    assert.equal(eviction.isCrowd("a") && eviction.evictFor("a"), false);
    assert.equal(eviction.evictFor("z"), made);
    assert.equal(connections.size, all.length - Number(made));
  }
});

test("eviction: the newcomers of one tick get a place each, and nobody is ended who has ended or goes on", () => {
  const ended: number[] = [];
  const connections = new Set(
    [900, 500, 499, 700, 800, 600].map((spare, i) => ({
      host: undefined,
      behind: -1,
      spare,
      evict: () => ended.push(i),
    })),
  );
  const [longest, , , goesOn, hasEnded] = connections;
  const eviction = new Eviction(connections);
  assert.ok(eviction.evictFor("z"));
  connections.delete(longest);
  connections.delete(hasEnded);
  goesOn.spare = -1;
  assert.deepEqual([eviction.evictFor("z"), eviction.evictFor("z"), eviction.evictFor("z")], [
    true,
    true,
    false,
  ]);
  assert.deepEqual(ended, [0, 5, 1]);
});

test("eviction: a newcomer is not closed for the next, and all of many get their answer", async () => {
  await using server = await serveOn(hello, { maxConnections: 2 });
  const heard = Array.from({ length: 20 }, async () => {
    using conn = await server.connect();
    return await ask(conn);
  });
  await server.clock.advance(20 * (WAIT + TICK));
  for (const text of await Promise.all(heard)) assert.match(text, /hello$/);
});

test("eviction: a server that stops does not wait for a newcomer that finds none", async () => {
  const admission = new AccessList({ maxPerAddress: 2 });
  await using server = await serveOn(() => new Promise(() => {}), {
    maxConnections: 1,
    admission,
    drainTimeout: 1000,
  });
  using first = await server.connect();
  await first.write(bytes(GET));
  using second = await server.connect();
  await server.clock.advance(2000);
  server.stop.abort();
  await server.clock.advance(3000);
  const { accepted, reset } = await server.served;
  assert.deepEqual([accepted, reset], [1, 1]);
  await assert.rejects(second.read(new Uint8Array(1)), { code: "ECONNRESET" });
  // It is not counted any more; the handler of the first has never ended.
  assert.ok(admission.admit(first.localAddr));
});

test("eviction: silent sockets in all the places keep nobody out", async () => {
  const listener = await systemTransport.listen({ host: "127.0.0.1" });
  const { port } = listener.addr;
  const stop = new AbortController();
  const served = serveHttp(listener, () => new Response("hello"), {
    signal: stop.signal,
    maxConnections: 50,
  }).finished;
  const connect = () => systemTransport.connect({ host: "127.0.0.1", port });
  const silent = await Promise.all(Array.from({ length: 150 }, connect));
  const began = performance.now();
  const response = await fetch(`http://127.0.0.1:${port}/`);
  assert.equal(await response.text(), "hello");
  // 100 of them came before, and the limit of silence is 30 s.
  assert.ok(performance.now() - began < 15_000);
  for (const conn of silent) conn.close();
  stop.abort();
  await served;
});

test("eviction: a client that has left makes it, although its handler never answers", async () => {
  const hang: LightHandler = ({ target }) =>
    target === "/last" ? { status: 200, body: "hello" } : new Promise(() => {});
  const post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n";
  for (const text of [GET, GET + GET, post]) {
    await using server = await serveOn(hang, { maxConnections: 2, drainTimeout: 1 });
    using there = await server.connect();
    await there.write(bytes(text));
    await server.clock.advance(0);
    using left = await server.connect();
    await left.write(bytes(text));
    await left.closeWrite();
    await server.clock.advance(WAIT + 2 * TICK);
    using next = await server.connect();
    assert.match(await ask(next, GET.replace("/", "/last")), /hello$/, text);
    // Who is still there keeps the place.
    assert.deepEqual([await isClosed(left), await isClosed(there)], [true, false]);
    server.stop.abort();
    await server.clock.advance(2000);
  }
});

test("eviction: a client that resets makes it at once, although its handler never answers", async () => {
  const hang: LightHandler = ({ target }) =>
    target === "/last" ? { status: 200, body: "hello" } : new Promise(() => {});
  await using server = await serveOn(hang, { maxConnections: 1 });
  const lost = await server.connect();
  await lost.write(bytes(GET));
  await server.clock.advance(TICK);
  lost.reset();
  using next = await server.connect();
  assert.match(await ask(next, GET.replace("/", "/last")), /hello$/);
});
