// What clients and handlers do at the worst moment: nothing is corrupted, cut short unseen, or held
// for ever.

import assert from "node:assert/strict";
import { deferred } from "../../lib/base/wait.ts";
import { SocketError } from "../../lib/base/errors.ts";
import type { LightRequest, LightResponse } from "../../lib/http/server/light.ts";
import { bytes, rejects } from "../support/helpers.ts";
import { GET, hear, hearOne, serveOn } from "../support/http_helpers.ts";
import { test } from "../support/runner.deno.ts";

/** As much as the memory holds between two ends. */
const PIPE = 64 * 1024;

const post = (fields: string, body: string) =>
  `POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\n\r\n${body}`;

/** The head of a response with so much content, with Date. */
const headLength = (length: number) =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\nDate: ${new Date().toUTCString()}\r\n\r\n`
    .length;

/** Content with which a response comes to `size` bytes. */
const filling = (size: number): LightResponse => ({
  status: 200,
  body: "x".repeat(size - headLength(size)),
});

const echo = (request: LightRequest): LightResponse => ({
  status: 200,
  body: async function* () {
    for await (const chunk of request.body ?? []) yield chunk;
  }(),
});

test("faults: watching the client does not overwrite the body that a handler has", async () => {
  const [held, go] = [deferred<void>(), deferred<void>()];
  await using server = await serveOn(async (request) => {
    if (request.method === "GET") return { status: 200 };
    request.signal().aborted;
    const chunk = (await request.body!.read())!;
    request.signal().aborted;
    held.resolve();
    await go.promise;
    return { status: 200, body: new TextDecoder().decode(chunk) };
  });
  using conn = await server.connect();
  const message = post("Content-Length: 5", "");
  await conn.write(bytes(message));
  await server.clock.advance(0);
  await conn.write(bytes("hello"));
  await held.promise;
  await conn.write(bytes(GET));
  await server.clock.advance(0);
  go.resolve();
  assert.match(await hearOne(conn), /hello$/);
});

test("faults: 100 is not sent in the middle of a response that reads the body", async () => {
  await using server = await serveOn(echo);
  const response = await server.talk(post("Content-Length: 5\r\nExpect: 100-continue", "hello"));
  assert.equal(
    response,
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n" +
      "5\r\nhello\r\n0\r\n\r\n",
  );
});

const foreign = () => new SocketError("ECONNREFUSED", "connect", {});

test("faults: a handler whose own connection fails is answered with 500", async () => {
  await using server = await serveOn(() => Promise.reject(foreign()));
  assert.match(await server.talk(GET), /^HTTP\/1\.1 500 /);
  assert.equal(server.errors.length, 1);
});

test("faults: a stream whose own connection fails resets, and does not look whole", async () => {
  await using server = await serveOn(() => ({
    status: 200,
    body: async function* () {
      yield bytes("half");
      throw foreign();
    }(),
  }));
  using conn = await server.connect();
  await conn.write(bytes("GET / HTTP/1.0\r\n\r\n"));
  await rejects(hear(conn), "ECONNRESET");
});

/** A response that goes silent, without an ear for `request.signal()`. */
const silent = (): LightResponse => ({
  status: 200,
  body: async function* () {
    yield bytes("first");
    await new Promise(() => {});
  }(),
});

test("faults: a stream that waits for ever does not keep the place of a client that is gone", async () => {
  await using server = await serveOn(silent, { maxConnections: 1 });
  for (let i = 0; i < 3; i++) {
    using conn = await server.connect();
    await conn.write(bytes(GET));
    await conn.read(new Uint8Array(1024));
    await server.clock.advance(0);
    conn.reset();
    await server.clock.advance(0);
  }
});

test("faults: a stream that waits for ever ends with the drain timeout when the server stops", async () => {
  const server = await serveOn(silent);
  using conn = await server.connect();
  await conn.write(bytes(GET));
  await conn.read(new Uint8Array(1024));
  server.stop.abort();
  await server.clock.advance(10_000);
  assert.equal((await server.served).reset, 1);
  await rejects(hear(conn), "ECONNRESET");
});

test("faults: a body that stops while it is answered resets the response", async () => {
  await using server = await serveOn(echo);
  using conn = await server.connect();
  await conn.write(bytes("POST / HTTP/1.0\r\nContent-Length: 9\r\n\r\nhalf"));
  await server.clock.advance(31_000);
  await rejects(hear(conn), "ECONNRESET");
});

test("faults: who does not take 408 is closed all the same", async () => {
  await using server = await serveOn(() => filling(PIPE));
  using conn = await server.connect();
  await conn.write(bytes(GET));
  await server.clock.advance(0);
  await conn.write(bytes("GET"));
  await server.clock.advance(60_000);
  const writing = async () => {
    for (;;) await conn.write(bytes("x"));
  };
  await rejects(writing(), "EPIPE");
});

test("faults: who does not take a refusal is reset", async () => {
  const responses = [filling(PIPE - 1000), filling(16_300)];
  await using server = await serveOn(() => responses.shift()!);
  using conn = await server.connect();
  await conn.write(bytes(GET + GET + "what?\r\n\r\n"));
  await server.clock.advance(60_000);
  await rejects(conn.write(bytes("x")), "ECONNRESET");
});

test("faults: who does not take 100 is reset", async () => {
  await using server = await serveOn(async (request) => {
    if (request.method === "GET") return filling(PIPE);
    await request.body!.read();
    return { status: 200 };
  });
  using conn = await server.connect();
  await conn.write(bytes(GET));
  await server.clock.advance(0);
  await conn.write(bytes(post("Content-Length: 5\r\nExpect: 100-continue", "")));
  await server.clock.advance(60_000);
  await rejects(conn.write(bytes("x")), "ECONNRESET");
});

test("faults: a length that is none is a 500", async () => {
  for (const length of [-1, 1.5, NaN, 1e21]) {
    await using server = await serveOn(() => ({
      status: 200,
      body: echo({} as LightRequest).body,
      length,
    }));
    assert.match(await server.talk(GET.replace("GET", "HEAD")), /^HTTP\/1\.1 500 /);
  }
});

test("faults: a body that was thrown away does not read as one that has ended", async () => {
  let request: LightRequest;
  await using server = await serveOn((asked) => {
    request = asked;
    return { status: 202 };
  });
  using conn = await server.connect();
  await conn.write(bytes(post("Content-Length: 5", "hello")));
  await hearOne(conn);
  await assert.rejects(request!.body!.read(), { code: "BODY_INCOMPLETE" });
});
