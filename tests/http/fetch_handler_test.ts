// Handlers for serveLight() where those for serveHttp() go, and the other way round.

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Hono } from "hono";
import { deferred } from "../../lib/base/wait.ts";
import {
  fromFetchHandler,
  type HttpHandler,
  toFetchHandler,
} from "../../lib/http/fetch/fetch_handler.ts";
import type { LightHandler, LightRequest, LightResponse } from "../../lib/http/server/light.ts";
import { serveHttp } from "../../lib/http/fetch/serve_http.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { fileHandler } from "../../lib/files/files.ts";
import { siteHandler } from "../../lib/files/site.ts";
import { bytes, randomBytes } from "../support/helpers.ts";
import { GET, serveOn } from "../support/http_helpers.ts";
import { test } from "../support/runner.deno.ts";

const LARGE = randomBytes(1_000_000);

/** Serves with serveHttp() on loopback what `use` asks for. */
async function serving(handler: HttpHandler, use: (url: string) => Promise<void>): Promise<void> {
  const listener = await systemTransport.listen({ host: "127.0.0.1" });
  const stop = new AbortController();
  const served =
    serveHttp(listener, handler, { signal: stop.signal, limits: { maxSize: 1e7 } }).finished;
  try {
    await use(`http://127.0.0.1:${listener.addr.port}`);
  } finally {
    stop.abort();
    await served;
  }
}

const LONG_AGO = new Date("2026-01-01");

/** A directory with a page, and a file that is sent as a stream. */
async function withSite(use: (root: string) => Promise<void>): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "fetch-handler-"));
  try {
    writeFileSync(join(root, "index.html"), "<h1>Hello</h1>");
    writeFileSync(join(root, "large.bin"), LARGE);
    // What was just written has a validator that is for one request only.
    for (const name of readdirSync(root)) utimesSync(join(root, name), LONG_AGO, LONG_AGO);
    await use(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

/** What a server of files has to do, wherever it is. */
async function assertServes(url: string): Promise<void> {
  const page = await fetch(`${url}/`);
  assert.deepEqual([page.status, await page.text()], [200, "<h1>Hello</h1>"]);
  assert.match(page.headers.get("Content-Type")!, /^text\/html/);
  const large = await fetch(`${url}/large.bin`);
  assert.equal(large.headers.get("Content-Length"), String(LARGE.length));
  assert.deepEqual(new Uint8Array(await large.arrayBuffer()), LARGE);
  const head = await fetch(`${url}/large.bin`, { method: "HEAD" });
  assert.equal(head.headers.get("Content-Length"), String(LARGE.length));
  const range = await fetch(`${url}/large.bin`, { headers: { Range: "bytes=500000-599999" } });
  assert.equal(range.status, 206);
  assert.deepEqual(new Uint8Array(await range.arrayBuffer()), LARGE.slice(500_000, 600_000));
  const etag = page.headers.get("ETag")!;
  const known = await fetch(`${url}/`, { headers: { "If-None-Match": etag } });
  assert.deepEqual([known.status, await known.text()], [304, ""]);
  const none = await fetch(`${url}/none.txt`);
  assert.equal(none.status, 404);
  await none.text();
}

test("fileHandler: is a handler for serveHttp(), too", () =>
  withSite((root) => serving(fileHandler(root), assertServes)));

test("fileHandler: a Hono app serves files beside its routes, and mounts them", () =>
  withSite(async (root) => {
    const files = fileHandler(root);
    const app = new Hono();
    app.get("/api", (c) => c.json({ hello: "world" }));
    app.mount("/mounted", files);
    app.mount("/made", toFetchHandler(files));
    app.get("*", (c) => files(c.req.raw));
    await serving((request) => app.fetch(request), async (url) => {
      assert.deepEqual(await (await fetch(`${url}/api`)).json(), { hello: "world" });
      await assertServes(url);
      await assertServes(`${url}/mounted`);
      await assertServes(`${url}/made`);
    });
  }));

test("siteHandler: takes uploads in a Hono app", () =>
  withSite(async (root) => {
    const site = siteHandler(root, { upload: true });
    const app = new Hono();
    app.mount("/mounted", site);
    app.all("*", (c) => site(c.req.raw));
    await serving((request) => app.fetch(request), async (url) => {
      for (const path of ["/one.bin", "/mounted/two.bin"]) {
        const put = await fetch(url + path, { method: "PUT", body: new Uint8Array(LARGE) });
        assert.equal(put.status, 201);
        await put.body?.cancel();
        const stored = readFileSync(join(root, path.split("/").at(-1)!));
        assert.deepEqual(new Uint8Array(stored), LARGE);
      }
    });
  }));

test("toFetchHandler: the request is that of serveHttp(), or one made of a Request", async () => {
  const seen: LightRequest[] = [];
  const handler = toFetchHandler(async (request) => {
    seen.push(request);
    let text = "";
    for await (const piece of request.body ?? []) {
      text += new TextDecoder().decode(piece);
    }
    return { status: 200, body: text };
  });
  await serving(handler, async (url) => {
    const response = await fetch(`${url}/a?b`, { method: "POST", body: "sent" });
    assert.equal(await response.text(), "sent");
  });
  const { target, remoteAddr, localAddr } = seen[0];
  assert.deepEqual([target, remoteAddr.transport, localAddr.transport], ["/a?b", "tcp", "tcp"]);

  const init = { method: "PUT", body: "made", headers: { "X-One": "1" } };
  const made = new Request("https://a.example:8443/c%20d?e#f", init);
  const told = { remoteAddr: { transport: "tcp", hostname: "192.0.2.1", port: 7 } };
  assert.equal(await (await handler(made, told)).text(), "made");
  const request = seen[1];
  assert.deepEqual(
    [request.method, request.target, request.host, request.scheme, request.minor],
    ["PUT", "/c%20d?e", "a.example:8443", "https", 1],
  );
  assert.deepEqual([request.header("x-ONE"), request.header("X-Two")], ["1", undefined]);
  assert.equal(request.headers[request.headers.indexOf("x-one") + 1], "1");
  assert.deepEqual(request.remoteAddr, { transport: "tcp", host: "192.0.2.1", port: 7 });
  assert.equal(await (await handler(new Request("http://a/"))).text(), "");
  assert.deepEqual(seen[2].remoteAddr, { transport: "unix", path: "" });

  const leave = new AbortController();
  await (await handler(new Request("http://a/", { signal: leave.signal }))).text();
  const signal = seen[3].signal();
  assert.equal(signal.aborted, false);
  leave.abort();
  assert.equal(signal.aborted, true);

  const used = new Request("http://a/", { method: "POST", body: "x" });
  await used.text();
  await assert.rejects(handler(used), TypeError);
});

test("toFetchHandler: what goes through both ways is on the wire what it was", async () => {
  async function* stream() {
    yield bytes("one");
    yield bytes("");
    yield bytes("two");
  }
  const responses:
    (Omit<LightResponse, "body"> & { body?: LightResponse["body"] | typeof stream })[] = [
      { status: 200, body: "héllo" },
      { status: 200, body: bytes("hello"), headers: ["a", "1", "set-cookie", "a=1"] },
      { status: 200 },
      { status: 200, body: stream },
      { status: 200, body: stream, length: 6 },
      { status: 204 },
      { status: 204, body: stream },
      { status: 304, body: stream, length: 6 },
      { status: 205, body: "none" },
      { status: 304, headers: ["etag", '"1"'], body: "none" },
      {
        status: 404,
        headers: ["set-cookie", "a=1", "set-cookie", "b=2"],
        body: "x".repeat(10_000),
      },
    ];
  for (const method of ["GET", "HEAD"]) {
    for (const response of responses) {
      // A stream can be gone through once.
      const { body } = response;
      const light: LightHandler = () => ({
        ...response,
        body: typeof body === "function" ? body() : body,
      });
      await using direct = await serveOn(light);
      await using round = await serveOn(fromFetchHandler(toFetchHandler(light)));
      const text = GET.replace("GET", method);
      assert.equal(await round.talk(text), await direct.talk(text), `${method} ${response.status}`);
    }
  }
});

test("toFetchHandler: a client that leaves ends the stream of a response, and a mistake is told", async () => {
  const dropped = deferred<void>();
  const body: AsyncIterableIterator<Uint8Array> = {
    next: () => new Promise(() => {}),
    return: () => {
      dropped.resolve();
      return Promise.resolve({ done: true, value: undefined });
    },
    [Symbol.asyncIterator]: () => body,
  };
  const handler = toFetchHandler(({ target }) => {
    if (target === "/thrown") throw new Error("thrown");
    return { status: 200, body };
  });
  await using server = await serveOn(fromFetchHandler(handler));
  assert.match(await server.talk(GET.replace("/", "/thrown")), /^HTTP\/1\.1 500 /);
  assert.match(String(server.errors), /thrown/);
  using conn = await server.connect();
  await conn.write(bytes(GET));
  await conn.read(new Uint8Array(1024));
  conn.close();
  await server.clock.advance(1000);
  await dropped.promise;
});
