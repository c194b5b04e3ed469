// Requests and responses of serveLight() are plain objects: copies of them with something changed are as good.

import assert from "node:assert/strict";
import { deferred } from "../../lib/base/wait.ts";
import type { LightHandler, LightRequest } from "../../lib/http/server/light.ts";
import { prepare } from "../../lib/http/server/prepared_response.ts";
import { toFetchHandler } from "../../lib/http/fetch/fetch_handler.ts";
import { bytes } from "../support/helpers.ts";
import { GET, hear, serveOn } from "../support/http_helpers.ts";
import { test } from "../support/runner.deno.ts";

const POST = "POST /a HTTP/1.1\r\nHost: a\r\nX-One: 1\r\nContent-Length: 5\r\n\r\nhello";

/** Tells all that a request has. */
const describe: LightHandler = async (request) => {
  const { method, target, host, minor, scheme, remoteAddr, localAddr, body } = request;
  let text = "";
  for await (const piece of body ?? []) text += new TextDecoder().decode(piece);
  const addrs = [remoteAddr, localAddr];
  const told = [method, target, host, minor, scheme, addrs, body?.length, text];
  return {
    status: 200,
    headers: [],
    body: JSON.stringify([...told, request.header("x-one"), request.signal().aborted]),
  };
};

async function toldBy(handler: LightHandler, text: string): Promise<unknown[]> {
  await using server = await serveOn(handler);
  using conn = await server.connect();
  await conn.write(bytes(text.replace("Host: a\r\n", "Host: a\r\nConnection: close\r\n")));
  return JSON.parse((await hear(conn)).text.split("\r\n\r\n")[1]);
}

test("spread: a copy of a request has all that the request has", async () => {
  for (const text of [GET, POST]) {
    const told = await toldBy(describe, text);
    const copied = await toldBy((request) => describe({ ...request }), text);
    told[5] = copied[5] = undefined; // each connection has a port of its own
    assert.deepEqual(copied, told);
  }
});

test("spread: what a copy has of its own is what counts there", async () => {
  const body = { length: 3, read: () => Promise.resolve(null), [Symbol.asyncIterator]: three };
  async function* three() {
    yield bytes("new");
  }
  const headers = ["X-One", "2"];
  const told = await toldBy(
    (request) => describe({ ...request, target: "/b", headers, body }),
    POST,
  );
  const [method, target, , , , , length, text, field] = told;
  assert.deepEqual([method, target, length, text, field], ["POST", "/b", 3, "new", "2"]);
});

test("spread: a handler for fetch takes a copy, and so does a request made of a Request", async () => {
  const seen: LightRequest[] = [];
  const handler = toFetchHandler((request) => {
    seen.push({ ...request, target: "/b" });
    return describe(seen.at(-1)!);
  });
  const init = { method: "PUT", body: "made", headers: { "X-One": "1", "Content-Length": "4" } };
  const response = await handler(new Request("http://a.example/a", init));
  const told: unknown[] = JSON.parse(await response.text());
  const [method, target, host, , , , length, text, field] = told;
  assert.deepEqual(
    [method, target, host, length, text, field],
    ["PUT", "/b", "a.example", 4, "made", "1"],
  );
});

test("spread: the signal of a copy is that of the request", async () => {
  const aborted = deferred<void>();
  await using server = await serveOn((request) => {
    const copy = { ...request };
    assert.equal(copy.signal(), request.signal());
    return new Promise((resolve) => {
      copy.signal().addEventListener("abort", () => {
        aborted.resolve();
        resolve({ status: 200 });
      });
    });
  });
  const conn = await server.connect();
  await conn.write(bytes(GET));
  await server.clock.advance(0);
  conn.close();
  await aborted.promise;
});

test("spread: a copy of a response is sent with what it has of its own, a prepared one, too", async () => {
  async function* stream() {
    yield bytes("hello");
  }
  const responses = [
    () => ({ status: 200, headers: ["X-One", "1"], body: "hello" }),
    () => ({ status: 200, headers: ["X-One", "1"], body: bytes("hello") }),
    () => ({ status: 200, headers: ["X-One", "1"], body: stream(), length: 5 }),
    () => prepare({ status: 200, headers: ["X-One", "1"], body: "hello" }),
  ];
  for (const response of responses) {
    await using server = await serveOn(() => ({
      ...response(),
      status: 404,
      headers: ["X-Two", "2"],
    }));
    const text = await server.talk(GET);
    assert.equal(text, "HTTP/1.1 404 Not Found\r\nX-Two: 2\r\nContent-Length: 5\r\n\r\nhello");
  }
});

test("signal: a handler that throws its reason has made no mistake", async () => {
  for (const wrapped of [false, true]) {
    const thrown = deferred<void>();
    await using server = await serveOn((request) =>
      new Promise((_, reject) => {
        const signal = request.signal();
        signal.addEventListener("abort", () => {
          reject(wrapped ? new Error("given up", { cause: signal.reason }) : signal.reason);
          thrown.resolve();
        });
      }), { drainTimeout: 1 });
    const conn = await server.connect();
    await conn.write(bytes(GET));
    await server.clock.advance(0);
    conn.close();
    await thrown.promise;
    await server.clock.advance(0);
    assert.deepEqual(server.errors, []);
  }
});
