// docs/bytes.md, row by row: what was kept is still right when all the rest has come, and what is lent
// is right for as long as it is said to be.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import consumers from "node:stream/consumers";
import zlib from "node:zlib";
import { toDuplex } from "../../lib/net/conn_to_duplex.ts";
import { toWebStreams } from "../../lib/net/web_streams.ts";
import { type SocketEvent } from "../../lib/observe/events.ts";
import { observe } from "../../lib/observe/observe.ts";
import {
  decodeFrames,
  delimiter,
  encodeFrame,
  fixedLength,
  FrameDecoder,
  FrameReader,
  FrameWriter,
  type Framing,
  lengthPrefix,
  lines,
  untilClose,
} from "../../lib/frames/mod.ts";
import type { ClientResponse } from "../../lib/http/client/response.ts";
import { decodeContent } from "../../lib/http/client/content_decoding.ts";
import { requestHttp } from "../../lib/http/client/request.ts";
import type { LightHandler, LightRequest, LightResponse } from "../../lib/http/server/light.ts";
import { serveHttp } from "../../lib/http/fetch/serve_http.ts";
import { serveLight } from "../../lib/http/server/server.ts";
import { join } from "../../lib/protocols/join.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import { serveDatagrams } from "../../lib/serve/serve_datagrams.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import type { TcpAddr } from "../../lib/base/addr.ts";
import type { Conn, Listener, Transport } from "../../lib/net/transport.ts";
import { fileHandler } from "../../lib/files/files.ts";
import { readTable } from "../support/doc_table.ts";
import { bytes, OWN_HOST, pair, readAll, readExactly } from "../support/helpers.ts";
import { runtime, test } from "../support/runner.deno.ts";

/** Enough for several turns of every buffer, and different everywhere. */
const CONTENT = Buffer.from(Array.from({ length: 600_000 }, (_, i) => i * 31 >> 4));

type Bytes = AsyncIterable<Uint8Array>;

/** Collects all, and looks at it only then. */
async function collected(source: Bytes): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source) pieces.push(piece);
  return pieces;
}

function assertContent(pieces: readonly Uint8Array[]): void {
  assert.ok(Buffer.concat(pieces).equals(CONTENT), `${pieces.length} pieces are not the content`);
  assertOwn(pieces);
}

/** Each has memory of its own, so that its buffer can be transferred. */
function assertOwn(pieces: readonly Uint8Array[]): void {
  assert.ok(pieces.length > 1, "It came at once, which shows nothing");
  assert.equal(new Set(pieces.map(({ buffer }) => buffer)).size, pieces.length);
  for (const { buffer, byteLength } of pieces) assert.equal(buffer.byteLength, byteLength);
}

/** All ways to make one of many pieces that the runtime has. */
async function assertEveryWay(make: () => Promise<Bytes>): Promise<void> {
  assertContent(await collected(await make()));
  assert.ok(CONTENT.equals(Buffer.from(await consumers.arrayBuffer(await make() as never))));
  assert.ok(CONTENT.equals(await consumers.buffer(await make() as never)));
  const blob = await consumers.blob(await make() as never);
  assert.ok(CONTENT.equals(Buffer.from(await blob.arrayBuffer())));
  const { fromAsync } = Array as unknown as { fromAsync?: (from: Bytes) => Promise<Uint8Array[]> };
  if (fromAsync !== undefined) assertContent(await fromAsync.call(Array, await make()));
  const { from } = ReadableStream as unknown as { from?: (from: Bytes) => ReadableStream };
  if (from === undefined) return;
  const response = new Response(from.call(ReadableStream, await make()));
  assert.ok(CONTENT.equals(Buffer.from(await response.arrayBuffer())));
  const [one, other] = from.call(ReadableStream, await make()).tee();
  assertContent(await collected(one as never));
  assertContent(await collected(other as never));
}

/** A way to serve HTTP on a transport, for as long as `fn` takes; it gets the URL. */
async function served(
  transport: Transport,
  start: (listener: Listener, signal: AbortSignal) => Promise<unknown>,
  fn: (url: string) => Promise<void>,
): Promise<void> {
  const listener = await transport.listen({ host: OWN_HOST });
  const stop = new AbortController();
  const running = start(listener, stop.signal);
  try {
    await fn(`http://${OWN_HOST}:${(listener.addr as TcpAddr).port}/`);
  } finally {
    stop.abort();
    await running;
  }
}

/** More than the content is too large. What a handler throws is 500. */
const LARGE = { limits: { maxSize: 2 * CONTENT.length }, onError: () => {} };

function light(handler: LightHandler) {
  return (listener: Listener, signal: AbortSignal) =>
    serveLight(listener, handler, { ...LARGE, signal }).finished;
}

/** Serves the content: in chunks, so that frames are taken out of it, or as it is; encoded or not. */
async function withReplies(
  transport: Transport,
  fn: (get: (path: string) => Promise<ClientResponse>) => Promise<void>,
): Promise<void> {
  const responses: Record<string, LightResponse> = {
    "/plain": { status: 200, body: CONTENT },
    "/gzip": {
      status: 200,
      headers: ["Content-Encoding", "gzip"],
      body: zlib.gzipSync(CONTENT, { level: 0 }),
    },
    "/deflate": {
      status: 200,
      headers: ["Content-Encoding", "deflate"],
      body: zlib.deflateRawSync(CONTENT),
    },
  };
  const chunks = async function* () {
    for (let at = 0; at < CONTENT.length; at += 7000) yield CONTENT.subarray(at, at + 7000);
  };
  const handler: LightHandler = ({ target }) =>
    responses[target] ?? { status: 200, body: chunks() };
  await served(
    transport,
    light(handler),
    (url) => fn((path) => requestHttp(transport, { url: url.slice(0, -1) + path })),
  );
}

const KINDS = ["/plain", "/chunked"];

/** Frames that come several at a time and in pieces, and what is read of them. */
async function withFrames(
  transport: Transport,
  framing: Framing,
  payloads: readonly Uint8Array[],
  fn: (reader: FrameReader) => Promise<void>,
): Promise<void> {
  using ends = await pair(transport, OWN_HOST);
  const writer = new FrameWriter(ends.client, framing);
  const writing = (async () => {
    for (const payload of payloads) await writer.write(payload);
    await writer.flush();
    await ends.client.closeWrite();
  })();
  await fn(new FrameReader(ends.server, framing));
  await writing;
}

const FRAMINGS: Framing[] = [
  lines(),
  delimiter(bytes("\r\n--\r\n")),
  fixedLength(1000),
  lengthPrefix("u16"),
  lengthPrefix("varint"),
  untilClose(),
];

/** Payloads that every framing can carry. */
const PAYLOADS = Array.from(
  { length: 500 },
  (_, i) => Buffer.alloc(1000, String.fromCharCode(97 + i % 26)),
);

/** The payloads as a framing gives them: all of them at once, if it does not tell where one ends. */
function expected(framing: Framing): Buffer[] {
  return framing.name === "until close" ? [Buffer.concat(PAYLOADS)] : PAYLOADS;
}

function assertPayloads(framing: Framing, frames: readonly Uint8Array[]): void {
  assert.equal(frames.length, expected(framing).length, framing.name);
  for (const [i, payload] of expected(framing).entries()) {
    assert.ok(payload.equals(frames[i]), `${framing.name}: frame ${i} has changed`);
  }
}

/** Reads frames one by one, as many as come together without waiting. */
async function framesOf(
  read: () => Promise<Uint8Array | null>,
  tryRead: () => Uint8Array | null,
  take: (frame: Uint8Array) => Uint8Array,
): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = [];
  for (let frame; (frame = await read()) !== null;) {
    const together = [frame];
    while ((frame = tryRead()) !== null) together.push(frame);
    // What came together is valid together.
    frames.push(...together.map(take));
  }
  return frames;
}

/** Pushes a stream in chunks that stay as they are. */
function decoded(framing: Framing): Uint8Array[] {
  const stream = Buffer.concat(PAYLOADS.map((payload) => encodeFrame(framing, payload)));
  const decoder = new FrameDecoder(framing);
  const frames: Uint8Array[] = [];
  const takeAll = () => {
    for (let frame; (frame = decoder.next()) !== null;) frames.push(frame);
  };
  for (let at = 0; at < stream.length; at += 7777) {
    decoder.push(stream.subarray(at, at + 7777));
    takeAll();
  }
  decoder.end();
  takeAll();
  return frames;
}

/** Sends the content as the body of a request, with a length and in chunks. */
async function withBody(
  transport: Transport,
  start: (listener: Listener, signal: AbortSignal) => Promise<unknown>,
): Promise<void> {
  await served(transport, start, async (url) => {
    const { port } = new URL(url);
    for (const framing of [`Content-Length: ${CONTENT.length}`, "Transfer-Encoding: chunked"]) {
      using conn = await transport.connect({ host: OWN_HOST, port: Number(port) });
      const answer = readAll(conn);
      await conn.write(
        bytes(`POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${framing}\r\n\r\n`),
      );
      await (framing.includes("chunked") ? sendChunks(conn) : conn.write(CONTENT));
      assert.match(Buffer.from(await answer).toString(), /^HTTP\/1\.1 200 /);
    }
  });
}

async function sendChunks(conn: Conn): Promise<void> {
  for (let at = 0; at < CONTENT.length; at += 5000) {
    const piece = CONTENT.subarray(at, at + 5000);
    const head = bytes(`${piece.length.toString(16)}\r\n`);
    await conn.write(Buffer.concat([head, piece, bytes("\r\n")]));
  }
  await conn.write(bytes("0\r\n\r\n"));
}

function checking(check: (request: LightRequest) => Promise<void>) {
  return light(async (request) => {
    await check(request);
    return { status: 200 };
  });
}

async function pulled(read: () => Promise<Uint8Array | null>): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for (let piece; (piece = await read()) !== null;) pieces.push(piece);
  return pieces;
}

/** Asks `fileHandler()` for a file too large for memory, and gives the body of the response. */
async function withFile(fn: (body: () => Promise<Bytes>) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(joinPath(tmpdir(), "plainsocket-bytes-"));
  try {
    writeFileSync(joinPath(dir, "file.bin"), CONTENT);
    const handler = fileHandler(dir);
    const addr: TcpAddr = { transport: "tcp", host: "127.0.0.1", port: 80 };
    const request: LightRequest = {
      method: "GET",
      target: "/file.bin",
      host: "localhost",
      headers: [],
      minor: 1,
      scheme: "http",
      localAddr: addr,
      remoteAddr: addr,
      body: undefined,
      header: () => undefined,
      signal: () => new AbortController().signal,
    };
    await fn(async () => (await handler(request)).body as Bytes);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** What stands in the table, on a transport. */
const CASES: Readonly<Record<string, (transport: Transport) => Promise<void>>> = {
  "`for await (… of response)` of `requestHttp()`": (transport) =>
    withReplies(transport, async (get) => {
      for (const kind of KINDS) await assertEveryWay(() => get(kind));
    }),
  "`response.read()`": (transport) =>
    withReplies(transport, async (get) => {
      for (const kind of KINDS) {
        const response = await get(kind);
        assertContent(await pulled(() => response.read()));
      }
    }),
  "`response.borrowed()`": (transport) =>
    withReplies(transport, async (get) => {
      for (const kind of KINDS) {
        const copies: Buffer[] = [];
        let last = new Uint8Array(0);
        for await (const piece of (await get(kind)).borrowed()) {
          copies.push(Buffer.from(last));
          last = piece as Uint8Array<ArrayBuffer>;
        }
        assert.ok(Buffer.concat([...copies, last]).equals(CONTENT), kind);
      }
    }),
  "`decodeContent(response)`, with a coding and without": (transport) =>
    withReplies(transport, async (get) => {
      for (const kind of [...KINDS, "/gzip", "/deflate"]) {
        await assertEveryWay(async () => decodeContent(await get(kind)));
      }
    }),
  "`for await (… of reader)` of a `FrameReader`, each framing": async (transport) => {
    for (const framing of FRAMINGS) {
      await withFrames(transport, framing, PAYLOADS, async (reader) => {
        assertPayloads(framing, await collected(reader));
      });
    }
    // The shortest case.
    const three = ["one", "two", "three"].map(bytes);
    await withFrames(transport, lines(), three, async (reader) => {
      const found = (await collected(reader)).map((frame) => Buffer.from(frame).toString());
      assert.deepEqual(found, ["one", "two", "three"]);
    });
  },
  "`reader.read()`, `reader.tryRead()`, `reader.rest`": async (transport) => {
    for (const framing of FRAMINGS) {
      await withFrames(transport, framing, PAYLOADS, async (reader) => {
        const same = (frame: Uint8Array) => frame;
        const frames = await framesOf(() => reader.read(), () => reader.tryRead(), same);
        assertPayloads(framing, frames);
      });
    }
    using ends = await pair(transport, OWN_HOST);
    const reader = new FrameReader(ends.server, lines());
    await ends.client.write(bytes("one\ntwo"));
    assert.equal(Buffer.from((await reader.read())!).toString(), "one");
    const { rest } = reader;
    await ends.client.write(bytes("!\n"));
    await reader.read();
    assert.ok("two!".startsWith(Buffer.from(rest).toString()));
  },
  "`reader.readBorrowed()`, `reader.tryReadBorrowed()`": async (transport) => {
    for (const framing of FRAMINGS) {
      await withFrames(transport, framing, PAYLOADS, async (reader) => {
        const frames = await framesOf(
          () => reader.readBorrowed(),
          () => reader.tryReadBorrowed(),
          (frame) => frame.slice(),
        );
        assertPayloads(framing, frames);
      });
    }
  },
  "`decoder.next()` of a `FrameDecoder`, `decoder.rest`": () => {
    for (const framing of FRAMINGS) assertPayloads(framing, decoded(framing));
    const decoder = new FrameDecoder(lines());
    const chunk = bytes("one\ntwo");
    decoder.push(chunk);
    const [frame, { rest }] = [decoder.next()!, decoder];
    assert.equal(frame.buffer, chunk.buffer);
    chunk.fill(0);
    assert.deepEqual(rest, bytes("two"));
    return Promise.resolve();
  },
  "`decodeFrames(framing, bytes)`, `encodeFrame()`": () => {
    const payload = bytes("one");
    const frame = encodeFrame(lines(), payload);
    payload.fill(0);
    const { frames: [found] } = decodeFrames(lines(), frame);
    assert.deepEqual(found, bytes("one"));
    assert.equal(found.buffer, frame.buffer);
    return Promise.resolve();
  },
  "`for await (… of request.body)` in a handler of `serveLight()`": (transport) =>
    withBody(
      transport,
      checking(async ({ body }) => assertContent(await collected(body!))),
    ),
  "`request.body.read()`": (transport) =>
    withBody(
      transport,
      checking(async ({ body }) => assertContent(await pulled(() => body!.read()))),
    ),
  "`request.body.borrowed()`": (transport) =>
    withBody(
      transport,
      checking(async ({ body }) => {
        const copies: Uint8Array[] = [];
        for await (const piece of body!.borrowed!()) copies.push(piece.slice());
        assertContent(copies);
      }),
    ),
  "`request.body`, `bytes()`, … in a handler of `serveHttp()`": async (transport) => {
    const checks: ((request: Request) => Promise<void>)[] = [
      async (request) => assertContent(await collected(request.body as never)),
      async (request) => {
        assert.ok(CONTENT.equals(Buffer.from(await request.arrayBuffer())));
      },
      async (request) => {
        assert.ok(CONTENT.equals(Buffer.from(await (await request.blob()).arrayBuffer())));
      },
      async (request) => {
        const [one, other] = [request.clone(), request];
        assertContent(await collected(one.body as never));
        assertContent(await collected(other.body as never));
      },
    ];
    for (const check of checks) {
      await withBody(transport, (listener, signal) =>
        serveHttp(listener, async (request) => {
          await check(request);
          return new Response();
        }, { ...LARGE, signal }).finished);
    }
  },
  "the `body` of a response of `fileHandler()` or `siteHandler()`": async (transport) => {
    await withFile(async (body) => {
      await assertEveryWay(body);
      const lent = (await body()) as Bytes & { borrowed(): Bytes };
      const copies: Uint8Array[] = [];
      for await (const piece of lent.borrowed()) copies.push(new Uint8Array(piece));
      assertContent(copies);
      // It is the way in which they are sent.
      await served(
        transport,
        light(async () => ({ status: 200, body: await body() })),
        async (url) => {
          assertContent(await collected(await requestHttp(transport, { url })));
        },
      );
    });
  },
  "a chunk of `toWebStreams()` or `toDuplex()` that was read": async (transport) => {
    for (const read of [toDuplex, (conn: Conn) => toWebStreams(conn).readable]) {
      using ends = await pair(transport, OWN_HOST);
      const sending = ends.server.write(CONTENT).then(() => ends.server.closeWrite());
      const pieces: Uint8Array[] = await collected(read(ends.client));
      await sending;
      assert.ok(Buffer.concat(pieces).equals(CONTENT));
    }
  },
  "`data` in the handler of `serveDatagrams()`": async (transport) => {
    const socket = await transport.listenDatagram({ host: OWN_HOST });
    const stop = new AbortController();
    const found: Uint8Array[] = [];
    const serving = serveDatagrams(socket, (data) => {
      found.push(data);
      return data;
    }, { signal: stop.signal }).finished;
    using client = await transport.listenDatagram({ remote: socket.addr });
    const buffer = new Uint8Array(100);
    for (const text of ["one", "two", "three", "", "five"]) {
      await client.send(bytes(text));
      assert.equal((await client.receive(buffer)).size, text.length);
    }
    stop.abort();
    await serving;
    const texts = found.map((data) => Buffer.from(data).toString());
    assert.deepEqual(texts, ["one", "two", "three", "", "five"]);
    assertOwn(found);
  },
  "`data` in the sink of `join()`": async (transport) => {
    using ends = await pair(transport, OWN_HOST);
    const sending = (async () => {
      await ends.server.write(CONTENT);
      await ends.server.closeWrite();
    })();
    const found: Uint8Array[] = [];
    await join(ends.client, {
      source: (async function* () {})(),
      sink: (data) => void found.push(data),
    });
    await sending;
    assertContent(found);
  },
  "`data` in the events of `observe()`": async (transport) => {
    const events: SocketEvent[] = [];
    const observed = observe(transport, (event) => events.push(event));
    using ends = await pair(observed, OWN_HOST);
    const buffer = new Uint8Array(3);
    for (const text of ["one", "two", "six"]) {
      buffer.set(bytes(text));
      await ends.client.write(buffer);
      await readExactly(ends.server, 3);
    }
    await using datagrams = await datagramPair(observed);
    for (const text of ["one", "two"]) {
      buffer.set(bytes(text));
      await datagrams.send(buffer);
    }
    const said = (type: "recv" | "send") =>
      events.filter((event) => event.type === type)
        .map((event) => Buffer.from((event as { data: Uint8Array }).data).toString()).join("");
    assert.equal(said("send"), "onetwosixonetwo");
    assert.equal(said("recv"), "onetwosixonetwo");
  },
  "`conn.read(p)`, `socket.receive(p)`": async (transport) => {
    using ends = await pair(transport, OWN_HOST);
    await ends.client.write(bytes("one"));
    const first = await readExactly(ends.server, 3);
    await ends.client.write(bytes("two"));
    const second = await readExactly(ends.server, 3);
    assert.deepEqual([first, second], [bytes("one"), bytes("two")]);
    await using datagrams = await datagramPair(transport);
    const [one, two] = [await datagrams.send(bytes("one")), await datagrams.send(bytes("two"))];
    assert.deepEqual([one, two], [bytes("one"), bytes("two")]);
  },
};

/** Two sockets for datagrams; `send` sends from one to the other, and resolves to what came. */
async function datagramPair(transport: Transport) {
  const server = await transport.listenDatagram({ host: OWN_HOST });
  const client = await transport.listenDatagram({ remote: server.addr });
  const buffer = new Uint8Array(100);
  return {
    async send(data: Uint8Array): Promise<Uint8Array> {
      await client.send(data);
      const p = new Uint8Array(buffer.length);
      return p.subarray(0, (await server.receive(p)).size);
    },
    [Symbol.asyncDispose]() {
      client.close();
      server.close();
      return Promise.resolve();
    },
  };
}

test("ownership: every row of the table is tested, and every test has its row", () => {
  assert.deepEqual([...readTable("docs/bytes.md").keys()].sort(), Object.keys(CASES).sort());
});

const TRANSPORTS: [name: string, transport: () => Transport][] = [
  [runtime, () => systemTransport],
  ["memory", () => new MemoryTransport()],
];

for (const [name, transport] of TRANSPORTS) {
  for (const [row, run] of Object.entries(CASES)) {
    test(`ownership on ${name}: ${row}`, () => run(transport()));
  }

  test(`ownership on ${name}: a response passes through a server without being changed`, () => {
    const via = transport();
    return withReplies(via, async (get) => {
      for (const kind of [...KINDS, "/gzip"]) {
        const proxy = light(async () => {
          const { status, fields, ...response } = await headed(get, kind);
          const coding = fields.get("content-encoding") ?? undefined;
          const headers = coding === undefined ? [] : ["Content-Encoding", coding];
          return { status, headers, ...response };
        });
        await served(via, proxy, async (url) => {
          assertContent(await collected(decodeContent(await requestHttp(via, { url }))));
        });
      }
    });
  });
}

/** A response as the body of another one. */
async function headed(get: (path: string) => Promise<ClientResponse>, path: string) {
  const response = await get(path);
  const { status, length } = response;
  return { status, length, body: response, fields: response.headers };
}
