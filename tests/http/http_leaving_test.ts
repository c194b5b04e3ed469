// Clients that leave while their request is under way, and those that only half-close.

import assert from "node:assert/strict";
import { deferred } from "../../lib/base/wait.ts";
import type { LightHandler, LightResponse } from "../../lib/http/server/light.ts";
import type { Exchange } from "../../lib/http/server/options.ts";
import { fromFetchHandler, type HttpHandler } from "../../lib/http/fetch/fetch_handler.ts";
import { serveHttp } from "../../lib/http/fetch/serve_http.ts";
import { selfSigned } from "../../lib/net/tls/self_signed.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import type { Conn } from "../../lib/net/transport.ts";
import { bytes, readAll } from "../support/helpers.ts";
import { GET, hear, serveOn, type TestServer } from "../support/http_helpers.ts";
import { test } from "../support/runner.deno.ts";

/** How long the stream of a client that has sent FIN may be silent. */
const SILENT = 500;
const TICK = 250;

const NEVER = new Promise<never>(() => {});

/** A stream that sends one chunk and then nothing, in each form that a response can have. */
function silent(): { handlers: Record<string, LightHandler>; dropped: () => number } {
  let dropped = 0;
  const iterable = (): AsyncIterableIterator<Uint8Array> => {
    let first = true;
    const stream: AsyncIterableIterator<Uint8Array> = {
      next: () => {
        if (!first) return NEVER;
        first = false;
        return Promise.resolve({ done: false, value: bytes("one") });
      },
      return: () => {
        dropped++;
        return Promise.resolve({ done: true, value: undefined });
      },
      [Symbol.asyncIterator]: () => stream,
    };
    return stream;
  };
  async function* generator(signal: AbortSignal): AsyncGenerator<Uint8Array> {
    try {
      yield bytes("one");
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    } finally {
      dropped++;
    }
  }
  const readable = () =>
    new ReadableStream({
      start: (controller) => controller.enqueue(bytes("one")),
      cancel: () => void dropped++,
    });
  return {
    handlers: {
      iterable: () => ({ status: 200, body: iterable() }),
      "with a length": () => ({ status: 200, body: iterable(), length: 9 }),
      generator: ({ signal }) => ({ status: 200, body: generator(signal()) }),
      Response: fromFetchHandler(() => new Response(readable())),
      "Response of a promise": fromFetchHandler(() => Promise.resolve(new Response(readable()))),
    },
    dropped: () => dropped,
  };
}

/** Hears until the first chunk has come. */
async function hearFirst(conn: Conn): Promise<void> {
  const p = new Uint8Array(1024);
  for (let text = ""; !text.includes("one");) {
    text += new TextDecoder().decode(p.subarray(0, (await conn.read(p))!));
  }
}

const POST = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n";

test("leaving: a silent stream of any kind is dropped 500 ms after its last chunk, and not before", async () => {
  for (const name of Object.keys(silent().handlers)) {
    const { handlers, dropped } = silent();
    const told: Exchange[] = [];
    await using server = await serveOn(handlers[name], {
      onResponse: (exchange) => told.push(exchange),
    });
    using conn = await server.connect();
    await conn.write(bytes(GET));
    await hearFirst(conn);
    conn.close();
    await server.clock.advance(SILENT - TICK);
    // The signal told it at once.
    assert.equal(dropped(), name === "generator" ? 1 : 0, name);
    await server.clock.advance(2 * TICK);
    assert.equal(dropped(), 1, name);
    if (name !== "generator") {
      assert.deepEqual(told.map(({ bytes, complete }) => [bytes, complete]), [[3, false]], name);
    }
    assert.deepEqual(server.errors, [], name);
  }
});

test("leaving: a stream that has been silent for long is dropped at once", async () => {
  const { handlers, dropped } = silent();
  await using server = await serveOn(handlers.Response);
  using conn = await server.connect();
  await conn.write(bytes(GET));
  await hearFirst(conn);
  await server.clock.advance(60_000);
  assert.equal(dropped(), 0);
  conn.close();
  await server.clock.advance(0);
  assert.equal(dropped(), 1);
});

test("leaving: it is noticed behind a body that nobody reads, and behind requests that wait", async () => {
  const cases: Record<string, string[]> = {
    "a body that has come": [`${POST}ab`],
    "a body that has come in part": [`${POST}a`],
    "a body that comes later": [POST, "ab"],
    "a pipelined request": [GET + GET],
    "a request that comes later": [GET, GET],
    "two that come later": [GET, GET, GET],
    "a part of one": [GET, GET.slice(0, 9)],
    "a body and a request": [`${POST}ab${GET}`],
  };
  for (const [name, texts] of Object.entries(cases)) {
    const { handlers, dropped } = silent();
    await using server = await serveOn(handlers.Response);
    using conn = await server.connect();
    for (const [i, text] of texts.entries()) {
      await conn.write(bytes(text));
      if (i === 0) await hearFirst(conn);
      await server.clock.advance(TICK);
    }
    conn.close();
    await server.clock.advance(SILENT + 2 * TICK);
    assert.equal(dropped(), 1, name);
  }
});

test("leaving: looking for it takes nothing from a body that is read late, nor from what follows", async () => {
  const go = deferred<void>();
  await using server = await serveOn((request): LightResponse => {
    request.signal().aborted;
    return {
      status: 200,
      body: (async function* () {
        yield bytes("<");
        await go.promise;
        for await (const piece of request.body ?? []) yield piece.slice();
        yield bytes(">");
      })(),
    };
  });
  using conn = await server.connect();
  const post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6000\r\n\r\n";
  const body = "0123456789".repeat(600);
  const pieces = [body.slice(0, 5), body.slice(5, 3000), body.slice(3000) + GET];
  await conn.write(bytes(post + pieces[0]));
  for (const piece of pieces.slice(1)) {
    await server.clock.advance(TICK);
    await conn.write(bytes(piece));
  }
  await server.clock.advance(TICK);
  go.resolve();
  await conn.closeWrite();
  const { text } = await hear(conn);
  assert.equal(
    text.replaceAll(/\r\n(?:[0-9a-f]+\r\n)?/g, "").match(/<[^>]*>/g)!.join(),
    `<${body}>,<>`,
  );
});

test("leaving: the signal of a handler tells of it, with a body that is not read, too", async () => {
  for (const text of [GET, `${POST}ab`, POST, GET + GET]) {
    const aborted = deferred<unknown>();
    await using server = await serveOn((request) => {
      const signal = request.signal();
      signal.addEventListener("abort", () => aborted.resolve(signal.reason));
      return NEVER;
    }, { drainTimeout: 1 });
    const conn = await server.connect();
    await conn.write(bytes(text));
    await server.clock.advance(0);
    conn.close();
    await server.clock.advance(2 * TICK);
    assert.equal((await aborted.promise as Error).name, "AbortError", text);
    server.stop.abort();
    await server.clock.advance(2000);
  }
});

test("half-closing: what a handler works on is sent, and a stream as long as it goes on", async () => {
  const later = deferred<void>();
  let server: TestServer;
  await using open = server = await serveOn(async ({ target }) => {
    if (target === "/late") await later.promise;
    if (target !== "/stream") return { status: 200, body: "late" };
    return {
      status: 200,
      body: (async function* () {
        for (const letter of "ABCDEFGHIJ") {
          yield bytes(letter);
          await new Promise<void>((resolve) => server.clock.setTimer(SILENT - TICK, resolve));
        }
      })(),
    };
  });
  const late = open.talk(GET.replace("/", "/late"));
  await open.clock.advance(60_000);
  later.resolve();
  assert.match(await late, /\r\n\r\nlate$/);
  const stream = open.talk(GET.replace("/", "/stream"));
  await open.clock.advance(60_000);
  assert.deepEqual((await stream).match(/^[A-J]$/gm), [..."ABCDEFGHIJ"]);
});

test("leaving: the place is free for the next, over TCP and TLS, whatever the handler gives", async () => {
  const { cert, key } = await selfSigned(["localhost"]);
  for (const tls of [undefined, { cert, key }]) {
    const at = { host: "localhost", port: 0 };
    const listener = await systemTransport.listen(tls === undefined ? at : { ...at, tls });
    const { port } = listener.addr as { port: number };
    const stop = new AbortController();
    let cancelled = 0;
    const handler: HttpHandler = ({ url }) => {
      if (url.endsWith("/last")) return new Response("last");
      const start = (controller: ReadableStreamDefaultController) => {
        if (url.endsWith("/one")) controller.enqueue(bytes("one"));
      };
      return new Response(new ReadableStream({ start, cancel: () => void cancelled++ }));
    };
    const served =
      serveHttp(listener, handler, { signal: stop.signal, maxConnections: 1 }).finished;
    const talk = async (target: string, hears: (conn: Conn) => Promise<unknown>) => {
      const raw = await systemTransport.connect({ host: "localhost", port });
      using conn = tls === undefined
        ? raw
        : await systemTransport.startTls(raw, { servername: "localhost", caCerts: [cert] });
      await conn.write(bytes(`GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`));
      return await hears(conn);
    };
    await talk("/one", hearFirst);
    await talk("/none", (conn) => conn.read(new Uint8Array(1024)));
    const last = await talk("/last", readAll) as Uint8Array;
    assert.match(new TextDecoder().decode(last), /\r\n\r\nlast$/);
    assert.equal(cancelled, 2);
    stop.abort();
    await served;
  }
});
