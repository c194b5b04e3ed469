// The reverse proxy in examples/, between clients and a server of ours.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { deferred } from "../../lib/base/wait.ts";
import type { HttpHandler } from "../../lib/http/fetch/fetch_handler.ts";
import { serveHttp } from "../../lib/http/fetch/serve_http.ts";
import { dialWebSocket } from "../../lib/http/ws/client.ts";
import { websocket } from "../../lib/http/ws/server.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { bytes, freePort, OWN_HOST, randomBytes } from "../support/helpers.ts";
import { Program } from "../support/peers.ts";
import { programCommand } from "../support/scripts.ts";
import { afterAll, beforeAll, test } from "../support/runner.deno.ts";

const LARGE = randomBytes(5_000_000);

/** Starts the proxy in front of `origin`. */
async function startProxy(origin: string) {
  const program = new Program([
    ...programCommand("examples/reverse_proxy"),
    origin,
    "127.0.0.1",
    "0",
  ]);
  const [, port] = await program.stdout.until(/:(\d+)\/\n/);
  return {
    program,
    url: `http://127.0.0.1:${port}`,
    /** Sends text, and hears until that matches, or until the end. */
    async talk(text: string, until?: RegExp): Promise<string> {
      using conn = await systemTransport.connect({ host: "127.0.0.1", port: Number(port) });
      await conn.write(bytes(text));
      const p = new Uint8Array(4096);
      let heard = "";
      for (let n; until?.test(heard) !== true && (n = await conn.read(p)) !== null;) {
        heard += new TextDecoder("latin1").decode(p.subarray(0, n));
      }
      return heard;
    },
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

type Proxy = Awaited<ReturnType<typeof startProxy>>;

/** Where the server behind listens while there is one, and its URL. */
let port: number;
let origin: string;
/** The proxy of the tests that do not stop it. */
let proxy: Proxy;

beforeAll(async () => {
  port = Number(await freePort());
  origin = `http://${OWN_HOST}:${port}`;
  proxy = await startProxy(origin);
});

afterAll(() => proxy[Symbol.asyncDispose]());

/** Uses a proxy while the server behind has this handler. */
async function proxied(
  handler: HttpHandler,
  use: (proxy: Proxy) => Promise<void>,
  used: Proxy = proxy,
): Promise<void> {
  const listener = await systemTransport.listen({ host: OWN_HOST, port });
  const stop = new AbortController();
  const served = serveHttp(listener, handler, {
    signal: stop.signal,
    limits: { maxSize: LARGE.length },
    drainTimeout: 0,
  }).finished;
  try {
    await use(used);
  } finally {
    stop.abort();
    await served;
  }
}

test("examples: the proxy passes requests and responses on, with the fields from end to end only", () =>
  proxied((request) => {
    const { method, url, headers } = request;
    if (method === "HEAD") return new Response(null, { headers: { "Content-Length": "7" } });
    if (url.endsWith("/304")) return new Response(null, { status: 304, headers: { ETag: '"1"' } });
    if (url.endsWith("/away")) return Response.redirect("http://other.example/", 307);
    return Response.json([method, url, ...headers], { headers: { "X-Response": "yes" } });
  }, async ({ url, talk }) => {
    const text = await talk(
      "DELETE /a?b=%20 HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-For: forged\r\nX-One: 1\r\n" +
        "Connection: close, x-two\r\nX-Two: 2\r\nKeep-Alive: 5\r\n\r\n",
    );
    assert.match(text, /^HTTP\/1\.1 200 OK\r\n[^]*x-response: yes\r\n/);
    const [method, asked, ...fields] = JSON.parse(text.split("\r\n\r\n")[1]);
    assert.deepEqual([method, asked], ["DELETE", `${origin}/a?b=%20`]);
    const sent = new Headers(fields);
    assert.deepEqual(
      ["x-one", "x-two", "keep-alive", "x-forwarded-for", "x-forwarded-host"].map((name) =>
        sent.get(name)
      ),
      ["1", null, null, "127.0.0.1", "a.example"],
    );
    for (const target of ["//other.example/x", "http://other.example/x", "/../x"]) {
      const other = await talk(
        `GET ${target} HTTP/1.1\r\nHost: other.example\r\nConnection: close\r\n\r\n`,
      );
      const [, askedOther] = JSON.parse(other.split("\r\n\r\n")[1]);
      assert.ok(askedOther.startsWith(`${origin}/`) && askedOther.endsWith("x"), askedOther);
    }
    const head = await fetch(url, { method: "HEAD" });
    assert.equal(head.headers.get("Content-Length"), "7");
    const known = await fetch(`${url}/304`);
    assert.deepEqual([known.status, await known.text()], [304, ""]);
    const away = await fetch(`${url}/away`, { redirect: "manual" });
    await away.text();
    assert.deepEqual([away.status, away.headers.get("Location")], [307, "http://other.example/"]);
  }));

test("examples: the proxy streams content in both directions, with a length or without", () =>
  proxied(async (request) => {
    if (request.url.endsWith("/stream")) return new Response(request.body);
    const length = request.headers.get("Content-Length");
    return new Response(await request.arrayBuffer(), { headers: { "X-Length": String(length) } });
  }, async ({ url }) => {
    const known = await fetch(url, { method: "POST", body: new Uint8Array(LARGE) });
    assert.equal(known.headers.get("X-Length"), String(LARGE.length));
    assert.ok(Buffer.from(await known.arrayBuffer()).equals(LARGE));
    // Each piece is sent when the one before has come back.
    const back = deferred<void>();
    let pieces = 0;
    const body = new ReadableStream({
      async pull(controller) {
        if (pieces === 1) await back.promise;
        controller.enqueue(bytes(`piece ${++pieces}\n`));
        if (pieces === 2) controller.close();
      },
    }, { highWaterMark: 0 });
    const init: RequestInit & { duplex: "half" } = { method: "POST", body, duplex: "half" };
    const stream = await fetch(`${url}/stream`, init);
    let text = "";
    for await (const piece of stream.body!) {
      text += new TextDecoder().decode(piece);
      back.resolve();
    }
    assert.equal(text, "piece 1\npiece 2\n");
  }));

test("examples: through the proxy, a client that leaves ends the stream of the server behind", async () => {
  const cancelled = deferred<void>();
  await proxied(() =>
    new Response(
      new ReadableStream({
        start: (controller) => controller.enqueue(bytes("one")),
        cancel: () => cancelled.resolve(),
      }),
    ), async ({ url }) => {
    const leave = new AbortController();
    const response = await fetch(url, { signal: leave.signal });
    await response.body!.getReader().read();
    leave.abort();
    await cancelled.promise;
  });
});

test("examples: the proxy passes refusals on, and answers 400 and 502 itself", async () => {
  await proxied(async (request) => {
    await request.arrayBuffer();
    return new Response("taken");
  }, async ({ talk }) => {
    const large = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${LARGE.length + 1}\r\n\r\n`;
    assert.match(await talk(`${large}${"x".repeat(1000)}`, /too large/), /^HTTP\/1\.1 413 /);
    const chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert.match(await talk(`${chunked}3\r\nabc\r\nnonsense\r\n`), /^HTTP\/1\.1 400 /);
  });
  // Now there is no server behind.
  const response = await fetch(proxy.url);
  assert.equal(response.status, 502);
  await response.text();
  await proxy.program.stderr.until(/ECONNREFUSED/);
});

test("examples: through the proxy, a client that leaves ends its request of the server behind, unanswered or half sent", async () => {
  const asked = deferred<void>();
  const aborted = deferred<void>();
  await using proxy = await startProxy(origin);
  await proxied((request) => {
    request.signal.addEventListener("abort", () => aborted.resolve());
    asked.resolve();
    return new Promise(() => {});
  }, async ({ url }) => {
    const leave = new AbortController();
    const failed = assert.rejects(fetch(url, { signal: leave.signal }));
    await asked.promise;
    leave.abort();
    await failed;
    await aborted.promise;
  }, proxy);

  const begun = deferred<void>();
  const broken = deferred<void>();
  await proxied(async (request) => {
    const reader = request.body!.getReader();
    await reader.read();
    begun.resolve();
    await reader.read().catch(() => broken.resolve());
    return new Response("never heard");
  }, async ({ program, url }) => {
    using conn = await systemTransport.connect({
      host: "127.0.0.1",
      port: Number(new URL(url).port),
    });
    await conn.write(bytes("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nfour"));
    await begun.promise;
    conn.close();
    await broken.promise;
    assert.equal((await program.stop()).stderr, "");
  }, proxy);
});

test("examples: the proxy passes WebSockets on, with their close codes, and refusals to be one", async () => {
  const echo = websocket(async (ws) => {
    for await (const message of ws) await ws.write(message);
    assert.equal((await ws.closed).code, 3001);
  }, { protocols: ["two"], deflate: true });
  await using proxy = await startProxy(origin);
  await proxied((request, info) => {
    if (new URL(request.url).pathname === "/echo") return echo(request, info);
    return new Response(request.headers.get("Upgrade"));
  }, async ({ program, url, talk }) => {
    const options = { protocols: ["one", "two"], deflate: true };
    const ws = await dialWebSocket(`${url.replace("http", "ws")}/echo`, options);
    assert.deepEqual([ws.protocol, ws.extensions !== ""], ["two", true]);
    for (const message of ["hello", "x".repeat(200_000)]) {
      await ws.write(message);
      assert.equal(await ws.read(), message);
    }
    await ws.close(3001, "enough");
    assert.deepEqual(await ws.closed, { code: 3001, reason: "", clean: true, by: "self" });
    const asks = (more: string) => `Host: a\r\nConnection: close, Upgrade\r\n${more}\r\n`;
    const wrong = await talk(`GET /echo HTTP/1.1\r\n${asks("Upgrade: websocket\r\n")}`);
    assert.match(
      wrong,
      /^HTTP\/1\.1 426 [^]*\r\nsec-websocket-version: 13\r\n[^]*Upgrade: websocket\r\n/,
    );
    const ignored = await talk(`GET / HTTP/1.1\r\n${asks("Upgrade: a, b/1\r\n")}`);
    assert.match(ignored, /^HTTP\/1\.1 200 /);
    assert.equal((await program.stop()).stderr, "");
  }, proxy);
});

test("examples: through the proxy, a server behind that breaks off breaks off the response", async () => {
  using listener = await systemTransport.listen({ host: OWN_HOST, port });
  await using proxy = await startProxy(origin);
  const response = fetch(proxy.url);
  using conn = await listener.accept();
  await conn.read(new Uint8Array(4096));
  await conn.write(bytes("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"));
  const reader = (await response).body!.getReader();
  assert.deepEqual(new Uint8Array((await reader.read()).value!), bytes("half"));
  conn.close();
  await assert.rejects(reader.read());
  await proxy.program.stderr.until(/Cannot get .*96 bytes missing.*\n/);
  const { code, stderr } = await proxy.program.stop();
  assert.deepEqual([code, stderr.trimEnd().split("\n").length], [0, 1]);
});
