// What RFC 9112 demands of servers in its sections 8 and 9, on connections.

import assert from "node:assert/strict";
import { deferred } from "../../lib/base/wait.ts";
import { bytes, readAll } from "../support/helpers.ts";
import { hear, hello, serveOn } from "../support/http_helpers.ts";
import { converse, LAST, mirror, responsesOf, talk } from "../support/http_responses.ts";
import { test } from "../support/runner.deno.ts";

const HOST = "Host: a\r\n";
const get = (fields: string) => `GET / HTTP/1.1\r\n${HOST}${fields}\r\n`;
const post = (fields: string, body = "") => `POST / HTTP/1.1\r\n${HOST}${fields}\r\n${body}`;

test("RFC 9112 8: a head that the client does not finish is not answered", async () => {
  let asked = 0;
  const handler = () => ({ status: 200, body: `${asked++}` });
  const whole = get("X: y\r\n");
  for (const length of [1, 10, 20, whole.length - 1]) {
    assert.deepEqual(await talk(whole.slice(0, length), handler), []);
  }
  assert.equal(asked, 0);
});

test("RFC 9112 9.3: a body that nobody reads is read, or the connection closed", async () => {
  const small = await converse(
    [post("Content-Length: 60000\r\n", "x".repeat(60_000)) + LAST],
    hello,
  );
  assert.equal(responsesOf(small).length, 2);
  await using server = await serveOn(hello);
  using conn = await server.connect();
  const body = "x".repeat(200_000);
  conn.write(bytes(post("Content-Length: 200000\r\n", body) + LAST)).catch(() => {});
  assert.equal(responsesOf((await hear(conn)).text).length, 1);
});

test("RFC 9112 9.3: HTTP/1.0 is kept when it asks for that, and told so", async () => {
  const request = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
  const responses = responsesOf(await converse([request + request + LAST]));
  assert.deepEqual(responses.map(({ headers }) => headers.get("connection")), [
    "keep-alive",
    "keep-alive",
    "close",
  ]);
});

test("RFC 9112 9.3.2: responses come in the order of the requests, whoever is faster", async () => {
  const slow = deferred<void>();
  let asked = "";
  await using server = await serveOn(async ({ target }) => {
    asked += target;
    if (target === "/1") await slow.promise;
    return { status: 200, body: target };
  });
  using conn = await server.connect();
  const targets = ["/1", "/2", "/3"];
  await conn.write(bytes(targets.map((t) => `GET ${t} HTTP/1.1\r\n${HOST}\r\n`).join("") + LAST));
  await server.clock.advance(1000);
  assert.equal(asked, "/1");
  slow.resolve();
  const responses = responsesOf((await hear(conn)).text);
  assert.deepEqual(responses.map(({ body }) => body), [...targets, "/last"]);
});

test("RFC 9112 9.6: after a request with close nothing is processed, and the server closes", async () => {
  let asked = 0;
  const handler = () => ({ status: 200, body: `${++asked}` });
  for (const value of ["close", "CLOSE", "x, close", ",close,", "keep-alive, close"]) {
    asked = 0;
    const responses = responsesOf(
      await converse([get(`Connection: ${value}\r\n`) + LAST], handler),
    );
    assert.deepEqual(responses.map(({ headers }) => headers.get("connection")), ["close"]);
    assert.equal(asked, 1);
  }
});

test("RFC 9112 9.6: after a response with close the server half-closes, and waits for the client", async () => {
  await using server = await serveOn(mirror);
  using conn = await server.connect();
  await conn.write(bytes("NONSENSE\r\n\r\n"));
  assert.match(new TextDecoder().decode(await readAll(conn)), /^HTTP\/1\.1 400 /);
  // Still there to take what the client is sending, and not for long.
  await conn.write(bytes("more"));
  await server.clock.advance(2500);
  await assert.rejects(conn.write(bytes("more")), { code: "EPIPE" });
});
