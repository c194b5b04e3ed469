import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import zlib from "node:zlib";
import { Ajv } from "ajv";
import fc from "fast-check";
import { encoded } from "../http/ws/ws_peer.ts";
import { parseIP } from "../../lib/base/ip.ts";
import type { Har, HarEntry } from "../../lib/recording/har/format.ts";
import { ContentDecoder } from "../../lib/recording/har/content_decoder.ts";
import { toHar } from "../../lib/recording/har/har.ts";
import { BodyTexts } from "../../lib/recording/har/body_texts.ts";
import { share } from "../support/cases.ts";
import {
  accepted,
  anyRecording,
  type Line,
  recordingOf,
  type Said,
} from "../support/recordings.ts";

const ajv = new Ajv({
  strict: false,
  formats: {
    "date-time": (text: string) => !Number.isNaN(Date.parse(text)),
    "uri": (text: string) => URL.canParse(text),
    "ipv4": (text: string) => parseIP(text)?.length === 4,
    "ipv6": (text: string) => parseIP(text)?.length === 16,
    "email": true,
  },
});
// The package has no types. Its schemas are draft 6, which Ajv takes for draft 7.
const { default: schemas } = await import("har-schema" as string);
for (const schema of Object.values<object>(schemas)) {
  ajv.addSchema({ ...schema, $schema: undefined });
}

/** The archive of a recording, after a check against the schema of HAR 1.2. */
async function archiveOf(lines: readonly Line[]): Promise<Har> {
  const har = toHar(await recordingOf(lines));
  // As it stands in the file.
  const read = JSON.parse(JSON.stringify(har));
  assert.ok(ajv.validate("har.json#", read), ajv.errorsText(ajv.errors));
  return read;
}

async function entriesOf(...said: Said[]): Promise<readonly HarEntry[]> {
  return (await archiveOf(accepted(said))).log.entries;
}

const GET = "GET /a?x=1&y=%C3%A9 HTTP/1.1\r\nHost: example.com\r\nCookie: a=1; b=2\r\n\r\n";

test("har: a request with its response", async () => {
  const har = await archiveOf(accepted([
    ["client", GET],
    ["server", "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n"],
    ["server", "grüß".slice(0, 3)],
    ["server", "e"],
  ]));
  assert.equal(har.log.comment, "");
  assert.deepEqual(har.log.creator, {
    name: "plainsocket",
    version: "0.1.0",
    comment: "deno 2.9.6",
  });
  const [entry] = har.log.entries;
  assert.equal(entry.startedDateTime, "2026-11-26T22:00:00.002Z");
  assert.deepEqual(entry.timings, { connect: -1, send: 0, wait: 1, receive: 2 });
  assert.equal(entry.time, 3);
  assert.equal(entry.serverIPAddress, "127.0.0.1");
  assert.equal(entry.request.url, "http://example.com/a?x=1&y=%C3%A9");
  assert.deepEqual(entry.request.queryString, [{ name: "x", value: "1" }, {
    name: "y",
    value: "é",
  }]);
  assert.deepEqual(entry.request.cookies, [{ name: "a", value: "1" }, { name: "b", value: "2" }]);
  assert.equal(entry.request.headersSize, GET.length);
  assert.deepEqual(entry.response.content, { size: 5, mimeType: "text/plain", text: "grüe" });
});

test("har: requests that are sent ahead get their responses in order, HEAD has no body", async () => {
  const request = (method: string, path: string) => `${method} ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
  const entries = await entriesOf(
    ["client", request("GET", "/1") + request("HEAD", "/2") + request("GET", "/3")],
    ["server", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none"],
    ["server", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nHTTP/1.1 404 Not"],
    ["server", " Found\r\nContent-Length: 5\r\n\r\nthree"],
  );
  assert.deepEqual(
    entries.map(({ request, response }) => [request.url, response.status, response.content.text]),
    [["http://a/1", 200, "one"], ["http://a/2", 200, undefined], ["http://a/3", 404, "three"]],
  );
});

test("har: chunks are put together, of requests and of responses", async () => {
  const [{ request, response }] = await entriesOf(
    ["client", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"],
    ["client", "2;x=1\r\nde\r\n0\r\nT: 1\r\n\r\n"],
    ["server", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"],
  );
  assert.deepEqual(request.postData, { mimeType: "", text: "abcde" });
  assert.equal(request.bodySize, 5);
  assert.equal(response.content.text, "x");
});

test("har: responses before the final one are named", async () => {
  const [{ comment, response }] = await entriesOf(
    ["client", "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"],
    ["server", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"],
    ["client", "x"],
    ["server", "HTTP/1.1 201 Created\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n"],
  );
  assert.equal(comment, "Before the response came 100, 103.");
  assert.equal(response.status, 201);
  assert.equal(response.redirectURL, "/b");
});

test("har: what is no text is base64", async () => {
  const [{ request, response }] = await entriesOf(
    ["client", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n"],
    ["client", Uint8Array.of(0xff, 0)],
    ["server", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"],
    ["server", Uint8Array.of(0xff, 0)],
  );
  assert.deepEqual(request.postData, { mimeType: "", text: "/wA=", _encoding: "base64" });
  assert.deepEqual(response.content, { size: 2, mimeType: "", text: "/wA=", encoding: "base64" });
});

/** What the archive has of the content of a response with this Content-Encoding. */
async function contentOf(coding: string, body: Uint8Array): Promise<HarEntry["response"]> {
  const fields = `Content-Encoding: ${coding}\r\nContent-Length: ${body.length}\r\n`;
  const [{ response }] = await entriesOf(
    ["client", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"],
    ["server", `HTTP/1.1 200 OK\r\n${fields}\r\n`],
    ["server", body],
  );
  return response;
}

const TEXT = "grüß dich ".repeat(100);

const CODED: Readonly<Record<string, Uint8Array | undefined>> = {
  gzip: zlib.gzipSync(TEXT),
  deflate: zlib.deflateSync(TEXT),
  Deflate: zlib.deflateRawSync(TEXT),
  br: zlib.brotliCompressSync(TEXT),
  "deflate, x-gzip": zlib.gzipSync(zlib.deflateSync(TEXT)),
  // Node has it from 22.15 on.
  zstd: (zlib as { zstdCompressSync?: (text: string) => Uint8Array }).zstdCompressSync?.(TEXT),
};

for (const [coding, body] of Object.entries(CODED)) {
  if (body === undefined) continue;
  test(`har: content is decoded from ${coding}, and its sizes are those of both`, async () => {
    const { content, bodySize } = await contentOf(coding, body);
    const size = new TextEncoder().encode(TEXT).length;
    assert.equal(bodySize, body.length);
    assert.deepEqual(content, {
      size,
      mimeType: "",
      text: TEXT,
      compression: size - body.length,
      comment: `The content was decoded from ${coding}.`,
    });
  });
}

test("har: content that cannot be decoded stays as it was sent, and says why", async () => {
  const zipped = zlib.gzipSync(TEXT);
  const cases: [coding: string, body: Uint8Array, why: string][] = [
    ["gzip", zipped.subarray(0, -9), "it does not decode"],
    ["br", zlib.brotliCompressSync(TEXT).subarray(0, 9), "it does not decode"],
    ["compress", zipped, "this coding is not known here"],
    ["toString", zipped, "this coding is not known here"],
    ["gzip, gzip, gzip", zipped, "it has too many codings"],
  ];
  for (const [coding, body, why] of cases) {
    const { content } = await contentOf(coding, body);
    assert.deepEqual(content, {
      size: body.length,
      mimeType: "",
      text: Buffer.from(body).toString("base64"),
      encoding: "base64",
      comment: `The content is as it was sent, ${coding}: ${why}.`,
    });
  }
});

test("har: contents that grow are decoded up to a limit for each, and for all", () => {
  const decoder = new ContentDecoder({ content: 2048, total: 5000 });
  const zipped = (size: number) => zlib.brotliCompressSync(new Uint8Array(size));
  const decoded = [2048, 2049, 2048, 1000, 904, 1]
    .map((size) => decoder.decode(zipped(size), "br"));
  const long = (limit: string) =>
    `The content is as it was sent, br: decoded it is longer than ${limit}.`;
  const done = "The content was decoded from br.";
  assert.deepEqual(
    decoded.map(({ comment }) => comment),
    [
      done,
      long("2.0 KiB"),
      done,
      long("904 B"),
      done,
      "The content is as it was sent, br: the contents before it are too long.",
    ],
  );
});

test("har: values that the recording has covered stay covered", async () => {
  const [{ request }] = await entriesOf(
    ["client", "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic ***   \r\nCookie: ***\r\n\r\n"],
    ["server", "HTTP/1.1 204 No Content\r\n\r\n"],
  );
  assert.deepEqual(request.headers.slice(1).map(({ value }) => value), ["Basic ***", "***"]);
  assert.deepEqual(request.cookies, []);
});

test("har: a body without a length goes on to the end of the connection", async () => {
  const [{ response }] = await entriesOf(
    ["client", "GET / HTTP/1.0\r\n\r\n"],
    ["server", "HTTP/1.0 200 OK\r\n\r\nup to "],
    ["server", "the end"],
  );
  assert.equal(response.content.text, "up to the end");
});

test("har: what is not HTTP is left out, and a comment says which connection and why", async () => {
  const { log } = await archiveOf([
    ...accepted([["server", "220 ready\r\n"], ["client", "HELO me\r\n"]], 2),
    ...accepted(
      [["client", GET], ["server", "HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x00"]],
      3,
    ),
    ...accepted([["client", "PRI * HTTP/2.0\r\n\r\n"]], 4),
    ...accepted([["client", GET], ["server", "SSH-2.0-x\r\n"]], 5),
  ]);
  assert.deepEqual(log.entries.map(({ response }) => response.status), [101, 0]);
  assert.match(log.comment, /Connection 1 is not shown: what the client sends: .*\./);
  const serverOnly = await archiveOf([
    ...accepted([]).slice(0, 1),
    { type: "send", socket: 2, size: 9 },
  ]);
  assert.equal(
    serverOnly.log.comment,
    "Connection 1 is not shown: 9 bytes that answer no request.",
  );
  assert.match(
    log.comment,
    /Connection 2 is not shown as a whole: what follows is another protocol/,
  );
  assert.match(log.comment, /Connection 3 is not shown: what the client sends: This server speaks/);
  assert.match(log.comment, /Connection 4 .* what the server sends: What came is not HTTP/);
});

test("har: a tunnel is an entry, and what goes through it is left out", async () => {
  const { log } = await archiveOf(accepted([
    ["client", "CONNECT b:443 HTTP/1.1\r\nHost: b:443\r\n\r\n"],
    ["server", "HTTP/1.1 200 OK\r\n\r\n"],
    ["client", Uint8Array.of(0x16, 3, 1)],
  ]));
  assert.deepEqual(log.entries.map(({ request }) => request.url), ["http://b:443"]);
  assert.match(log.comment, /another protocol/);
});

const SWITCH = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";

test("har: the messages of a WebSocket are those of its entry, in order, whole and unmasked", async () => {
  const { log } = await archiveOf(accepted([
    ["client", GET],
    ["server", `${SWITCH}\r\n`],
    ["server", Uint8Array.of(0x81, 2, 0x68, 0x69, 0x89, 0)],
    ["client", Uint8Array.of(0x81, 0x82, 1, 2, 3, 4, 0x68 ^ 1, 0x6f ^ 2, 0x02, 0x81, 0, 0)],
    ["client", Uint8Array.of(0, 0, 0xfe, 0x80, 0x81, 0, 0, 0, 0, 0xff)],
    ["server", Uint8Array.of(0x88, 0)],
  ]));
  assert.equal(log.comment, "");
  const [{ _webSocketMessages: messages, _resourceType, comment }] = log.entries;
  assert.deepEqual([_resourceType, comment], ["websocket", ""]);
  assert.deepEqual(messages!.map(({ type, opcode, data }) => [type, opcode, data]), [
    ["receive", 1, "hi"],
    ["send", 1, "ho"],
    ["send", 2, "/v8="],
  ]);
  assert.ok(messages![0].time < messages![1].time && messages![1].time < messages![2].time);
});

test("har: compressed messages are inflated, and what breaks the protocol is said", async () => {
  const deflated = zlib.deflateRawSync("hello, hello, hello", { finishFlush: 2 }).subarray(0, -4);
  const { log } = await archiveOf(accepted([
    ["client", GET],
    ["server", `${SWITCH}Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n`],
    ["server", Uint8Array.of(0xc1, deflated.length, ...deflated, 0x83, 0)],
  ]));
  const [{ _webSocketMessages: messages, comment }] = log.entries;
  assert.deepEqual(messages!.map(({ data }) => data), ["hello, hello, hello"]);
  assert.match(comment, /Not all messages are there: its frame has the reserved opcode 3\./);
});

test("har: compressed messages may refer to those before them, up to 32 KiB back, in each direction", async () => {
  const far = Buffer.from(Array.from({ length: 20_000 }, (_, i) => (i * i * 167 + i * 31) % 251));
  const said = [far, far, Buffer.from("said before, said before"), Buffer.from("said before"), far];
  const parts: Said[] = [
    ["client", GET],
    ["server", `${SWITCH}Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n`],
  ];
  for (const who of ["client", "server"] as const) {
    const deflate = zlib.createDeflateRaw();
    for (const message of said) {
      const out: Buffer[] = [];
      deflate.on("data", (chunk) => out.push(chunk)).write(message);
      await new Promise<void>((resolve) => deflate.flush(zlib.constants.Z_SYNC_FLUSH, resolve));
      deflate.removeAllListeners("data");
      const payload = Buffer.concat(out).subarray(0, -4);
      parts.push([who, encoded({ opcode: 2, rsv: 4, payload }, who === "client")]);
    }
  }
  const { log: { entries: [{ _webSocketMessages: messages, comment }] } } = await archiveOf(
    accepted(parts),
  );
  assert.equal(comment, "");
  for (const type of ["send", "receive"]) {
    const data = messages!.filter((message) => message.type === type).map(({ data }) => data);
    assert.deepEqual(data, said.map((message) => message.toString("base64")));
  }
});

test("har: a request without its response, and a body that broke off, say so", async () => {
  const [first, second] = await entriesOf(
    ["client", GET + GET],
    ["server", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"],
  );
  assert.match(first.comment, /The response: a message is not complete/);
  assert.equal(first.response.content.text, "abc");
  assert.equal(second.comment, "No response was recorded.");
  assert.equal(second.response.status, 0);
});

test("har: without payloads there are no entries, and the comment says why", async () => {
  const lines = accepted([]);
  lines.splice(1, 0, { type: "recv", socket: 2, size: 20 });
  const { log } = await archiveOf(lines);
  assert.deepEqual(log.entries, []);
  assert.equal(log.comment, "Connection 1 is not shown: its data was not recorded.");
});

test("har: of a relay, each request is there once", async () => {
  const response = "HTTP/1.1 204 No Content\r\n\r\n";
  const [accept, ...rest] = accepted([["client", GET], ["server", response]]);
  const target = { transport: "tcp", host: "::1", port: 81 };
  const { log } = await archiveOf([
    accept,
    { type: "connect", socket: 3, endpoint: target },
    { type: "connected", socket: 3, localAddr: { ...target, port: 9 }, remoteAddr: target },
    { type: "link", socket: 2, peer: 3 },
    { type: "send", socket: 3, text: GET },
    { type: "recv", socket: 3, text: response },
    ...rest,
  ]);
  assert.equal(log.entries.length, 1);
});

test("har: whatever a recording has, the archive is valid", async () => {
  await fc.assert(
    fc.asyncProperty(anyRecording, async (lines) => void await archiveOf(lines)),
    { numRuns: share(300) },
  );
});

test("har: wherever HTTP is cut or damaged, the archive is valid", async () => {
  const up = GET +
    "POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n";
  const down = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" +
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n";
  const place = fc.nat(150);
  const inserted = fc.oneof(fc.string({ maxLength: 3 }), fc.constantFrom("\r\n", "\r\n\r\n", ":"));
  await fc.assert(
    fc.asyncProperty(place, place, inserted, async (a, b, text) => {
      await archiveOf(accepted([
        ["client", up.slice(0, a) + text + up.slice(a)],
        ["server", down.slice(0, b) + text + down.slice(b)],
      ]));
    }),
    { numRuns: share(300) },
  );
});

test("har: bodies that are too long, one by one or together, are left out and say so", () => {
  const texts = new BodyTexts({ body: 20, total: 50 });
  const of = (text: string) => texts.of(Buffer.from(text));
  const leftOut = (size: number) => ({ comment: `The body is left out: ${size} B is too large.` });
  assert.deepEqual(of("a".repeat(18)), { text: "a".repeat(18) });
  assert.deepEqual(of("a".repeat(19)), leftOut(19), "with its quotes");
  assert.deepEqual(texts.of(Buffer.alloc(16, 0xff)), leftOut(16), "24 characters of base64");
  assert.deepEqual(of("b".repeat(18)), { text: "b".repeat(18) });
  assert.deepEqual(of("c".repeat(11)), leftOut(11), "10 characters are left");
  assert.deepEqual(of("d".repeat(8)), { text: "d".repeat(8) });
  assert.deepEqual(of(""), {});
});

test("har: a body that is all controls is base64, which is shorter than its escapes", () => {
  const body = Buffer.alloc(100);
  assert.deepEqual(new BodyTexts().of(body), { text: body.toString("base64"), encoding: "base64" });
});
