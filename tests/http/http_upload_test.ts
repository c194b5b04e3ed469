// Requests whose content is a stream.

import assert from "node:assert/strict";
import { deferred } from "../../lib/base/wait.ts";
import type { HttpRequestOptions } from "../../lib/http/client/options.ts";
import { requestHttp } from "../../lib/http/client/request.ts";
import { endToEndHeaders } from "../../lib/http/message/end_to_end_fields.ts";
import type { LightHandler, LightRequest } from "../../lib/http/server/light.ts";
import type { HttpOptions } from "../../lib/http/server/options.ts";
import { serveLight } from "../../lib/http/server/server.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import { bytes } from "../support/helpers.ts";
import { test } from "../support/runner.deno.ts";
import { TestClock } from "../support/test_clock.ts";

/** A server in memory, and a way to ask it. */
async function serving(handler: LightHandler, options: HttpOptions = {}) {
  const transport = new MemoryTransport();
  const listener = await transport.listen({ port: 80 });
  const stop = new AbortController();
  const errors: unknown[] = [];
  const served = serveLight(listener, handler, {
    signal: stop.signal,
    onError: (error) => errors.push(error),
    ...options,
  }).finished;
  return {
    errors,
    ask: (path: string, options: Partial<HttpRequestOptions>) =>
      requestHttp(transport, { url: `http://localhost${path}`, ...options }),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await served;
    },
  };
}

/** Answers with how the content was framed, and with the content. */
const mirror: LightHandler = async (request) => {
  const framing = request.header("Transfer-Encoding") ?? request.header("Content-Length");
  return { status: 200, body: `${request.method} ${framing} ${await textOf(request)}` };
};

async function textOf(request: LightRequest): Promise<string> {
  let text = "";
  for await (const piece of request.body ?? []) text += new TextDecoder().decode(piece);
  return text;
}

async function heard(response: AsyncIterable<Uint8Array>): Promise<string> {
  let text = "";
  for await (const piece of response) text += new TextDecoder().decode(piece);
  return text;
}

/** Pieces in one buffer, each valid until the next only. */
async function* lent(...texts: string[]): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(200_000);
  for (const text of texts) {
    yield buffer.subarray(0, new TextEncoder().encodeInto(text, buffer).written);
  }
}

test("upload: a stream is sent chunked, or with its length, whatever its pieces", async () => {
  await using server = await serving(mirror);
  const large = "x".repeat(150_000);
  for (const pieces of [[], ["one"], ["one", "", "two"], ["a", large, "b"], [large]]) {
    const text = pieces.join("");
    const chunked = await server.ask("/", { body: lent(...pieces) });
    assert.equal(await heard(chunked), `POST chunked ${text}`);
    const { length } = text;
    const known = await server.ask("/", { method: "PUT", body: lent(...pieces), length });
    assert.equal(await heard(known), `PUT ${length} ${text}`);
  }
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(bytes("web stream"));
      controller.close();
    },
  });
  assert.equal(await heard(await server.ask("/", { body: stream })), "POST chunked web stream");
});

test("upload: the head does not wait for the first piece, and the response not for the last", async () => {
  const asked = deferred<void>();
  const answered = deferred<void>();
  await using server = await serving((request) => {
    asked.resolve();
    return {
      status: 200,
      body: (async function* () {
        for await (const piece of request.body ?? []) yield piece.slice();
      })(),
    };
  });
  async function* talk() {
    await asked.promise;
    yield bytes("one");
    await answered.promise;
    yield bytes("two");
  }
  const response = await server.ask("/", { body: talk() });
  const first = await response.read();
  assert.equal(new TextDecoder().decode(first!), "one");
  answered.resolve();
  assert.equal(await heard(response), "two");
});

test("upload: what the stream throws ends the request, and the server sees that it is not whole", async () => {
  const seen: unknown[] = [];
  await using server = await serving(async (request) => {
    try {
      await textOf(request);
    } catch (error) {
      seen.push((error as { code?: string }).code);
      throw error;
    }
    return { status: 200 };
  });
  const broken = new Error("broken");
  async function* breaks() {
    yield bytes("one");
    await null;
    throw broken;
  }
  await assert.rejects(server.ask("/", { body: breaks() }), broken);
  await assert.rejects(server.ask("/", { body: breaks(), length: 9 }), broken);
  await assert.rejects(
    server.ask("/", { body: lent("one"), length: 4 }),
    /The content of a request is 1 byte shorter than its length of 4/,
  );
  await assert.rejects(
    server.ask("/", { body: lent("one", "two"), length: 5 }),
    /The content of a request is longer than its length of 5/,
  );
  // The length tells at once which of them never sent a byte.
  assert.ok(
    seen.every((code) => code === "BODY_INCOMPLETE" || code === "ECONNRESET"),
    String(seen),
  );
});

test("upload: a stream that is not wanted to its end is told, even while it is silent", async () => {
  await using server = await serving(({ target }) => ({
    status: target === "/refused" ? 413 : 303,
    headers: ["Location", "/other"],
    body: "no",
  }));
  for (const path of ["/refused", "/elsewhere"]) {
    const told = deferred<void>();
    let first = true;
    const body: AsyncIterableIterator<Uint8Array> = {
      next: () => {
        if (!first) return new Promise(() => {});
        first = false;
        return Promise.resolve({ done: false, value: bytes("one") });
      },
      return: () => {
        told.resolve();
        return Promise.resolve({ done: true, value: undefined });
      },
      [Symbol.asyncIterator]: () => body,
    };
    const response = await server.ask(path, { body, maxRedirects: path === "/refused" ? 10 : 0 });
    assert.equal(response.status, path === "/refused" ? 413 : 303);
    response.close();
    await told.promise;
  }
});

test("upload: a redirect that asks for the content again is an error, others are followed", async () => {
  await using server = await serving((request) => {
    if (request.target === "/there") return mirror(request);
    return { status: Number(request.target.slice(1)), headers: ["Location", "/there"] };
  });
  assert.match(await heard(await server.ask("/303", { body: lent("one") })), /^GET undefined/);
  for (const path of ["/307", "/308"]) {
    await assert.rejects(server.ask(path, { body: lent("one") }), {
      code: "BAD_REDIRECT",
      message: /a stream, which cannot be sent again/,
    });
  }
});

test("upload: a length is that of a stream, and a number of bytes", async () => {
  await using server = await serving(mirror);
  await assert.rejects(server.ask("/", { body: "text", length: 4 }), TypeError);
  for (const length of [-1, 1.5, NaN]) {
    await assert.rejects(server.ask("/", { body: lent("x"), length }), RangeError);
  }
});

test("upload: the idle timeout does not run while the stream is waited for", async () => {
  const clock = new TestClock();
  const go = deferred<void>();
  await using server = await serving(mirror);
  async function* slow() {
    yield bytes("one");
    await go.promise;
    yield bytes("two");
  }
  const asking = server.ask("/", { body: slow(), idleTimeout: 1000, clock });
  await clock.advance(10_000);
  go.resolve();
  assert.equal(await heard(await asking), "POST chunked onetwo");
  const never = server.ask("/", { body: lent("one"), idleTimeout: 1000, clock });
  await heard(await never);
});

test("endToEndHeaders: passes on what is not for the connection, nor for the engine to set", () => {
  const headers = [
    ...["Host", "a", "connection", "close, x-one", "Connection", "\tX-Two", "X-One", "1"],
    ...[
      "X-TWO",
      "2",
      "Keep-Alive",
      "timeout=5",
      "Proxy-Authorization",
      "Basic x",
      "TE",
      "trailers",
    ],
    ...["Trailer", "X", "Transfer-Encoding", "chunked", "Upgrade", "h2c", "Content-Length", "5"],
    ...["Date", "now", "Expect", "100-continue", "Set-Cookie", "a=1", "Set-Cookie", "b=2"],
  ];
  assert.deepEqual(endToEndHeaders(headers), [
    "Host",
    "a",
    "Set-Cookie",
    "a=1",
    "Set-Cookie",
    "b=2",
  ]);
});
