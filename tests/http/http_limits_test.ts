// Every limit and deadline at its default, on a clock that tests turn.

import assert from "node:assert/strict";
import { deferred } from "../../lib/base/wait.ts";
import { HTTP_LIMITS } from "../../lib/http/server/options.ts";
import type { Conn } from "../../lib/net/transport.ts";
import { bytes, readAll, until } from "../support/helpers.ts";
import { GET, hear, hearOne, hello, serveOn } from "../support/http_helpers.ts";
import { mirror, responsesOf } from "../support/http_responses.ts";
import { test } from "../support/runner.deno.ts";

const post = (length: number) => `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`;

/** The server's clock ticks every quarter of a second. */
const TICK = 250;

test("limits: these are the defaults", () => {
  assert.deepEqual(HTTP_LIMITS, {
    requestLine: 8192,
    headerBytes: 16_384,
    headerCount: 100,
    headTimeout: 15_000,
    bodyTimeout: 30_000,
    bodyRate: 500,
    writeTimeout: 30_000,
    idleTimeout: 30_000,
    requests: 1000,
    maxSize: 1_048_576,
  });
});

/** The status of the response to one request. */
async function statusOf(text: string): Promise<number> {
  await using server = await serveOn(mirror);
  using conn = await server.connect();
  // The server may refuse before all has been written.
  conn.write(bytes(text)).then(() => conn.closeWrite()).catch(() => {});
  return responsesOf((await hear(conn)).text)[0].status;
}

test("limits: a request line of 8,192 bytes, and 414 beyond", async () => {
  const line = (length: number) => `GET /${"x".repeat(length - 14)} HTTP/1.1`;
  assert.equal(line(8192).length, 8192);
  assert.equal(await statusOf(`${line(8192)}\r\nHost: a\r\n\r\n`), 200);
  assert.equal(await statusOf(`${line(8193)}\r\nHost: a\r\n\r\n`), 414);
});

test("limits: header lines of 16,384 bytes and 100 fields, and 431 beyond", async () => {
  const sized = (length: number) => GET.slice(0, -2) + `X: ${"x".repeat(length - 14)}\r\n\r\n`;
  assert.equal(await statusOf(sized(16_384)), 200);
  assert.equal(await statusOf(sized(16_385)), 431);
  const many = (count: number) => GET.slice(0, -2) + "X: y\r\n".repeat(count - 1) + "\r\n";
  assert.equal(await statusOf(many(100)), 200);
  assert.equal(await statusOf(many(101)), 431);
});

test("limits: a body of 1 MiB, and 413 beyond, announced or counted", async () => {
  const mib = 1 << 20;
  const head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  const chunk = `400\r\n${"x".repeat(1024)}\r\n`;
  assert.equal(await statusOf(post(mib) + "x".repeat(mib)), 200);
  assert.equal(await statusOf(post(mib + 1)), 413);
  assert.equal(await statusOf(`${head}${chunk.repeat(1024)}0\r\n\r\n`), 200);
  assert.equal(await statusOf(`${head}${chunk.repeat(1024)}1\r\nx\r\n0\r\n\r\n`), 413);
});

test("limits: a handler that does not read a body that is too large gives its own response", async () => {
  const large = `Content-Length: ${1 << 30}\r\n`;
  for (const expect of ["", "Expect: 100-continue\r\n"]) {
    await using server = await serveOn(() => ({ status: 405, headers: ["Allow", "GET"] }));
    using conn = await server.connect();
    await conn.write(bytes(`PUT / HTTP/1.1\r\nHost: a\r\n${large}${expect}\r\n`));
    const [response] = responsesOf((await hear(conn)).text);
    assert.deepEqual([response.status, response.headers.get("allow")], [405, "GET"]);
    assert.equal(response.headers.get("connection"), "close");
    assert.deepEqual(server.errors, []);
  }
});

test("limits: who asks first whether to send a body that is too large is told 413, and no 100", async () => {
  await using server = await serveOn(async (request) => {
    for await (const _ of request.body ?? []);
    return { status: 200 };
  });
  using conn = await server.connect();
  const fields = `Content-Length: ${1 << 30}\r\nExpect: 100-continue\r\n`;
  await conn.write(bytes(`PUT / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`));
  assert.match((await hear(conn)).text, /^HTTP\/1\.1 413 /);
});

test("limits: 1,000 requests on a connection, and the last response says close", async () => {
  await using server = await serveOn(hello);
  using conn = await server.connect();
  for (let i = 0; i < 10; i++) {
    await conn.write(bytes(GET.repeat(i === 9 ? 101 : 100)));
    if (i === 9) break;
    for (let at = 0; at < 100;) at += (await hearSome(conn)).match(/HTTP/g)?.length ?? 0;
  }
  const responses = responsesOf((await hear(conn)).text);
  assert.equal(responses.length, 100);
  const closing = responses.map(({ headers }) => headers.get("connection") === "close");
  assert.equal(closing.indexOf(true), 99);
});

async function hearSome(conn: Conn): Promise<string> {
  const p = new Uint8Array(65_536);
  return new TextDecoder().decode(p.subarray(0, (await conn.read(p))!));
}

test("limits: 1,024 connections, and the next one takes the place of a silent one", async () => {
  await using server = await serveOn(hello);
  const conns = await Promise.all(Array.from({ length: 1024 }, () => server.connect()));
  try {
    using next = await server.connect();
    await next.write(bytes(GET));
    await server.clock.advance(TICK);
    assert.equal(next.bytesRead, 0);
    await server.clock.advance(TICK);
    assert.match(await hearOne(next), /hello$/);
    assert.equal(await conns[0].read(new Uint8Array(1)), null);
    await conns[1].write(bytes(GET));
    assert.match(await hearOne(conns[1]), /hello$/);
  } finally {
    for (const conn of conns) conn.close();
  }
});

test("deadlines: a head has 15 s in all, and not 15 s for each byte", async () => {
  await using server = await serveOn(hello);
  using slow = await server.connect();
  using inTime = await server.connect();
  const slowText = hear(slow);
  for (let i = 0; i < 14; i++) {
    await slow.write(bytes("GET / HTTP/1.1\r\nHost: a\r\n"[i]));
    await inTime.write(bytes(GET[i]));
    await server.clock.advance(1000);
  }
  await inTime.write(bytes(GET.slice(14)));
  assert.match(await hearOne(inTime), /^HTTP\/1\.1 200 /);
  await server.clock.advance(1000 - TICK);
  assert.equal(slow.bytesRead, 0);
  await server.clock.advance(2 * TICK);
  assert.match((await slowText).text, /^HTTP\/1\.1 408 Request Timeout\r\n[^]*Connection: close/);
});

test("deadlines: a body may pause for 29 s, and not for 30", async () => {
  await using server = await serveOn(mirror);
  using conn = await server.connect();
  // Enough at once for the rate not to matter.
  await conn.write(bytes(post(60_002) + "x".repeat(60_000)));
  await server.clock.advance(29_000);
  await conn.write(bytes("x"));
  await server.clock.advance(29_000);
  assert.equal(conn.bytesRead, 0);
  const heard = hear(conn);
  await server.clock.advance(1000 + TICK);
  assert.match((await heard).text, /^HTTP\/1\.1 408 /);
});

test("deadlines: a body may come at 500 bytes a second for minutes, and not slower", async () => {
  for (const [rate, status] of [[520, 200], [480, 408]]) {
    await using server = await serveOn(mirror);
    using conn = await server.connect();
    await conn.write(bytes(post(120 * rate)));
    const heard = hearOne(conn);
    for (let i = 0; i < 120; i++) {
      await conn.write(bytes("x".repeat(rate))).catch(() => {});
      await server.clock.advance(1000);
      if (status === 408 && i < 28) assert.equal(conn.bytesRead, 0, `After ${i} s`);
    }
    assert.match(await heard, new RegExp(`^HTTP/1\\.1 ${status} `));
  }
});

test("deadlines: a client may pause for 29 s in taking its response, and not for 30", async () => {
  await using server = await serveOn(() => ({ status: 200, body: new Uint8Array(1 << 20) }));
  using conn = await server.connect();
  await conn.write(bytes(GET));
  for (let i = 0; i < 3; i++) {
    await server.clock.advance(29_000);
    await conn.read(new Uint8Array(4096));
  }
  await server.clock.advance(30_000 + 2 * TICK);
  await assert.rejects(readAll(conn), { code: "ECONNRESET" });
});

test("deadlines: a connection may idle for 29 s, new or kept, and not for 30", async () => {
  await using server = await serveOn(hello);
  using fresh = await server.connect();
  using kept = await server.connect();
  await kept.write(bytes(GET));
  await hearOne(kept);
  let closed = 0;
  const ends = [fresh, kept].map((conn) =>
    readAll(conn).then(({ length }) => closed += 1 + length)
  );
  await server.clock.advance(29_500);
  assert.equal(closed, 0);
  await server.clock.advance(500 + 2 * TICK);
  await Promise.all(ends);
  assert.equal(closed, 2, "Without a word");
});

test("deadlines: who is refused gets 2 s to read why, and to stop sending", async () => {
  await using server = await serveOn(hello);
  using conn = await server.connect();
  await conn.write(bytes("NONSENSE\r\n\r\n"));
  await hear(conn);
  await server.clock.advance(2000 - TICK);
  await conn.write(bytes("more"));
  await server.clock.advance(2 * TICK);
  await assert.rejects(conn.write(bytes("more")), { code: "EPIPE" });
});

test("drain: requests under way get 10 s, and are then reset", async () => {
  const never = deferred<void>();
  const server = await serveOn(async () => {
    await never.promise;
    return { status: 200 };
  });
  using conn = await server.connect();
  await conn.write(bytes(GET));
  await server.clock.advance(TICK);
  server.stop.abort();
  let ended = false;
  const end = readAll(conn).catch((error) => error).finally(() => ended = true);
  await server.clock.advance(9900);
  assert.equal(ended, false);
  await server.clock.advance(200);
  assert.equal((await end).code, "ECONNRESET");
  never.resolve();
  await server.clock.advance(2000);
  assert.deepEqual(await server.served, { accepted: 1, refused: 0, reset: 1 });
});

test("limits: a read that a handler has not waited for leaves the next deadlines as they are", async () => {
  await using server = await serveOn((request) => {
    request.body?.read().catch(() => {});
    return { status: 200, body: request.method };
  });
  using conn = await server.connect();
  await conn.write(bytes(post(5)));
  assert.match(await hearOne(conn), /POST$/);
  await conn.write(bytes(`01234${GET}`));
  assert.match(await hearOne(conn), /GET$/);
  await server.clock.advance(HTTP_LIMITS.idleTimeout - TICK);
  await conn.write(bytes(GET));
  assert.match(await hearOne(conn), /GET$/);
  await server.clock.advance(HTTP_LIMITS.idleTimeout);
  assert.equal((await readAll(conn)).length, 0);
  assert.deepEqual(server.errors, []);
});

test("deadlines: a response that comes behind 408 is not sent, and its stream is dropped", async () => {
  const late = deferred<void>();
  let dropped = false;
  const body: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({
      next: () => Promise.resolve({ done: true, value: undefined }),
      return: () => {
        dropped = true;
        return Promise.resolve({ done: true, value: undefined });
      },
    }),
  };
  await using server = await serveOn(async (request) => {
    request.body!.read().catch(() => {});
    await late.promise;
    return { status: 200, body };
  });
  using conn = await server.connect();
  await conn.write(bytes(post(5)));
  await server.clock.advance(HTTP_LIMITS.bodyTimeout + TICK);
  late.resolve();
  const { text } = await hear(conn);
  assert.deepEqual(responsesOf(text).map(({ status }) => status), [408]);
  await until(() => dropped, "the stream to be dropped");
  assert.deepEqual(server.errors, []);
});
