// The server whose handler takes a Request and gives a Response.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { H3, handleCors, HTTPError, iterable, redirect, withBase } from "h3";
import { Hono } from "hono";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { deferred } from "../../lib/base/wait.ts";
import type { HttpOptions } from "../../lib/http/server/options.ts";
import type { TcpAddr } from "../../lib/base/addr.ts";
import type { HttpHandler } from "../../lib/http/fetch/fetch_handler.ts";
import { serveHttp } from "../../lib/http/fetch/serve_http.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { bytes, readAll, rejects } from "../support/helpers.ts";
import { runtime, test } from "../support/runner.deno.ts";

/** A server on loopback. */
async function serveOn(handler: HttpHandler, options: HttpOptions = {}) {
  const listener = await systemTransport.listen({ host: "127.0.0.1" });
  const { port } = listener.addr;
  const stop = new AbortController();
  const errors: unknown[] = [];
  const onError = (error: unknown) => errors.push(error);
  const served =
    serveHttp(listener, handler, { signal: stop.signal, onError, ...options }).finished;
  return {
    url: `http://127.0.0.1:${port}`,
    errors,
    connect: () => systemTransport.connect({ host: "127.0.0.1", port }),
    /** Sends text, half-closes, and hears all, without Date. */
    async talk(text: string): Promise<string> {
      using conn = await systemTransport.connect({ host: "127.0.0.1", port });
      await conn.write(bytes(text));
      await conn.closeWrite();
      const response = new TextDecoder("latin1").decode(await readAll(conn));
      return response.replaceAll(/Date: [^\r]*\r\n/g, "");
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await served;
    },
  };
}

const get = (target: string, host = "a.example") =>
  `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;

test("Request: has method, URL and headers, and is an instance of Request", async () => {
  await using server = await serveOn((request) => {
    assert.ok(request instanceof Request);
    const { method, url, headers } = request;
    return Response.json([method, url, headers.get("X-TWO"), [...headers.keys()]]);
  });
  const response = await server.talk(
    "REPORT /a?b=c HTTP/1.1\r\nHost: a.example:8080\r\nX-Two: 1\r\nx-two: 2\r\nConnection: close\r\n\r\n",
  );
  assert.deepEqual(JSON.parse(response.split("\r\n\r\n")[1]), [
    "REPORT",
    "http://a.example:8080/a?b=c",
    "1, 2",
    ["connection", "host", "x-two"],
  ]);
});

test("Request: its URL is the one that URL makes of host and target", async () => {
  await using server = await serveOn((request) => new Response(request.url));
  const targets = [
    "/",
    "//two",
    "/a/../b",
    "/a/%2e%2e/b",
    "/.hidden",
    "/a/./b",
    "/a..b/c.d",
    "/a\\b",
    "/q?x='1'&y=<2>",
    '/"a"',
    "/%zz",
    "/a|b^c`d{e}",
    "/a;b=c,d@e:f!g$h&i(j)k*l+m~n_o-p",
    "/?",
    "/#f",
  ];
  for (
    const host of ["a.example", "A.Example", "a.example:80", "a:8080", "[::1]:1", "127.1", "0x7f"]
  ) {
    for (const target of targets) {
      const [, url] = (await server.talk(get(target, host))).split("\r\n\r\n");
      assert.equal(url, new URL(`http://${host}${target}`).href);
    }
  }
  const [, absolute] = (await server.talk(get("http://other:81/x/../y"))).split("\r\n\r\n");
  assert.equal(absolute, "http://other:81/y");
  const [, login] = (await server.talk(get("http://user:word@other/x@y"))).split("\r\n\r\n");
  assert.equal(login, "http://other/x@y");
  const [, asterisk] = (await server.talk(get("*").replace("GET", "OPTIONS"))).split("\r\n\r\n");
  assert.equal(asterisk, "http://a.example/*");
  const [, none] = (await server.talk("GET /x HTTP/1.0\r\n\r\n")).split("\r\n\r\n");
  assert.equal(none, `${server.url}/x`);
  assert.match(await server.talk(get("/", "999.999.999.999")), /^HTTP\/1\.1 400 /);
});

test("Request: the body by every way there is, once", async () => {
  const ways: Record<string, (request: Request) => Promise<string>> = {
    text: (request) => request.text(),
    json: async (request) => JSON.stringify(await request.json()),
    arrayBuffer: async (request) => Buffer.from(await request.arrayBuffer()).toString(),
    blob: async (request) => await (await request.blob()).text(),
    clone: async (request) => await request.clone().text() + (await request.text()).slice(0, 0),
    body: async (request) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of request.body!) chunks.push(chunk);
      return Buffer.concat(chunks).toString();
    },
  };
  await using server = await serveOn(async (request) => {
    const way = request.headers.get("X-Way")!;
    const text = await ways[way](request);
    assert.equal(request.bodyUsed, true);
    await assert.rejects(async () => await request.text(), TypeError, way);
    assert.throws(() => request.clone(), TypeError, way);
    return new Response(text);
  });
  const body = JSON.stringify("é".repeat(100_000));
  for (const way of Object.keys(ways)) {
    const response = await fetch(server.url, { method: "POST", headers: { "X-Way": way }, body });
    assert.equal(await response.text(), body, way);
  }
  assert.deepEqual(server.errors, []);
});

test("Request: GET has no body", async () => {
  await using server = await serveOn(async (request) => {
    assert.equal(request.body, null);
    return new Response(`[${await request.text()}]`);
  });
  assert.equal(await (await fetch(server.url)).text(), "[]");
});

test("Request: form data", async () => {
  await using server = await serveOn(async (request) => {
    const form = await request.formData();
    const file = form.get("file") as File;
    return new Response(`${form.get("name")} ${file.name} ${await file.text()}`);
  });
  const form = new FormData();
  form.set("name", "value");
  form.set("file", new File(["content"], "a.txt"));
  const response = await fetch(server.url, { method: "POST", body: form });
  assert.equal(await response.text(), "value a.txt content");
});

test("Request: what is made of it has all that it has", async () => {
  await using server = await serveOn(async (request) => {
    const clone = request.clone();
    const changed = new Request("http://other/", request as RequestInit);
    return Response.json([
      clone.url === request.url,
      clone.method,
      clone.headers.get("x"),
      changed.method,
      changed.headers.get("x"),
      await changed.text(),
    ]);
  });
  const response = await fetch(server.url, { method: "PUT", headers: { x: "1" }, body: "b" });
  assert.deepEqual(await response.json(), [true, "PUT", "1", "PUT", "1", "b"]);
});

test("Response: text, bytes and nothing have a length, and a stream is chunked", async () => {
  const bodies: Record<string, string | Uint8Array<ArrayBuffer> | URLSearchParams | null> = {
    text: "héllo",
    bytes: new Uint8Array(bytes("hello")),
    params: new URLSearchParams({ a: "b" }),
    nothing: null,
    empty: "",
    large: "x".repeat(1_000_000),
  };
  await using server = await serveOn((request) => {
    const name = new URL(request.url).pathname.slice(1);
    return new Response(bodies[name] ?? null);
  });
  for (const [name, body] of Object.entries(bodies)) {
    const response = await server.talk(get(`/${name}`));
    const expected = Buffer.from(await new Response(body).arrayBuffer());
    const [head] = response.split("\r\n\r\n");
    if (name === "large" && runtime === "Bun") {
      // It gives what is more than 16 KiB in two pieces, as if it were a stream.
      assert.match(head, /^Transfer-Encoding: chunked$/m);
      assert.equal(await (await fetch(`${server.url}/large`)).text(), body);
      continue;
    }
    assert.match(head, new RegExp(`^Content-Length: ${expected.length}$`, "m"), name);
    assert.equal(response.slice(head.length + 4), expected.toString("latin1"), name);
  }
});

test("Response: a stream is sent as it comes, and chunked", async () => {
  const second = deferred<void>();
  await using server = await serveOn(() => {
    const stream = new ReadableStream({
      async start(controller) {
        controller.enqueue(bytes("one"));
        await second.promise;
        controller.enqueue(bytes("two"));
        controller.close();
      },
    });
    return new Response(stream);
  });
  const response = await fetch(server.url);
  assert.equal(response.headers.get("Transfer-Encoding"), "chunked");
  const reader = response.body!.getReader();
  assert.deepEqual(Buffer.from((await reader.read()).value!).toString(), "one");
  second.resolve();
  assert.deepEqual(Buffer.from((await reader.read()).value!).toString(), "two");
  assert.equal((await reader.read()).done, true);
});

test("Response: a stream that fails right behind its first chunk does not look whole", async () => {
  const stream = new ReadableStream({
    start: (controller) => controller.enqueue(bytes("one")),
    pull: (controller) => controller.error(new Error("the source broke")),
  });
  await using server = await serveOn(() => new Response(stream));
  const response = await server.talk(get("/")).catch((error) => error.code);
  assert.match(
    response,
    /^ECONNRESET$|\r\nTransfer-Encoding: chunked\r\n[^]*\r\n\r\n3\r\none\r\n$/,
  );
  assert.deepEqual(server.errors.map(String), ["Error: the source broke"]);
});

test("Response: a stream with a Content-Length has that, and not another length", async () => {
  await using server = await serveOn((request) => {
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue(bytes("12345"));
        controller.close();
      },
    });
    const length = new URL(request.url).pathname.slice(1);
    return new Response(stream, { headers: { "Content-Length": length } });
  });
  assert.match(await server.talk(get("/5")), /\r\nContent-Length: 5\r\n[^]*\r\n\r\n12345$/);
  // It does not look whole: the connection is reset, or at least ends early.
  const short = await server.talk(get("/6")).catch((error) => error.code);
  assert.match(short, /^ECONNRESET$|\r\nContent-Length: 6\r\n[^]*\r\n\r\n12345$/);
  assert.match(String(server.errors[0]), /1 byte shorter than its length of 6/);
});

test("Response: to HEAD it has the length, and a stream is cancelled", async () => {
  const cancelled = deferred<void>();
  await using server = await serveOn((request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/text") return new Response("hello");
    if (pathname === "/null") return new Response(null, { headers: { "Content-Length": "7" } });
    return new Response(new ReadableStream({ cancel: () => cancelled.resolve() }), {
      headers: { "Content-Length": "9" },
    });
  });
  const head = (target: string) => get(target).replace("GET", "HEAD");
  assert.match(await server.talk(head("/text")), /\r\nContent-Length: 5\r\n[^]*\r\n\r\n$/);
  assert.match(await server.talk(head("/null")), /\r\nContent-Length: 7\r\n[^]*\r\n\r\n$/);
  assert.match(await server.talk(head("/stream")), /\r\nContent-Length: 9\r\n[^]*\r\n\r\n$/);
  await cancelled.promise;
});

test("Response: status, cookies one by one, and nothing of framing", async () => {
  await using server = await serveOn(() => {
    const headers = new Headers({ Connection: "upgrade", "Keep-Alive": "x", "X-A": "b" });
    headers.append("Set-Cookie", "a=1");
    headers.append("Set-Cookie", "b=2");
    return new Response(null, { status: 418, headers });
  });
  const response = (await server.talk(get("/"))).replace("Connection: close\r\n", "");
  assert.match(response, /^HTTP\/1\.1 418 /);
  assert.deepEqual(response.split("\r\n").slice(1, -2).sort(), [
    "Content-Length: 0",
    "set-cookie: a=1",
    "set-cookie: b=2",
    "x-a: b",
  ]);
});

test("Response: what is none, or was read, or is an error, is a 500 that is told of", async () => {
  const read = new Response("x");
  await read.text();
  for (const wrong of [undefined, "text", read, Response.error()]) {
    await using server = await serveOn(() => wrong as Response);
    assert.match(await server.talk(get("/")), /^HTTP\/1\.1 500 /);
    assert.equal(server.errors.length, 1);
    await using later = await serveOn(() => Promise.resolve(wrong as Response));
    assert.match(await later.talk(get("/")), /^HTTP\/1\.1 500 /);
  }
});

test("Response: a client that leaves cancels the stream, and aborts request.signal", async () => {
  const cancelled = deferred<void>();
  const aborted = deferred<void>();
  await using server = await serveOn((request) => {
    request.signal.addEventListener("abort", () => aborted.resolve());
    return new Response(
      new ReadableStream({
        pull: (controller) => controller.enqueue(new Uint8Array(65536)),
        cancel: () => cancelled.resolve(),
      }),
    );
  });
  const leave = new AbortController();
  const response = await fetch(server.url, { signal: leave.signal });
  await response.body!.getReader().read();
  leave.abort();
  await aborted.promise;
  await cancelled.promise;
});

test("Response: a silent stream is cancelled when the connection is lost", async () => {
  const cancelled = deferred<void>();
  let more: ReadableStreamDefaultController<Uint8Array>;
  const errors: unknown[] = [];
  const transport = new MemoryTransport();
  const listener = await transport.listen({ port: 80 });
  const served = serveHttp(listener, () =>
    new Response(
      new ReadableStream({
        start: (controller) => (more = controller).enqueue(bytes("one")),
        cancel: () => cancelled.resolve(),
      }),
    ), { onError: (error) => errors.push(error) }).finished;
  const conn = await transport.connect({ host: "localhost", port: 80 });
  await conn.write(bytes("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  let heard = "";
  const p = new Uint8Array(1024);
  while (!heard.includes("one")) {
    heard += new TextDecoder().decode(p.subarray(0, (await conn.read(p))!));
  }
  conn.reset();
  await cancelled.promise;
  assert.throws(() => more.enqueue(bytes("two")));
  listener.close();
  await served;
  assert.deepEqual(errors, []);
});

test("handlers: are told the addresses of the connection, and may stream the request's body back", async () => {
  await using server = await serveOn((request, { remoteAddr, localAddr }) => {
    assert.deepEqual([remoteAddr.transport, localAddr.transport], ["tcp", "tcp"]);
    assert.equal(new URL(request.url).port, String((localAddr as TcpAddr).port));
    return new Response(request.body);
  }, { limits: { maxSize: 1e7 } });
  const body = Buffer.alloc(5_000_000, "0123456789");
  const response = await fetch(server.url, { method: "POST", body });
  assert.deepEqual(Buffer.from(await response.arrayBuffer()), body);
});

test("a Hono app runs unchanged: routes, parameters, JSON, middleware, streams, mounting", async () => {
  const app = new Hono();
  app.use(async (c, next) => {
    await next();
    c.header("X-Middleware", "yes");
  });
  app.get("/hello/:name", (c) => c.text(`Hello ${c.req.param("name")} ${c.req.query("q")}`));
  app.post("/json", async (c) => c.json({ got: await c.req.json() }, 201));
  app.post("/form", async (c) => c.text(String((await c.req.parseBody()).field)));
  app.get("/stream", (c) => c.body(new Blob(["a", "b"]).stream()));
  app.get("/redirect", (c) => c.redirect("/hello/x"));
  app.get("/broken", () => {
    throw new Error("broken");
  });
  app.mount("/mounted", (request: Request) => new Response(new URL(request.url).pathname));
  app.onError((error, c) => c.text(error.message, 503));
  await using server = await serveOn((request) => app.fetch(request));

  const hello = await fetch(`${server.url}/hello/you?q=1`);
  assert.deepEqual([await hello.text(), hello.headers.get("X-Middleware")], ["Hello you 1", "yes"]);
  const json = await fetch(`${server.url}/json`, { method: "POST", body: '{"a":[1]}' });
  assert.deepEqual([json.status, await json.json()], [201, { got: { a: [1] } }]);
  const form = new FormData();
  form.set("field", "value");
  const posted = await fetch(`${server.url}/form`, { method: "POST", body: form });
  assert.equal(await posted.text(), "value");
  assert.equal(await (await fetch(`${server.url}/stream`)).text(), "ab");
  const redirected = await fetch(`${server.url}/redirect?q=2`);
  assert.equal(await redirected.text(), "Hello x undefined");
  const broken = await fetch(`${server.url}/broken`);
  assert.deepEqual([broken.status, await broken.text()], [503, "broken"]);
  const missing = await fetch(`${server.url}/none`);
  assert.deepEqual([missing.status, await missing.text()], [404, "404 Not Found"]);
  assert.equal(await (await fetch(`${server.url}/mounted/inner`)).text(), "/inner");
});

test("an h3 app runs unchanged: routes, bodies, middleware, streams, errors, mounting", async () => {
  // Silent: it would print what a handler throws.
  const app = new H3({ silent: true });
  app.use(async (event, next) => {
    event.res.headers.set("X-Middleware", "yes");
    if (event.url.pathname === "/secret") throw new HTTPError({ status: 401, message: "Not you" });
    return await next();
  });
  app.get("/hello/:name", (event) => `Hello ${event.context.params?.name} ${event.url.search}`);
  app.post("/json", async (event) => {
    event.res.status = 201;
    return { got: await event.req.json(), type: event.req.headers.get("Content-Type") };
  });
  app.post("/form", async (event) => (await event.req.formData()).get("field"));
  // The body is the request's own stream, so both directions flow at once.
  app.post("/echo", (event) => new Response(event.req.body));
  app.get("/stream", () => new Blob(["a", "b"]).stream());
  app.get("/pieces", () => iterable(["one,", "two,", "three"]));
  app.get("/redirect", () => redirect("/hello/x"));
  app.get("/broken", () => {
    throw new Error("broken");
  });
  app.get("/cors", (event) => handleCors(event, { origin: "*" }) || "shared");
  app.all("/mounted/**", withBase("/mounted", new H3().get("/inner", () => "inside")));
  await using server = await serveOn((request) => app.fetch(request));
  const post = (path: string, body: string | FormData | Uint8Array<ArrayBuffer>) =>
    fetch(`${server.url}${path}`, { method: "POST", body });

  const hello = await fetch(`${server.url}/hello/you?q=1`);
  const middleware = hello.headers.get("X-Middleware");
  assert.deepEqual([await hello.text(), middleware], ["Hello you ?q=1", "yes"]);
  const json = await post("/json", '{"a":[1]}');
  // Bun's fetch() does not say that a string is text.
  const type = runtime === "Bun" ? null : "text/plain;charset=UTF-8";
  const made = { got: { a: [1] }, type };
  assert.deepEqual([json.status, await json.json()], [201, made]);
  const form = new FormData();
  form.set("field", "value");
  assert.equal(await (await post("/form", form)).text(), "value");
  const large = new Uint8Array(300_000).map((_, i) => i * i >> 3);
  const echoed = await (await post("/echo", large)).arrayBuffer();
  assert.deepEqual(new Uint8Array(echoed), large);
  assert.equal(await (await fetch(`${server.url}/stream`)).text(), "ab");
  assert.equal(await (await fetch(`${server.url}/pieces`)).text(), "one,two,three");
  assert.equal(await (await fetch(`${server.url}/redirect`)).text(), "Hello x ");
  // h3 tells of errors in JSON.
  const failures = {
    "/secret": [401, "Not you"],
    "/broken": [500, "HTTPError"],
    "/none": [404, "Cannot find"],
  } as const;
  for (const [path, [status, message]] of Object.entries(failures)) {
    const response = await fetch(`${server.url}${path}`);
    assert.equal(response.status, status);
    assert.ok((await response.text()).includes(`"message":"${message}`), path);
  }
  const cors = await fetch(`${server.url}/cors`);
  const origin = cors.headers.get("Access-Control-Allow-Origin");
  assert.deepEqual([await cors.text(), origin], ["shared", "*"]);
  assert.equal(await (await fetch(`${server.url}/mounted/inner`)).text(), "inside");
  assert.deepEqual(server.errors, []);
});

test("serveHttp: stop() answers what is under way, and closes who is idle", async () => {
  const clock = new VirtualClock();
  const transport = new MemoryTransport();
  const listener = await transport.listen({ port: 80 });
  const [asked, answer] = [deferred<void>(), deferred<void>()];
  const server = serveHttp(listener, async () => {
    asked.resolve();
    await answer.promise;
    return new Response("hello");
  }, { clock });
  assert.equal(server.addr, listener.addr);
  using idle = await transport.connect({ host: "localhost", port: 80 });
  using conn = await transport.connect({ host: "localhost", port: 80 });
  await conn.write(bytes("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  await asked.promise;
  const stopped = server.stop();
  // Its first request could have been on its way.
  await clock.advance(1000);
  assert.equal(await idle.read(new Uint8Array(1)), null);
  answer.resolve();
  assert.match(new TextDecoder().decode(await readAll(conn)), /hello$/);
  assert.deepEqual(await stopped, { accepted: 2, refused: 0, reset: 0 });
});

test("serveHttp: stop({ drainTimeout: 0 }) after a stop() resets what is under way", async () => {
  const clock = new VirtualClock();
  const transport = new MemoryTransport();
  const listener = await transport.listen({ port: 80 });
  const [asked, never] = [deferred<void>(), deferred<Response>()];
  const server = serveHttp(listener, () => {
    asked.resolve();
    return never.promise;
  }, { clock });
  using conn = await transport.connect({ host: "localhost", port: 80 });
  await conn.write(bytes("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  await asked.promise;
  void server.stop();
  const stopped = server.stop({ drainTimeout: 0 });
  await rejects(conn.read(new Uint8Array(1)), "ECONNRESET");
  // The handler, which never returns, gets a moment to notice.
  await clock.advance(1000);
  assert.equal((await stopped).reset, 1);
});
