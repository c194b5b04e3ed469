// The content of a response as a whole: text(), json() and bytes() of the HTTP client.

import assert from "node:assert/strict";
import zlib from "node:zlib";
import type { HttpRequestOptions } from "../../lib/http/client/options.ts";
import { RequestError } from "../../lib/http/client/errors.ts";
import { requestHttp } from "../../lib/http/client/request.ts";
import type { ClientResponse } from "../../lib/http/client/response.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import { bytes } from "../support/helpers.ts";
import { test } from "../support/runner.deno.ts";
import type { LightResponse } from "../../lib/http/server/light.ts";
import { serveLight } from "../../lib/http/server/server.ts";

const MIB = 1024 * 1024;

/** What a server that answers so is asked for. */
async function got(
  answer: LightResponse,
  use: (response: ClientResponse) => Promise<void>,
  options: Partial<HttpRequestOptions> = {},
): Promise<void> {
  const transport = new MemoryTransport();
  const listener = await transport.listen({ port: 80 });
  const server = serveLight(listener, () => answer, { drainTimeout: 0 });
  try {
    using response = await requestHttp(transport, { url: "http://localhost/", ...options });
    await use(response);
  } finally {
    await server.stop();
  }
}

/** A stream that has no end. */
async function* endless(): AsyncGenerator<Uint8Array> {
  for (;;) yield new Uint8Array(64 * 1024);
}

async function tooLarge(work: Promise<unknown>, size: number): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof RequestError, String(error));
    assert.equal(error.code, "BODY_TOO_LARGE");
    const message = `Cannot get http://localhost/: the content has more than ${size} bytes ` +
      "(BODY_TOO_LARGE). Raise `maxSize`, if you trust the server.";
    assert.equal(error.message, message);
    return true;
  });
}

test("HTTP client: the content of a response comes as text, as JSON, or as bytes", async () => {
  await got({ status: 200, body: "\ufeffhéllo" }, async (response) => {
    assert.equal(await response.text(), "héllo");
  });
  await got({ status: 404, body: '{"a":[1,"é"]}' }, async (response) => {
    assert.deepEqual(await response.json(), { a: [1, "é"] });
  });
  await got({ status: 200, body: new Uint8Array([0, 255, 1]) }, async (response) => {
    assert.deepEqual(await response.bytes(), new Uint8Array([0, 255, 1]));
  });
  await got({ status: 204 }, async (response) => assert.equal(await response.text(), ""));
  await got({ status: 200, body: "hello" }, async (response) => {
    assert.equal(response.length, 5);
    assert.deepEqual(await response.bytes(), new Uint8Array(0));
  }, { method: "HEAD" });
  await got({ status: 200, body: "{" }, async (response) => {
    await assert.rejects(response.json(), SyntaxError);
  });
});

test("HTTP client: content that comes in pieces is one text, whatever a piece ends with", async () => {
  const text = "héllo €".repeat(200);
  const pieces = Array.from(bytes(text), (byte) => new Uint8Array([byte]));
  const body = (async function* () {
    yield* pieces;
  })();
  await got({ status: 200, body }, async (response) => assert.equal(await response.text(), text));
});

test("HTTP client: text() and its kin take off the codings that the content has", async () => {
  const body = zlib.gzipSync("hello");
  const answer: LightResponse = { status: 200, headers: ["Content-Encoding", "gzip"], body };
  await got(answer, async (response) => assert.equal(await response.text(), "hello"));
  await got(answer, async (response) => {
    assert.equal(new TextDecoder().decode(await response.bytes()), "hello");
  });
});

test("HTTP client: text() and its kin take 16 MiB, or as much as is asked for", async () => {
  const exact: LightResponse = { status: 200, body: new Uint8Array(16 * MIB) };
  await got(exact, async (response) => {
    assert.equal((await response.bytes()).length, 16 * MIB);
  });
  const one: LightResponse = { status: 200, body: new Uint8Array(16 * MIB + 1) };
  await got(one, (response) => tooLarge(response.text(), 16 * MIB));
  await got(one, async (response) => {
    assert.equal((await response.text({ maxSize: 0 })).length, 16 * MIB + 1);
  });
  await got(
    { status: 200, body: endless() },
    (response) => tooLarge(response.json({ maxSize: 1000 }), 1000),
  );
  const bomb = zlib.gzipSync(new Uint8Array(17 * MIB));
  await got(
    { status: 200, headers: ["Content-Encoding", "gzip"], body: bomb },
    (response) => tooLarge(response.bytes(), 16 * MIB),
  );
});

test("HTTP client: content is taken once", async () => {
  const again = { name: "TypeError", message: /has been read already$/ };
  await got({ status: 200, body: "hello" }, async (response) => {
    assert.equal(await response.text(), "hello");
    await assert.rejects(response.bytes(), again);
    assert.equal(await response.read(), null);
  });
  await got({ status: 200, body: "hello" }, async (response) => {
    const first = response.text();
    await assert.rejects(response.text(), again);
    assert.equal(await first, "hello");
  });
  await got({ status: 200, body: "hello" }, async (response) => {
    await response.read();
    await assert.rejects(response.json(), again);
  });
});

test("HTTP client: options of text() and its kin that do not exist are refused", () =>
  got({ status: 200, body: "hello" }, async (response) => {
    const wrong = { max: 1 } as Record<string, unknown>;
    await assert.rejects(response.text(wrong), {
      name: "TypeError",
      message: /response\.text.*max/,
    });
    await assert.rejects(response.json({ maxSize: -1 }), RangeError);
    assert.equal(await response.text(), "hello");
  }));

test("HTTP client: the header fields are Headers, and rawHeaders are what came", () =>
  got({ status: 200, headers: ["X-A", "1", "x-a", "2", "X-B", "\xe9"] }, async (response) => {
    assert.ok(response.headers instanceof Headers);
    assert.equal(response.headers, response.headers);
    assert.equal(response.headers.get("x-A"), "1, 2");
    assert.equal(response.headers.get("x-b"), "\xe9");
    assert.deepEqual(response.rawHeaders.slice(0, 6), ["X-A", "1", "x-a", "2", "X-B", "\xe9"]);
    await response.text();
  }));
