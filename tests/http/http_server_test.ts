import assert from "node:assert/strict";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { deferred } from "../../lib/base/wait.ts";
import type { LightHandler } from "../../lib/http/server/light.ts";
import { serveLight } from "../../lib/http/server/server.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import { bytes, readAll } from "../support/helpers.ts";
import { assertDate, GET, hear, hearOne, hello, serveOn } from "../support/http_helpers.ts";
import { test } from "../support/runner.deno.ts";

const echoBody: LightHandler = async (request) => {
  let body = "";
  for await (const p of request.body ?? []) body += new TextDecoder().decode(p);
  return { status: 200, body };
};

test("RFC 9112 9.3: a connection is kept for the next request", async () => {
  await using server = await serveOn(({ target }) => ({ status: 200, body: target }));
  using conn = await server.connect();
  for (const path of ["/1", "/2", "/3"]) {
    await conn.write(bytes(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`));
    assert.equal(await hearOne(conn), `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n${path}`);
  }
});

test("RFC 9112 9.3.2: pipelined requests are answered in order, in one write", async () => {
  await using server = await serveOn(({ target }) => ({ status: 200, body: target }));
  using conn = await server.connect();
  await conn.write(bytes([1, 2, 3].map((n) => `GET /${n} HTTP/1.1\r\nHost: a\r\n\r\n`).join("")));
  const p = new Uint8Array(4096);
  const text = new TextDecoder().decode(p.subarray(0, (await conn.read(p))!));
  assert.deepEqual([...text.matchAll(/\r\n\r\n\/(\d)/g)].map(([, n]) => n), ["1", "2", "3"]);
});

test("RFC 9112 9.3: HTTP/1.0 is closed unless it asks to be kept", async () => {
  await using server = await serveOn(hello);
  assert.equal(
    await server.talk("GET / HTTP/1.0\r\n\r\n"),
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
  );
  assert.equal(
    await server.talk("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello",
  );
});

test("RFC 9112 9.6: after Connection: close nothing more is answered", async () => {
  await using server = await serveOn(hello);
  const text = await server.talk(`GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n${GET}`);
  assert.equal(text.match(/HTTP\/1\.1/g)?.length, 1);
  assert.match(text, /Connection: close/);
});

test("RFC 9110 9.3.2: HEAD gets the head of GET and no content", async () => {
  await using server = await serveOn(hello);
  assert.equal(
    await server.talk("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"),
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
  );
});

test("RFC 9110 15: 204 and 304 have no content and no length", async () => {
  for (const status of [204, 304]) {
    await using server = await serveOn(() => ({ status, body: "not sent" }));
    const text = await server.talk(GET);
    assert.match(text, new RegExp(`^HTTP/1.1 ${status} [A-Za-z ]+\r\n\r\n$`));
  }
});

test("RFC 9110 6.6.1: a response has a Date", async () => {
  const since = Date.now();
  await using server = await serveOn(hello);
  using conn = await server.connect();
  await conn.write(bytes("GET / HTTP/1.0\r\n\r\n"));
  const text = new TextDecoder().decode(await readAll(conn));
  const date = /^Date: (\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT)\r$/m.exec(text)?.[1];
  assertDate(date!, since);
});

test("bodies: with a length and chunked, in any pieces, and the next request behind them", async () => {
  await using server = await serveOn(echoBody);
  const text = await server.talk(
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nfirst" +
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nsec\r\n3;x=y\r\nond\r\n" +
      "0\r\nTrailer: dropped\r\n\r\n" + "POST / HTTP/1.1\r\nHost: a\r\n\r\n",
  );
  assert.deepEqual([...text.matchAll(/\r\n\r\n([a-z]*)/g)].map(([, body]) => body), [
    "first",
    "second",
    "",
  ]);
});

test("bodies: one that nobody reads is thrown away, and the connection kept", async () => {
  await using server = await serveOn(hello);
  const text = await server.talk(
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000\r\n\r\n${"x".repeat(3000)}${GET}`,
  );
  assert.equal(text.match(/hello/g)?.length, 2);
});

test("RFC 9110 10.1.1: 100 Continue is sent when the body is read, and not otherwise", async () => {
  const post = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
  {
    await using server = await serveOn(echoBody);
    using conn = await server.connect();
    await conn.write(bytes(post));
    assert.equal(await hearOne(conn), "HTTP/1.1 100 Continue\r\n\r\n");
    await conn.write(bytes("hello"));
    assert.match(await hearOne(conn), /^HTTP\/1\.1 200 OK\r\n[^]*hello$/);
  }
  await using server = await serveOn(() => ({ status: 403 }));
  assert.match(await server.talk(post), /^HTTP\/1\.1 403 Forbidden\r\n[^]*Connection: close\r\n/);
});

test("streams: chunked for HTTP/1.1, until close for HTTP/1.0, with a length as they are", async () => {
  const stream = async function* () {
    yield bytes("one ");
    yield new Uint8Array(0);
    yield bytes("two");
  };
  await using server = await serveOn(({ target }) =>
    target === "/length"
      ? { status: 200, body: stream(), length: 7 }
      : { status: 200, body: stream() }
  );
  assert.equal(
    await server.talk(GET),
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\none \r\n3\r\ntwo\r\n0\r\n\r\n",
  );
  assert.equal(
    await server.talk("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\none two",
  );
  assert.equal(
    await server.talk("GET /length HTTP/1.1\r\nHost: a\r\n\r\n"),
    "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\none two",
  );
});

test("streams: one that breaks off resets the connection, so that it does not look whole", async () => {
  await using server = await serveOn(() => ({
    status: 200,
    body: (async function* () {
      yield bytes("half");
      throw new Error("the disk is gone");
    })(),
  }));
  using conn = await server.connect();
  await conn.write(bytes(GET));
  await assert.rejects(readAll(conn), { code: "ECONNRESET" });
  assert.match(String(server.errors[0]), /the disk is gone/);
});

test("handlers: one that throws is a 500, told of, and the connection goes on", async () => {
  await using server = await serveOn(({ target }) => {
    if (target === "/bad") throw new TypeError("a mistake");
    return { status: 200, headers: target === "/odd" ? ["X", "a\r\nb"] : [], body: "fine" };
  });
  const text = await server.talk(
    `GET /bad HTTP/1.1\r\nHost: a\r\n\r\nGET /odd HTTP/1.1\r\nHost: a\r\n\r\n${GET}`,
  );
  assert.deepEqual(text.match(/HTTP\/1\.1 \d+/g), [
    "HTTP/1.1 500",
    "HTTP/1.1 500",
    "HTTP/1.1 200",
  ]);
  assert.equal(server.errors.length, 2);
});

test("errors: a bad request gets its status and a reason, and is closed, after earlier responses", async () => {
  await using server = await serveOn(hello);
  const text = await server.talk(`${GET}GET / HTTP/1.1\r\nHost : a\r\n\r\n${GET}`);
  assert.deepEqual(text.match(/HTTP\/1\.1 \d+/g), ["HTTP/1.1 200", "HTTP/1.1 400"]);
  assert.match(
    text,
    /Connection: close\r\n\r\nThere is white space before the colon of a field\.\n$/,
  );
});

test("limits: a body over the limit is 413, announced or counted", async () => {
  await using server = await serveOn(echoBody, { limits: { maxSize: 10 } });
  const post = "POST / HTTP/1.1\r\nHost: a\r\n";
  assert.match(await server.talk(`${post}Content-Length: 11\r\n\r\n`), /^HTTP\/1\.1 413 /);
  assert.match(
    await server.talk(`${post}Transfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n0\r\n\r\n`),
    /^HTTP\/1\.1 413 /,
  );
  assert.match(
    await server.talk(`${post}Content-Length: 10\r\n\r\n0123456789`),
    /^HTTP\/1\.1 200 /,
  );
});

test("limits: the last request that a connection may have is told so", async () => {
  await using server = await serveOn(hello, { limits: { requests: 2 } });
  const text = await server.talk(GET + GET + GET);
  assert.equal(text.match(/HTTP\/1\.1 200/g)?.length, 2);
  assert.equal(text.match(/Connection: close/g)?.length, 1);
});

test("deadlines: a head that takes 15 s is 408", async () => {
  await using server = await serveOn(hello);
  using conn = await server.connect();
  await conn.write(bytes("GET / HTTP/1.1\r\n"));
  await server.clock.advance(10_000);
  await conn.write(bytes("Host: a\r\n"));
  await server.clock.advance(5500);
  const { text } = await hear(conn);
  assert.match(text, /^HTTP\/1\.1 408 Request Timeout\r\n[^]*Connection: close/);
});

test("deadlines: the head behind an answered request has its 15 s, too", async () => {
  await using server = await serveOn(hello);
  using conn = await server.connect();
  await conn.write(bytes(`${GET}GET / HT`));
  await hearOne(conn);
  await server.clock.advance(15_500);
  assert.match((await hear(conn)).text, /^HTTP\/1\.1 408 /);
});

test("deadlines: a body that stalls for 30 s, or trickles below 500 B/s, is 408", async () => {
  const post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n";
  await using server = await serveOn(echoBody);
  using stalling = await server.connect();
  await stalling.write(bytes(`${post}start`));
  using trickling = await server.connect();
  await trickling.write(bytes(post));
  for (let i = 0; i < 31; i++) {
    if (i < 29) await trickling.write(bytes("x".repeat(400)));
    await server.clock.advance(1000);
  }
  for (const conn of [stalling, trickling]) {
    assert.match((await hear(conn)).text, /^HTTP\/1\.1 408 /);
  }
});

test("deadlines: an idle connection is closed after 30 s, without a word", async () => {
  await using server = await serveOn(hello);
  using conn = await server.connect();
  await conn.write(bytes(GET));
  await hearOne(conn);
  await server.clock.advance(31_000);
  assert.equal(await conn.read(new Uint8Array(8)), null);
});

test("deadlines: a client that does not read its response for 30 s is reset", async () => {
  await using server = await serveOn(() => ({ status: 200, body: new Uint8Array(1 << 20) }));
  using conn = await server.connect();
  await conn.write(bytes(GET));
  await server.clock.advance(31_000);
  await assert.rejects(readAll(conn), { code: "ECONNRESET" });
});

test("deadlines: a handler that takes its time has none", async () => {
  const answer = deferred<void>();
  await using server = await serveOn(async () => {
    await answer.promise;
    return { status: 200, body: "late" };
  });
  using conn = await server.connect();
  await conn.write(bytes(GET));
  await server.clock.advance(120_000);
  answer.resolve();
  assert.match(await hearOne(conn), /late$/);
});

test("drain: a request under way is answered with close, an idle connection is closed", async () => {
  const answer = deferred<void>();
  const server = await serveOn(async ({ target }) => {
    if (target !== "/") await answer.promise;
    return { status: 200, body: "done" };
  });
  using idle = await server.connect();
  await idle.write(bytes(GET));
  await hearOne(idle);
  using busy = await server.connect();
  await busy.write(bytes(GET.replace("/", "/slow")));
  await server.clock.advance(1);
  server.stop.abort();
  assert.equal(await idle.read(new Uint8Array(8)), null);
  answer.resolve();
  assert.match((await hear(busy)).text, /Connection: close\r\n\r\ndone$/);
  assert.deepEqual(await server.served, { accepted: 2, refused: 0, reset: 0 });
});

test("drain: the first request of a new connection may still come, for up to a second", async () => {
  const server = await serveOn(({ target }) => ({ status: 200, body: target }));
  using fresh = await server.connect();
  using silent = await server.connect();
  await server.clock.advance(1);
  server.stop.abort();
  await server.clock.advance(1);
  await fresh.write(bytes(GET));
  assert.match((await hear(fresh)).text, /Connection: close\r\n\r\n\/$/);
  await server.clock.advance(1000);
  assert.equal(await silent.read(new Uint8Array(8)), null);
  assert.deepEqual(await server.served, { accepted: 2, refused: 0, reset: 0 });
});

test("drain: who still waits for a place is answered with close, when there is one", async () => {
  const answer = deferred<void>();
  const handler: LightHandler = async ({ target }) => {
    if (target === "/slow") await answer.promise;
    return { status: 200, body: target };
  };
  const server = await serveOn(handler, { maxConnections: 1 });
  using busy = await server.connect();
  await busy.write(bytes(GET.replace("/", "/slow")));
  await server.clock.advance(1);
  using asks = await server.connect();
  using late = await server.connect();
  await asks.write(bytes(GET));
  server.stop.abort();
  answer.resolve();
  assert.match((await hear(busy)).text, /\/slow$/);
  assert.match((await hear(asks)).text, /Connection: close\r\n\r\n\/$/);
  await server.clock.advance(500);
  await late.write(bytes(GET));
  assert.match((await hear(late)).text, /Connection: close\r\n\r\n\/$/);
  assert.deepEqual(await server.served, { accepted: 3, refused: 0, reset: 0 });
});

test("drain: closing the listener stops the server, too, and idle connections are not waited for", async () => {
  const transport = new MemoryTransport();
  const listener = await transport.listen({ port: 80 });
  const clock = new VirtualClock();
  const served = serveLight(listener, hello, { clock }).finished;
  using idle = await transport.connect({ host: "localhost", port: 80 });
  await idle.write(bytes(GET));
  await hearOne(idle);
  listener.close();
  assert.deepEqual(await served, { accepted: 1, refused: 0, reset: 0 });
  assert.equal(await idle.read(new Uint8Array(8)), null);
});

test("errors: what is wrong behind a response is not answered a second time", async () => {
  const answer = deferred<void>();
  await using server = await serveOn(async () => {
    await answer.promise;
    return { status: 200, body: "hello" };
  });
  using conn = await server.connect();
  await conn.write(bytes("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"));
  answer.resolve();
  await hearOne(conn);
  await conn.write(bytes("no chunk\r\n"));
  await conn.closeWrite();
  assert.equal((await hear(conn)).text, "");
});

test("errors: a response that streams a body which turns out bad is reset, not answered again", async () => {
  await using server = await serveOn((request) => ({
    status: 200,
    body: (async function* () {
      for await (const p of request.body ?? []) yield p;
    })(),
  }));
  using conn = await server.connect();
  const head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  await conn.write(bytes(`${head}5\r\nhello\r\n`));
  const p = new Uint8Array(4096);
  let text = "";
  while (!text.endsWith("hello\r\n")) {
    text += new TextDecoder().decode(p.subarray(0, (await conn.read(p))!));
  }
  await conn.write(bytes("no chunk\r\n"));
  await assert.rejects(conn.read(p), { code: "ECONNRESET" });
});

test("deadlines: a handler that is slow between two reads is not a slow client", async () => {
  const pause = deferred<void>();
  await using server = await serveOn(async (request) => {
    const first = (await request.body!.read())!.length;
    await pause.promise;
    return { status: 200, body: String(first + (await request.body!.read())!.length) };
  });
  using conn = await server.connect();
  await conn.write(bytes("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello"));
  await server.clock.advance(60_000);
  pause.resolve();
  await server.clock.advance(1000);
  await conn.write(bytes("again"));
  assert.match(await hearOne(conn), /^HTTP\/1\.1 200 OK\r\n[^]*10$/);
});

test("deadlines: a stream that says nothing for a while is not a slow client", async () => {
  const pause = deferred<void>();
  await using server = await serveOn(() => ({
    status: 200,
    body: (async function* () {
      yield bytes("tick");
      await pause.promise;
      yield bytes("tock");
    })(),
    length: 8,
  }));
  using conn = await server.connect();
  await conn.write(bytes(GET));
  await server.clock.advance(60_000);
  pause.resolve();
  assert.match(await hearOne(conn), /ticktock$/);
});
