// What a handler gets and gives, and what the server tells of it.

import assert from "node:assert/strict";
import { deferred } from "../../lib/base/wait.ts";
import type { LightRequest, LightResponse } from "../../lib/http/server/light.ts";
import type { Exchange } from "../../lib/http/server/options.ts";
import { prepare } from "../../lib/http/server/prepared_response.ts";
import { bytes, readAll, readText } from "../support/helpers.ts";
import { GET, hear, hearOne, hello, serveOn } from "../support/http_helpers.ts";
import { test } from "../support/runner.deno.ts";

const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n`;

test("heads: the same one again, and others of its length, are each what was sent", async () => {
  await using server = await serveOn(({ target, headers }) => ({
    status: 200,
    body: `${target} ${headers.join()}\n`,
  }));
  using conn = await server.connect();
  for (const target of ["/1", "/1", "/1", "/2", "/2", "/2", "/1", "/22", "/22", "/22"]) {
    // Together, and then one after the other.
    await conn.write(bytes(get(target) + get(target)));
    const text = await readText(conn, 2 * (await response(target)).length);
    assert.equal(
      text.replaceAll(/Date: [^\r]*\r\n/g, ""),
      (await response(target, false)).repeat(2),
    );
  }

  function response(target: string, date = true): Promise<string> {
    const body = `${target} Host,a,X,1\n`;
    return Promise.resolve(
      `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${
        date ? `Date: ${new Date(0).toUTCString()}\r\n` : ""
      }\r\n${body}`,
    );
  }
});

test("heads: one that comes in pieces after it was known is put together all the same", async () => {
  await using server = await serveOn(({ target }) => ({ status: 200, body: target }));
  using conn = await server.connect();
  for (let i = 0; i < 3; i++) {
    await conn.write(bytes(get("/same")));
    assert.match(await hearOne(conn), /\/same$/);
  }
  for (const piece of get("/same")) await conn.write(bytes(piece));
  assert.match(await hearOne(conn), /\/same$/);
});

test("prepared responses: the same as others, alone, in a pipeline, large, and to HEAD", async () => {
  for (const size of [0, 5, 1024, 100_000]) {
    const response: LightResponse = {
      status: 203,
      headers: ["X-Name", "caf\xe9"],
      body: new Uint8Array(size).fill(0x61),
    };
    const prepared = prepare(response);
    await using plain = await serveOn(() => response);
    await using fast = await serveOn(() => prepared);
    for (
      const text of [
        GET,
        GET + GET + GET,
        GET.replace("GET", "HEAD") + GET,
        "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n".repeat(2),
        GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"),
      ]
    ) {
      assert.equal(await fast.talk(text), await plain.talk(text));
    }
  }
});

test("prepared responses: one that HTTP cannot carry is refused when it is made", () => {
  assert.throws(() => prepare({ status: 99 }), TypeError);
  assert.throws(() => prepare({ status: 200, headers: ["a b", ""] }), TypeError);
  assert.throws(() => prepare({ status: 200, body: (async function* () {})() }), TypeError);
});

test("responses: of many kinds by turns, each has its own head", async () => {
  const responses: LightResponse[] = [
    { status: 200, headers: ["A", "1"], body: "x" },
    { status: 200, headers: ["A", "2"], body: "x" },
    { status: 404, headers: ["A", "2"], body: "x" },
    { status: 404, headers: ["A", "2", "B", "3"], body: "x" },
    { status: 200, body: "é" },
    { status: 200, body: "xy" },
    { status: 200, body: "é".repeat(200) },
  ];
  let next = 0;
  await using server = await serveOn(() => responses[next++ % responses.length]);
  const text = await server.talk(GET.repeat(3 * responses.length));
  const expected = responses.map(({ status, headers = [], body }) => {
    const fields = headers.map((part, i) => i % 2 === 0 ? `${part}: ` : `${part}\r\n`).join("");
    const content = new TextDecoder("latin1").decode(bytes(body as string));
    return `HTTP/1.1 ${status} ${status === 200 ? "OK" : "Not Found"}\r\n${fields}` +
      `Content-Length: ${content.length}\r\n\r\n${content}`;
  }).join("");
  assert.equal(text, expected.repeat(3));
});

test("responses: fields that are the server's to send are a mistake of the handler's", async () => {
  for (const name of ["Content-Length", "transfer-encoding", "Connection", "DATE"]) {
    await using server = await serveOn(() => ({ status: 200, headers: [name, "1"] }));
    assert.match(await server.talk(GET), /^HTTP\/1\.1 500 /);
    assert.match(String(server.errors[0]), new RegExp(name));
  }
});

test("responses: none at all is a 500", async () => {
  await using server = await serveOn(() => undefined as unknown as LightResponse);
  assert.match(await server.talk(GET), /^HTTP\/1\.1 500 /);
  await using later = await serveOn(() => Promise.resolve(undefined as unknown as LightResponse));
  assert.match(await later.talk(GET), /^HTTP\/1\.1 500 /);
  const post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx";
  for (const one of [server, later]) assert.match(await one.talk(post), /^HTTP\/1\.1 500 /);
});

test("responses: a mistake is told of once, also where the output has no room for the 500", async () => {
  const nearlyAll = "x".repeat(16 * 1024 - 100);
  let bad = false;
  await using server = await serveOn(() => {
    bad = !bad;
    return bad ? { status: 200, body: nearlyAll } : { status: 99 };
  });
  const text = await server.talk(GET + GET);
  assert.deepEqual(text.match(/^HTTP\/1\.1 \d+|(?<=x)HTTP\/1\.1 \d+/g), [
    "HTTP/1.1 200",
    "HTTP/1.1 500",
  ]);
  assert.equal(server.errors.length, 1);
});

test("streams: one that is not sent is told so", async () => {
  let dropped = 0;
  const body: AsyncIterableIterator<Uint8Array> = {
    next: () => assert.fail("It is read"),
    return: () => {
      dropped++;
      return Promise.resolve({ done: true, value: undefined });
    },
    [Symbol.asyncIterator]: () => body,
  };
  await using server = await serveOn(({ target }) => ({ status: Number(target.slice(1)), body }));
  const head = "HEAD /200 HTTP/1.1\r\nHost: a\r\n\r\n";
  const text = await server.talk(head + get("/304") + get("/99"));
  assert.deepEqual(text.match(/^HTTP.*$/gm), [
    "HTTP/1.1 200 OK",
    "HTTP/1.1 304 Not Modified",
    "HTTP/1.1 500 Internal Server Error",
  ]);
  assert.equal(dropped, 3);
});

test("onError: hears once of what a handler or a stream threw, and onResponse of what was refused", async () => {
  const told: string[] = [];
  const answered: number[] = [];
  await using server = await serveOn(async (request) => {
    if (request.target === "/first") throw new Error("thrown");
    for await (const _ of request.body ?? []);
    return { status: 200, body: breaks() };
  }, {
    limits: { maxSize: 1000 },
    onResponse: ({ status }) => answered.push(status),
    onError: (error, request) => {
      told.push(`${request?.method} ${request?.target}: ${(error as Error).message}`);
    },
  });
  // deno-lint-ignore require-yield
  async function* breaks(): AsyncGenerator<Uint8Array> {
    throw new Error("broken");
  }
  const response = await server.talk(get("/first"));
  assert.equal(
    response,
    "HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/plain;charset=utf-8\r\n" +
      "Content-Length: 22\r\n\r\nInternal Server Error\n",
  );
  await server.talk("GET / HTTP/9.9\r\n\r\n");
  const post = "POST /large HTTP/1.1\r\nHost: a\r\n";
  await server.talk(`${post}Content-Length: 2000\r\n\r\n`);
  await server.talk(`${post}Transfer-Encoding: chunked\r\n\r\n5dc\r\n${"x".repeat(1500)}`);
  using conn = await server.connect();
  await conn.write(bytes(get("/stream")));
  await assert.rejects(readAll(conn), { code: "ECONNRESET" });
  assert.deepEqual(told, ["GET /first: thrown", "GET /stream: broken"]);
  assert.deepEqual(answered, [500, 505, 413, 413, 200]);
});

test("onResponse: tells of each response once: whole, broken off, or refusing what is no request", async () => {
  const told: Exchange[] = [];
  await using server = await serveOn(async (request) => {
    const { target } = request;
    if (target === "/small") return { status: 200, body: "small" };
    if (target === "/large") await request.body!.read();
    return { status: 200, body: stream(target === "/breaks") };
  }, { onResponse: (exchange) => told.push(exchange) });
  async function* stream(breaks: boolean) {
    yield bytes("12345678");
    if (breaks) throw new Error("broken");
  }
  await server.talk(get("/small") + get("/whole"));
  using broken = await server.connect();
  await broken.write(bytes(get("/breaks")));
  await assert.rejects(hear(broken), { code: "ECONNRESET" });
  await server.talk("NONSENSE\r\n\r\n");
  await server.talk("POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n");
  assert.deepEqual(
    told.map((
      { request, status, bytes, complete, error },
    ) => [request?.target, status, bytes, complete, error?.code]),
    [
      ["/small", 200, 5, true, undefined],
      ["/whole", 200, 8, true, undefined],
      ["/breaks", 200, 8, false, undefined],
      [undefined, 400, 47, true, "BAD_REQUEST_LINE"],
      ["/large", 413, 23, true, "BODY_TOO_LARGE"],
    ],
  );
  using late = await server.connect();
  await late.write(bytes("GET / HTTP/1.1\r\n"));
  const heard = readText(late, 12);
  await server.clock.advance(16_000);
  assert.equal(await heard, "HTTP/1.1 408");
  const { request, status, error } = told.at(-1)!;
  assert.deepEqual([request, status, error?.code], [undefined, 408, "TIMEOUT"]);
});

/** A handler that waits, and what it was asked. */
function waiting() {
  const asked = deferred<LightRequest>();
  const answer = deferred<void>();
  const handler = async (request: LightRequest): Promise<LightResponse> => {
    request.signal().aborted;
    asked.resolve(request);
    await answer.promise;
    return { status: 200, body: "hello" };
  };
  return { asked: asked.promise, answer, handler };
}

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve());
  });

test("signal: is aborted when the client half-closes, which still gets its response", async () => {
  const { asked, answer, handler } = waiting();
  await using server = await serveOn(handler);
  using conn = await server.connect();
  await conn.write(bytes(GET));
  const signal = (await asked).signal();
  assert.equal(signal.aborted, false);
  await conn.closeWrite();
  await aborted(signal);
  answer.resolve();
  assert.match((await hear(conn)).text, /hello$/);
});

test("signal: is aborted when the client resets, while a handler waits or a stream is sent", async () => {
  const { asked, answer, handler } = waiting();
  await using server = await serveOn(handler);
  using conn = await server.connect();
  await conn.write(bytes("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n"));
  const request = await asked;
  await conn.write(bytes("ab"));
  for await (const _ of request.body ?? []);
  conn.reset();
  await aborted(request.signal());
  answer.resolve();
});

test("signal: is not aborted by what comes after the response", async () => {
  const { asked, answer, handler } = waiting();
  await using server = await serveOn(handler);
  using conn = await server.connect();
  await conn.write(bytes(GET));
  const signal = (await asked).signal();
  answer.resolve();
  await hearOne(conn);
  await conn.write(bytes(GET));
  await hearOne(conn);
  await conn.closeWrite();
  await hear(conn);
  assert.equal(signal.aborted, false);
});

test("signal: watching the client loses nothing of the requests it sends meanwhile", async () => {
  const { asked, answer, handler } = waiting();
  await using server = await serveOn(handler);
  using conn = await server.connect();
  await conn.write(bytes(GET));
  await asked;
  await conn.write(bytes(GET + GET));
  answer.resolve();
  for (let i = 0; i < 3; i++) {
    const text = await readText(conn, (await whole()).length);
    assert.match(text, /^HTTP\/1\.1 200 OK\r\n[^]*hello$/);
  }

  async function whole(): Promise<string> {
    await using other = await serveOn(hello);
    return (await other.talk(GET)).replace(
      "\r\n\r\n",
      `\r\nDate: ${new Date(0).toUTCString()}\r\n\r\n`,
    );
  }
});

test("bodies: a handler may answer while it still waits for more, and the connection goes on", async () => {
  async function* stream() {
    yield bytes("early");
  }
  for (const [length, goesOn] of [[4, true], [400_000, false]] as const) {
    await using server = await serveOn((request) => {
      if (request.target === "/next") return { status: 200, body: "next" };
      void (async () => {
        for await (const _ of request.body ?? []);
      })().catch(() => {});
      return { status: 200, body: stream() };
    });
    using conn = await server.connect();
    const post = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`;
    await conn.write(bytes(`${post}a`));
    await server.clock.advance(0);
    await conn.write(bytes(`${"b".repeat(length - 1)}${get("/next")}`));
    await conn.closeWrite();
    const { text } = await hear(conn);
    assert.match(text, /^HTTP\/1\.1 200 [^]*early/);
    assert.equal(/next$/.test(text), goesOn);
    assert.deepEqual(server.errors, []);
  }
});
