// When the head of a stream leaves, and what HEAD makes of one.

import assert from "node:assert/strict";
import type { LightHandler } from "../../lib/http/server/light.ts";
import { fromFetchHandler } from "../../lib/http/fetch/fetch_handler.ts";
import type { Conn } from "../../lib/net/transport.ts";
import { bytes } from "../support/helpers.ts";
import { GET, hear, hearOne, serveOn } from "../support/http_helpers.ts";
import { test } from "../support/runner.deno.ts";

const HEAD = GET.replace("GET", "HEAD");

/** Streams whose first chunk never comes. */
function silent(): { handlers: Record<string, LightHandler>; dropped: () => number } {
  let dropped = 0;
  const iterable = (): AsyncIterableIterator<Uint8Array> => {
    const stream: AsyncIterableIterator<Uint8Array> = {
      next: () => new Promise(() => {}),
      return: () => {
        dropped++;
        return Promise.resolve({ done: true, value: undefined });
      },
      [Symbol.asyncIterator]: () => stream,
    };
    return stream;
  };
  const readable = () => new ReadableStream({ cancel: () => void dropped++ });
  const slow = () => {
    const cancel = () => {
      dropped++;
      return new Promise<void>(() => {});
    };
    return new ReadableStream({ cancel });
  };
  const headers = { "Content-Length": "9" };
  return {
    handlers: {
      iterable: () => ({ status: 200, body: iterable() }),
      "iterable, of a promise": () => Promise.resolve({ status: 200, body: iterable() }),
      "with a length": () => ({ status: 200, body: iterable(), length: 9 }),
      "that takes its time to end": () => ({ status: 200, body: slow() }),
      Response: fromFetchHandler(() => new Response(readable())),
      "Response, of a promise": fromFetchHandler(() => Promise.resolve(new Response(readable()))),
      "Response with a length": fromFetchHandler(() => new Response(readable(), { headers })),
    },
    dropped: () => dropped,
  };
}

/** What the next read gives. */
async function hearSome(conn: Conn): Promise<string> {
  const p = new Uint8Array(64 * 1024);
  const text = new TextDecoder().decode(p.subarray(0, (await conn.read(p))!));
  return text.replaceAll(/Date: [^\r]*\r\n/g, "");
}

test("streams: the head does not wait for the first chunk, nor do the responses before it", async () => {
  for (const [name, handler] of Object.entries(silent().handlers)) {
    const length = /length/.test(name) ? "Content-Length: 9" : "Transfer-Encoding: chunked";
    await using server = await serveOn((request) =>
      request.target === "/" ? handler(request) : { status: 200, body: "small" }
    );
    using conn = await server.connect();
    await conn.write(bytes(GET.replace("/", "/small") + GET));
    assert.match(await hearOne(conn), /\r\n\r\nsmall/, name);
    using alone = await server.connect();
    await alone.write(bytes(GET));
    assert.equal(await hearSome(alone), `HTTP/1.1 200 OK\r\n${length}\r\n\r\n`, name);
    using old = await server.connect();
    await old.write(bytes("GET / HTTP/1.0\r\n\r\n"));
    assert.match(await hearSome(old), /^HTTP\/1\.1 200 OK\r\n[^]*Connection: close\r\n\r\n$/, name);
    for (const one of [conn, alone, old]) one.reset();
  }
});

test("streams: HEAD is answered at once, the stream is told, and the next request answered", async () => {
  for (const name of Object.keys(silent().handlers)) {
    const { handlers, dropped } = silent();
    await using server = await serveOn((request) =>
      request.target === "/" ? handlers[name](request) : { status: 200, body: "small" }
    );
    using conn = await server.connect();
    await conn.write(bytes(HEAD));
    const length = /length/.test(name) ? "Content-Length: 9" : "Transfer-Encoding: chunked";
    assert.equal(await hearSome(conn), `HTTP/1.1 200 OK\r\n${length}\r\n\r\n`, name);
    assert.equal(dropped(), 1, name);
    await conn.write(bytes(GET.replace("/", "/small")));
    assert.match(await hearOne(conn), /\r\n\r\nsmall$/, name);
    assert.deepEqual(server.errors, []);
  }
});

test("streams: what is there at once leaves with the head, in one write", async () => {
  const text = (controller: ReadableStreamDefaultController) => {
    controller.enqueue(bytes("hello"));
    controller.close();
  };
  const first = (controller: ReadableStreamDefaultController) => controller.enqueue(bytes("hello"));
  const whole = "Content-Length: 5\r\n\r\nhello";
  const chunk = "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
  const cases: [string, LightHandler, string][] = [
    ["text", () => ({ status: 200, body: "hello" }), whole],
    ["text of a Response", fromFetchHandler(() => new Response(bytes("hello").slice())), whole],
    ["a stream that is whole", fromFetchHandler(() => new Response(stream(text))), whole],
    ["the first chunk of one", fromFetchHandler(() => new Response(stream(first))), chunk],
    ["of a generator", () => ({ status: 200, body: generator() }), chunk],
  ];
  for (const [name, handler, expected] of cases) {
    await using server = await serveOn(handler);
    using conn = await server.connect();
    await conn.write(bytes(GET));
    const heard = (await hearSome(conn)).replace(/content-type: .*\r\n/i, "");
    assert.equal(heard, `HTTP/1.1 200 OK\r\n${expected}`, name);
    conn.reset();
  }

  function stream(start: (controller: ReadableStreamDefaultController) => void) {
    return new ReadableStream({ start });
  }
  async function* generator() {
    yield bytes("hello");
    await new Promise(() => {});
  }
});

test("streams: one that throws before its first chunk is a 500 if it does so at once", async () => {
  const broken = new Error("broken");
  await using server = await serveOn(
    fromFetchHandler(() => new Response(new ReadableStream({ start: (c) => c.error(broken) }))),
  );
  assert.match(await server.talk(GET), /^HTTP\/1\.1 500 /);
  assert.deepEqual(server.errors, [broken]);
  await using later = await serveOn(
    fromFetchHandler(() =>
      new Response(
        new ReadableStream({
          pull: () => new Promise((_, reject) => setTimeout(reject, 0, broken)),
        }),
      )
    ),
  );
  using conn = await later.connect();
  await conn.write(bytes(GET));
  assert.match(await hearSome(conn), /^HTTP\/1\.1 200 /);
  await assert.rejects(hear(conn), { code: "ECONNRESET" });
  assert.deepEqual(later.errors, [broken]);
});
