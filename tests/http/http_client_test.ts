// The HTTP client on a transport in memory, against servers that say exactly what they are told.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import zlib from "node:zlib";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { deferred } from "../../lib/base/wait.ts";
import { SocketError } from "../../lib/base/errors.ts";
import type { HttpHead, HttpRequestOptions } from "../../lib/http/client/options.ts";
import type { ClientResponse } from "../../lib/http/client/response.ts";
import { decodeContent } from "../../lib/http/client/content_decoding.ts";
import { RequestError } from "../../lib/http/client/errors.ts";
import { requestHttp } from "../../lib/http/client/request.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import type { Conn, Listener, Transport } from "../../lib/net/transport.ts";
import { bytes, randomBytes, readAll, rejects, until } from "../support/helpers.ts";
import { splits } from "../support/http_helpers.ts";
import { test } from "../support/runner.deno.ts";

const MIB = 1024 * 1024;

/** A server that gives each connection to the next of `turns`, after it has read a head. */
async function withServer(
  turns: ((conn: Conn) => Promise<void> | void)[],
  fn: (transport: MemoryTransport, requests: string[]) => Promise<void>,
): Promise<void> {
  const transport = new MemoryTransport({ hosts: { "a.test": ["127.0.0.1"], "b.test": ["::1"] } });
  const requests: string[] = [];
  using four = await transport.listen({ host: "127.0.0.1", port: 80 });
  using six = await transport.listen({ host: "::1", port: 80 });
  let turn = 0;
  const serve = async (listener: Listener) => {
    for (;;) {
      const conn = await listener.accept();
      requests.push(await readRequest(conn));
      await turns[Math.min(turn++, turns.length - 1)](conn);
    }
  };
  const served = [four, six].map((listener) =>
    serve(listener).catch((error) => assert.ok(error instanceof SocketError, String(error)))
  );
  try {
    await fn(transport, requests);
  } finally {
    four.close();
    six.close();
    await Promise.all(served);
  }
}

/** Reads a request with its content. */
async function readRequest(conn: Conn): Promise<string> {
  let text = "";
  const buffer = Buffer.alloc(1024);
  for (;;) {
    const [head, body] = text.split("\r\n\r\n");
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (body !== undefined && body.length >= length) return text;
    const n = await conn.read(buffer);
    if (n === null) return text;
    text += buffer.toString("latin1", 0, n);
  }
}

/** Sends pieces, so that each of them is read by itself, and closes. */
async function say(conn: Conn, ...pieces: (string | Uint8Array)[]): Promise<void> {
  for (const piece of pieces) {
    await conn.write(typeof piece === "string" ? Buffer.from(piece, "latin1") : piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  conn.close();
}

function responses(...texts: string[]): ((conn: Conn) => Promise<void>)[] {
  return texts.map((text) => (conn) => say(conn, text));
}

async function contentOf(response: AsyncIterable<Uint8Array>): Promise<string> {
  let text = "";
  for await (const piece of response) text += Buffer.from(piece).toString("latin1");
  return text;
}

async function fails(promise: Promise<unknown>, code: string): Promise<RequestError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof RequestError, `Not a RequestError: ${error}`);
    assert.equal(error.code, code, error.message);
    return error;
  }
  assert.fail(`It resolved, and did not reject with ${code}`);
}

const URL_A = "http://a.test/";

/**
 * What comes of responses, one after the other, that arrive in these pieces: status and content, or the
 * error's code.
 */
async function judgeAll(
  ways: readonly (readonly Uint8Array[])[],
  options: Partial<HttpRequestOptions>,
): Promise<string[]> {
  const verdicts: string[] = [];
  const turns = ways.map((pieces) => (conn: Conn) =>
    say(conn, ...pieces).catch((error) => {
      // The client has refused it before its end.
      assert.ok(error instanceof SocketError, String(error));
      conn.close();
    })
  );
  await withServer(turns, async (transport) => {
    while (verdicts.length < ways.length) {
      try {
        const response = await requestHttp(transport, { url: URL_A, ...options });
        verdicts.push(`${response.status} ${await contentOf(response)}`);
      } catch (error) {
        if (!(error instanceof RequestError)) throw error;
        assert.match(error.message, /^Cannot get http:\/\/a\.test\/: [a-z].* \([A-Z_]+\)\. [A-Z]/);
        verdicts.push(error.code);
      }
    }
  });
  return verdicts;
}

/** What comes of one response. */
async function judge(
  pieces: readonly Uint8Array[],
  options: Partial<HttpRequestOptions>,
): Promise<string> {
  const [verdict] = await judgeAll([pieces], options);
  return verdict;
}

/** The verdict on a response, which must be the same however it is split. */
async function verdictOn(
  response: string,
  options: Partial<HttpRequestOptions> = {},
): Promise<string> {
  const verdicts = await judgeAll(splits(Buffer.from(response, "latin1")), options);
  const [verdict, ...others] = new Set(verdicts);
  assert.deepEqual(others, [], response);
  return verdict;
}

const OK = "HTTP/1.1 200 OK\r\n";
const LONG = "x".repeat(300);

const ACCEPTED: Record<string, [response: string, verdict: string]> = {
  "with Content-Length": [`${OK}Content-Length: 5\r\n\r\nhello`, "200 hello"],
  "with the same Content-Length twice": [
    `${OK}Content-Length: 5\r\nContent-Length: 5, 5\r\n\r\nhello`,
    "200 hello",
  ],
  "with no content": [`${OK}Content-Length: 0\r\n\r\n`, "200 "],
  "until the end of the connection": [`${OK}\r\nhello`, "200 hello"],
  "of HTTP/1.0": ["HTTP/1.0 404 Not Found\r\n\r\nno", "404 no"],
  "of a later HTTP/1": [`HTTP/1.7 200 OK\r\nContent-Length: 1\r\n\r\na`, "200 a"],
  "without a reason phrase": ["HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\na", "200 a"],
  "without the space before it": ["HTTP/1.1 200\r\nContent-Length: 1\r\n\r\na", "200 a"],
  "in chunks": [
    `${OK}Transfer-Encoding: Chunked\r\n\r\n3;a=b\r\nabc\r\n0002\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n`,
    "200 abcde",
  ],
  "with interim responses": [
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n${OK}Content-Length: 1\r\n\r\na`,
    "200 a",
  ],
  "204, which has no content whatever it says": [
    "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
    "204 ",
  ],
  "304 with the length of what it stands for": [
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    "304 ",
  ],
  "with a line end behind it": [`${OK}Content-Length: 5\r\n\r\nhello\r\n`, "200 hello"],
  "with more content than its length behind it": [
    `${OK}Content-Length: 5\r\n\r\nhello!`,
    "200 hello",
  ],
  "in chunks with another response behind it": [
    `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n${OK}\r\nmore`,
    "200 hello",
  ],
  "that is empty with a bare LF behind it": [`${OK}Content-Length: 0\r\n\r\n\n`, "200 "],
  "204 with content behind it": ["HTTP/1.1 204 No Content\r\n\r\nhello", "204 "],
  "304 with content behind it": [
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello",
    "304 ",
  ],
  "with a folded line": [`${OK}X: a\r\n folded\r\nContent-Length: 1\r\n\r\nab`, "200 a"],
  "with a folded length": [`${OK}Content-Length:\r\n\t 5\r\n\r\nhello`, "200 hello"],
  "with a folded transfer coding": [
    `${OK}Transfer-Encoding: \r\n  chunked\r\n\r\n1\r\na\r\n0\r\n\r\n`,
    "200 a",
  ],
  "with a folded trailer": [
    `${OK}Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: a\r\n b\r\n\tc\r\n\r\n`,
    "200 a",
  ],
  "with a status nobody knows": ["HTTP/1.1 799 Hm\r\nContent-Length: 1\r\n\r\na", "799 a"],
};

for (const [name, [response, verdict]] of Object.entries(ACCEPTED)) {
  test(`HTTP client: takes a response ${name}`, async () => {
    assert.equal(await verdictOn(response), verdict);
  });
}

const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

const REFUSED: Record<string, [code: string, ...responses: string[]]> = {
  "that is none": ["EMPTY_RESPONSE", ""],
  "that is not HTTP": [
    "BAD_STATUS_LINE",
    "SSH-2.0-OpenSSH_9.9\r\n",
    "hello",
    "\r\nHTTP/1.1 200 OK\r\n\r\n",
    "HTTP\r\n",
    "http/1.1 200 OK\r\n\r\n",
    "<html>\n</html>",
  ],
  "with a bad status line": [
    "BAD_STATUS_LINE",
    "HTTP/1.1\r\n\r\n",
    "HTTP/1.1 20 OK\r\n\r\n",
    "HTTP/1.1 2000 OK\r\n\r\n",
    "HTTP/1.1 020 OK\r\n\r\n",
    "HTTP/1.1  200 OK\r\n\r\n",
    "HTTP/1.1 200OK\r\n\r\n",
    "HTTP/1.1 +20 OK\r\n\r\n",
    "HTTP/1.1 200 O\0K\r\n\r\n",
    "HTTP/1.1 200 O\rK\r\n\r\n",
    "HTTP/11.1 200 OK\r\n\r\n",
  ],
  "of another version": [
    "BAD_VERSION",
    "HTTP/2.0 200 OK\r\n\r\n",
    "HTTP/0.9 200 OK\r\n\r\n",
  ],
  "that switches protocols": ["BAD_STATUS", "HTTP/1.1 101 Switching Protocols\r\n\r\n"],
  "with interim responses without end": ["BAD_STATUS", "HTTP/1.1 103 Hm\r\n\r\n".repeat(20)],
  "with a bare LF": [
    "BAD_LINE_END",
    "\n",
    "HTTP/1.1 200 OK\n\n",
    `${OK}Content-Length: 1\n\r\na`,
    `${OK}\na`,
  ],
  "with a field that is none": [
    "BAD_FIELD",
    `${OK}no colon\r\n\r\n`,
    `${OK}: no name\r\n\r\n`,
    `${OK}Content-Length : 1\r\n\r\na`,
    `${OK}X: a\r\n fol\0ded\r\n\r\n`,
    `${OK}X: a\0b\r\n\r\n`,
    `${OK}X: a\rb\r\n\r\n`,
    `${OK}X y: a\r\n\r\n`,
    `${OK} X: a\r\n\r\n`,
  ],
  "with a length that is none": [
    "BAD_CONTENT_LENGTH",
    `${OK}Content-Length: 1\r\n 0\r\n\r\nhello`,
    ...["-1", "+1", "0x1", "1.0", "1e1", "", "a", "1 1", "9".repeat(17), "5, 6", "5,"].map(
      (value) => `${OK}Content-Length: ${value}\r\n\r\nhello`,
    ),
    `${OK}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`,
    `${OK}Content-Length: 5\r\ncontent-length: 05\r\n\r\nhello`,
  ],
  "with an ambiguous or unknown transfer coding": [
    "BAD_TRANSFER_ENCODING",
    `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `${OK}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
    `${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `${OK}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n`,
    `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    `${OK}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`,
    `${OK}Transfer-Encoding: identity\r\n\r\nhello`,
    `${OK}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
    `${OK}Transfer-Encoding:\r\n\r\n0\r\n\r\n`,
    "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  ],
  "with chunks that are none": [
    "BAD_CHUNK",
    ...["x\r\n", "-1\r\n", "3\nabc", "3\r\nabcd\r\n", "3\r\nabc\n", " 3\r\nabc\r\n", "\r\n"].map(
      (chunks) => CHUNKED + chunks,
    ),
    `${CHUNKED}${"f".repeat(17)}\r\n`,
    `${CHUNKED}3;${LONG}\r\nabc\r\n0\r\n\r\n`,
    `${CHUNKED}0\r\nno trailer\r\n\r\n`,
    `${CHUNKED}0\r\n folded: x\r\n\r\n`,
  ],
  "that breaks off": [
    "PARTIAL",
    "HTTP/1.1 20",
    "HTT",
    OK,
    `${OK}Content-Length: 5\r\n`,
    `${OK}Content-Length: 5\r\n\r`,
    `${OK}Content-Length: 5\r\n\r\nhell`,
    "HTTP/1.1 100 Continue\r\n\r\n",
    CHUNKED,
    `${CHUNKED}3\r\nabc\r\n`,
    `${CHUNKED}3\r\nabc\r\n0\r\n`,
    `${CHUNKED}5\r\nabc`,
  ],
  "with a head that is too large": [
    "HEADERS_TOO_LARGE",
    `HTTP/1.1 200 ${LONG}\r\n\r\n`,
    `HTTP/1.1 200 ${LONG}`,
    `${OK}X: ${LONG}\r\n\r\n`,
    `${OK}X: ${LONG}`,
    `${OK}${"X: yyyyyyyyyy\r\n".repeat(20)}\r\n`,
    `${OK}${"X:\r\n".repeat(11)}\r\n`,
    `${OK}X: y\r\n${" yyyyyyyyyy\r\n".repeat(25)}\r\n`,
    `${CHUNKED}0\r\nX: ${LONG}\r\n\r\n`,
  ],
  "with content that is too large": [
    "BODY_TOO_LARGE",
    `${OK}Content-Length: 101\r\n\r\n`,
    `${OK}\r\n${LONG}`,
    `${CHUNKED}${"a\r\n0123456789\r\n".repeat(11)}`,
  ],
};

const LIMITS = { statusLine: 256, headerBytes: 256, headerCount: 10 };

for (const [name, [code, ...hostile]] of Object.entries(REFUSED)) {
  test(`HTTP client: refuses a response ${name}, however it is split`, async () => {
    for (const response of hostile) {
      const verdict = await verdictOn(response, { limits: LIMITS, maxSize: 100 });
      assert.equal(verdict, code, JSON.stringify(response));
    }
  });
}

test("HTTP client: the response to HEAD has no content, and its length is none to wait for", async () => {
  const response = `${OK}Content-Length: 5\r\n\r\n`;
  assert.equal(await verdictOn(response, { method: "HEAD" }), "200 ");
  assert.equal(await verdictOn(`${response}hello`, { method: "HEAD" }), "200 ");
});

test("HTTP client: tells what came, and how many bytes it took", async () => {
  const head = `${OK}Set-Cookie: a=1\r\nset-cookie: b=2\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const body = "3\r\nabc\r\n0\r\n\r\n";
  await withServer(responses(head + body), async (transport) => {
    const response = await requestHttp(transport, { url: "http://user:secret@a.test/x?y#z" });
    assert.equal(response.url, "http://a.test/x?y#z");
    assert.deepEqual([response.status, response.reason, response.minor], [200, "OK", 1]);
    assert.deepEqual(response.rawHeaders.slice(0, 4), ["Set-Cookie", "a=1", "set-cookie", "b=2"]);
    assert.equal(response.headers.get("SET-COOKIE"), "a=1, b=2");
    assert.equal(response.headers.get("cookie"), null);
    assert.deepEqual([response.length, response.untilClose], [undefined, false]);
    assert.equal(response.timing.total, undefined);
    assert.equal(await contentOf(response), "abc");
    assert.equal(await response.read(), null);
    assert.deepEqual([response.headBytes, response.bodyBytes], [head.length, body.length]);
    const { redirect, resolve, connect, tls, firstByte, total } = response.timing;
    assert.deepEqual([redirect, tls], [0, undefined]);
    const order = [0, resolve!, connect!, firstByte, total!];
    assert.deepEqual(order, order.toSorted((a, b) => a - b));
  });
});

test("HTTP client: flags content that only the end of the connection ends", async () => {
  await withServer(responses(`${OK}\r\nhello`), async (transport) => {
    using response = await requestHttp(transport, { url: URL_A });
    assert.deepEqual([response.length, response.untilClose], [undefined, true]);
  });
});

test("HTTP client: the request has what HTTP/1.1 asks for, and content with its length", async () => {
  await withServer(responses(`${OK}Content-Length: 0\r\n\r\n`), async (transport, requests) => {
    const get = async (options: HttpRequestOptions) => {
      await contentOf(await requestHttp(transport, options));
      return requests.at(-1)!;
    };
    assert.match(
      await get({ url: "http://a.test/a b".replace(" ", "%20") + "?c=ü#d" }),
      /^GET \/a%20b\?c=%C3%BC HTTP\/1\.1\r\nHost: a\.test\r\nUser-Agent: plainsocket\/[\d.]+\r\nAccept: \*\/\*\r\nConnection: close\r\n\r\n$/,
    );
    assert.match(await get({ url: "http://u%20:p%C3%BC@a.test" }), /Basic dSA6cMO8\r\n/);
    const headers = ["Accept", "", "user-agent", "mine", "Host", "b", "Authorization", "x"];
    assert.equal(
      await get({ url: "http://u:p@a.test/", headers }),
      "GET / HTTP/1.1\r\nuser-agent: mine\r\nHost: b\r\nAuthorization: x\r\nConnection: close\r\n\r\n",
    );
    assert.match(await get({ url: URL_A, body: "ü" }), /^POST .*Content-Length: 2\r\n.*\xc3\xbc$/s);
    assert.match(await get({ url: URL_A, method: "PUT" }), /^PUT .*Content-Length: 0\r\n/s);
    assert.match(await get({ url: "http://[::1]:80/" }), /Host: \[::1\]\r\n/);
  });
});

test("HTTP client: nothing can be smuggled into a request", async () => {
  const transport = new MemoryTransport();
  const urls = ["http://a/\r\nX: y", "http://a/ b", "http://a/\tb", "http://a\n/", " http://a/"];
  for (
    const url of [...urls, "http://a/\x7f", "ftp://a/", "a/b", "http:a", "http://a:99999/", ""]
  ) {
    await fails(requestHttp(transport, { url }), "BAD_URL");
  }
  const error = await fails(requestHttp(transport, { url: "ftp://u:secret@a/" }), "BAD_URL");
  assert.doesNotMatch(error.message, /secret/);
  const hostile = [
    { method: "GET / HTTP/1.1\r\nX:" },
    { method: "" },
    { method: "CONNECT" },
    { headers: ["X", "a\r\nY: b"] },
    { headers: ["X", "a\nb"] },
    { headers: ["X", "a\0"] },
    { headers: ["X", "ŁF"] },
    { headers: ["X: y\r\nZ", "a"] },
    { headers: ["", "a"] },
    { headers: ["Content-Length", "5"] },
    { headers: ["transfer-encoding", "chunked"] },
  ];
  for (const options of hostile) {
    await assert.rejects(requestHttp(transport, { url: URL_A, ...options }), TypeError);
  }
});

test("HTTP client: a response that comes before all content is sent is taken", async () => {
  const early = async (conn: Conn) => {
    await say(conn, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno");
  };
  const transport = new MemoryTransport();
  using listener = await transport.listen({ port: 80 });
  const serving = (async () => {
    const conn = await listener.accept();
    await conn.read(new Uint8Array(10));
    await early(conn);
  })();
  const body = new Uint8Array(MIB);
  const response = await requestHttp(transport, { url: "http://localhost/", body });
  assert.deepEqual([response.status, await contentOf(response)], [413, "no"]);
  await serving;
});

test("HTTP client: the connection is closed as soon as the response is whole, whoever keeps it", async () => {
  const cases: [method: string, response: string, content: string][] = [
    ["GET", `${OK}Content-Length: 5\r\n\r\nhello`, "hello"],
    ["GET", `${OK}Content-Length: 5\r\n\r\nhello\r\n`, "hello"],
    ["GET", `${OK}Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n`, "a"],
    ["GET", "HTTP/1.1 304 Not Modified\r\n\r\n", ""],
    ["HEAD", `${OK}Content-Length: 5\r\n\r\n`, ""],
    ["POST", "HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno", "no"],
  ];
  for (const [method, text, content] of cases) {
    const ended = deferred<number | null>();
    const stay = async (conn: Conn) => {
      await conn.write(bytes(text));
      conn.read(new Uint8Array(1)).then(ended.resolve, ended.reject);
    };
    await withServer([stay], async (transport) => {
      // On this clock no time passes.
      const clock = new VirtualClock();
      const response = await requestHttp(transport, { url: URL_A, method, clock });
      assert.equal(await contentOf(response), content);
      assert.equal(await ended.promise, null, text);
    });
  }
});

test("HTTP client: a response without content is closed before anybody reads it", async () => {
  const ended = deferred<number | null>();
  await withServer([async (conn) => {
    await conn.write(bytes("HTTP/1.1 204 No Content\r\n\r\n"));
    conn.read(new Uint8Array(1)).then(ended.resolve, ended.reject);
  }], async (transport) => {
    const response = await requestHttp(transport, { url: URL_A, totalTimeout: 1000 });
    assert.equal(await ended.promise, null);
    assert.equal(await response.read(), null);
  });
});

test("HTTP client: a server that answers before it has read all gets the rest", async () => {
  const body = randomBytes(4 * MIB);
  const transport = new MemoryTransport();
  using listener = await transport.listen({ port: 80 });
  const taken = (async () => {
    using conn = await listener.accept();
    await conn.read(new Uint8Array(10));
    await conn.write(bytes(`${OK}Content-Length: 2\r\n\r\nok`));
    return (await readAll(conn)).length + 10;
  })();
  const response = await requestHttp(transport, { url: "http://localhost/", body });
  assert.equal(await contentOf(response), "ok");
  assert.ok(await taken > body.length);
});

test("HTTP client: a folded field is one line, with a space for each fold", async () => {
  const cases: [lines: string, value: string][] = [
    ["X: a\r\n b", "a b"],
    ["X: a \t\r\n \t b\r\n\tc", "a b c"],
    ["X:\r\n b", "b"],
    ["X: a\r\n \r\n b", "a b"],
    ["X: a\r\n  ", "a"],
  ];
  for (const [lines, value] of cases) {
    const head = `${OK}${lines}\r\nY: y\r\nContent-Length: 0\r\n\r\n`;
    for (const pieces of splits(Buffer.from(head))) {
      await withServer([(conn) => say(conn, ...pieces)], async (transport) => {
        const response = await requestHttp(transport, { url: URL_A });
        assert.deepEqual([response.headers.get("x"), response.headers.get("y")], [value, "y"]);
      });
    }
  }
});

test("HTTP client: what is too large names its limit, and what to raise", async () => {
  const cases: [response: string, message: RegExp][] = [
    [`HTTP/1.1 200 ${LONG}\r\n`, /a status line of more than 256 bytes .* Raise it in `limits`/],
    [`${OK}X: ${LONG}\r\n`, /header fields of more than 256 bytes/],
    [`${OK}${"X:\r\n".repeat(11)}\r\n`, /header fields of more than 10 lines/],
    [`${CHUNKED}0\r\nX: ${LONG}\r\n`, /the trailer section has more than 256 bytes/],
    [`${OK}Content-Length: 101\r\n\r\n`, /more than 100 bytes .* Raise `maxSize`/],
  ];
  for (const [text, message] of cases) {
    await withServer(responses(text), async (transport) => {
      const work = requestHttp(transport, { url: URL_A, limits: LIMITS, maxSize: 100 });
      const code = text.includes("101") ? "BODY_TOO_LARGE" : "HEADERS_TOO_LARGE";
      assert.match((await fails(work.then(contentOf), code)).message, message);
    });
  }
  const limits = { statusLine: 1000, headerBytes: 1000, headerCount: 1000 };
  for (const text of [cases[0][0], cases[1][0], cases[2][0]]) {
    const response = `${
      text.endsWith("\r\n\r\n") ? text.slice(0, -2) : text
    }Content-Length: 0\r\n\r\n`;
    assert.equal(await judge([Buffer.from(response)], { limits }), "200 ");
  }
  assert.equal(await judge([Buffer.from(`${cases[3][0]}\r\n`)], { limits }), "200 ");
});

// Redirects.

function redirect(status: number, location: string): string {
  return `HTTP/1.1 ${status} Go\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`;
}

const DONE = `${OK}Content-Length: 4\r\n\r\ndone`;

test("RFC 9110 15.4: which method a redirect is followed with, and whether with the content", async () => {
  const expected: Record<string, string[]> = {
    // The method sent:  GET    HEAD    POST    PUT
    301: ["GET", "HEAD", "GET", "PUT"],
    302: ["GET", "HEAD", "GET", "PUT"],
    303: ["GET", "HEAD", "GET", "GET"],
    307: ["GET", "HEAD", "POST", "PUT"],
    308: ["GET", "HEAD", "POST", "PUT"],
  };
  for (const [status, methods] of Object.entries(expected)) {
    for (const [i, method] of ["GET", "HEAD", "POST", "PUT"].entries()) {
      const turns = responses(
        redirect(Number(status), "/b"),
        method === "HEAD" ? DONE.slice(0, -4) : DONE,
      );
      await withServer(turns, async (transport, requests) => {
        const body = i < 2 ? undefined : "content";
        const headers = ["Content-Type", "text/x", "X-Mine", "1"];
        await contentOf(await requestHttp(transport, { url: URL_A, method, body, headers }));
        const [line] = requests[1].split("\r\n");
        assert.equal(line, `${methods[i]} /b HTTP/1.1`, status);
        const kept = methods[i] === method;
        assert.equal(requests[1].endsWith("\r\n\r\ncontent"), kept && body !== undefined, status);
        assert.equal(/^content-type:/mi.test(requests[1]), kept, status);
        assert.match(requests[1], /^X-Mine: 1\r$/m);
      });
    }
  }
});

test("HTTP client: Location is resolved against the URL that gave it", async () => {
  const cases: [string, string][] = [
    ["c", "http://a.test/dir/c"],
    ["../c?d", "http://a.test/c?d"],
    ["?q", "http://a.test/dir/file?q"],
    ["//b.test/c", "http://b.test/c"],
    ["http://b.test/c#there", "http://b.test/c#there"],
    ["/\xc3\xbc x", "http://a.test/%C3%BC%20x"],
    ["http://me:secret@a.test/c", "http://a.test/c"],
  ];
  for (const [location, url] of cases) {
    await withServer(responses(redirect(302, location), DONE), async (transport, requests) => {
      const response = await requestHttp(transport, { url: "http://a.test/dir/file#here" });
      assert.equal(await contentOf(response), "done");
      assert.equal(response.url, url.includes("#") ? url : `${url}#here`);
      assert.doesNotMatch(requests[1], /authorization/i);
    });
  }
});

test("HTTP client: refuses to follow to where it cannot go", async () => {
  for (
    const location of ["ftp://a/", "http://", "http://a:99999/", "file:///etc/passwd", "data:,"]
  ) {
    await withServer(responses(redirect(302, location)), async (transport) => {
      await fails(requestHttp(transport, { url: URL_A }), "BAD_REDIRECT");
    });
  }
  const two = redirect(302, "/a").replace("\r\n\r\n", "\r\nLocation: /b\r\n\r\n");
  await withServer(responses(two), async (transport) => {
    await fails(requestHttp(transport, { url: URL_A }), "BAD_REDIRECT");
  });
});

test("HTTP client: a redirect without a Location, and 304, are responses", async () => {
  for (const status of [301, 304, 300]) {
    await withServer(
      responses(`HTTP/1.1 ${status} Hm\r\nContent-Length: 0\r\n\r\n`),
      async (transport) => {
        using response = await requestHttp(transport, { url: URL_A });
        assert.equal(response.status, status);
      },
    );
  }
});

test("HTTP client: follows so many redirects and no more; with 0 a redirect is a response", async () => {
  await withServer(responses(redirect(302, "/")), async (transport, requests) => {
    await fails(requestHttp(transport, { url: URL_A, maxRedirects: 3 }), "TOO_MANY_REDIRECTS");
    assert.equal(requests.length, 4);
    using response = await requestHttp(transport, { url: URL_A, maxRedirects: 0 });
    assert.equal(response.status, 302);
  });
});

test("HTTP client: credentials are for one origin, even if the way leads back to it", async () => {
  const turns = responses(
    redirect(302, "/same"),
    redirect(302, "http://b.test/other"),
    redirect(302, "http://a.test/back"),
    DONE,
  );
  await withServer(turns, async (transport, requests) => {
    const headers = ["cookie", "a=b", "X-Mine", "1"];
    await contentOf(await requestHttp(transport, { url: "http://u:p@a.test/", headers }));
    const told = requests.map((request) =>
      ["authorization", "cookie", "x-mine"].filter((name) =>
        request.toLowerCase().includes(`\n${name}:`)
      )
    );
    const all = ["authorization", "cookie", "x-mine"];
    assert.deepEqual(told, [all, all, ["x-mine"], ["x-mine"]]);
  });
});

test("HTTP client: another port is another origin", async () => {
  await withServer(responses(redirect(302, "http://a.test:81/")), async (transport) => {
    using listener = await transport.listen({ host: "127.0.0.1", port: 81 });
    const headers = ["Authorization", "x", "Host", "mine"];
    const [request] = await Promise.all([
      listener.accept().then(async (conn) => {
        const request = await readRequest(conn);
        await say(conn, DONE);
        return request;
      }),
      requestHttp(transport, { url: URL_A, headers }).then(contentOf),
    ]);
    assert.match(request, /^Host: a\.test:81\r$/m);
    assert.doesNotMatch(request, /authorization/i);
  });
});

test("HTTP client: onHead is told of every head", async () => {
  const interim = "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n";
  await withServer(responses(redirect(302, "/b"), interim + DONE), async (transport) => {
    const heads: HttpHead[] = [];
    const onHead = (head: HttpHead) => void heads.push(head);
    await contentOf(await requestHttp(transport, { url: URL_A, onHead }));
    assert.deepEqual(heads.map(({ type, startLine }) => `${type} ${startLine}`), [
      "request GET / HTTP/1.1",
      "response HTTP/1.1 302 Go",
      "request GET /b HTTP/1.1",
      "response HTTP/1.1 103 Early Hints",
      "response HTTP/1.1 200 OK",
    ]);
    assert.deepEqual(heads[3].headers, ["Link", "<a>"]);
    assert.deepEqual(heads[0].headers.slice(0, 2), ["Host", "a.test"]);
  });
});

// Time.

/** A server that says something and then neither more nor goodbye. */
async function withSilence(
  said: string,
  fn: (
    get: (options?: Partial<HttpRequestOptions>) => Promise<ClientResponse>,
    clock: VirtualClock,
  ) => Promise<void>,
): Promise<void> {
  const clock = new VirtualClock();
  const conns: Conn[] = [];
  await withServer([async (conn) => {
    conns.push(conn);
    await conn.write(bytes(said));
  }], async (transport) => {
    await fn((options) => requestHttp(transport, { url: URL_A, clock, ...options }), clock);
  });
  for (const conn of conns) conn.close();
}

test("HTTP client: silence ends a request, before the head and in the body", async () => {
  await withSilence("", async (get, clock) => {
    const failed = rejects(get({ idleTimeout: 5000 }), "ETIMEDOUT");
    await clock.advance(10_000);
    assert.match((await failed).message, /no response has come, and nothing moved for 5 s/);
  });
  await withSilence(`${OK}\r\nhello`, async (get, clock) => {
    const response = await get({ idleTimeout: 5000 });
    assert.equal(Buffer.from((await response.read())!).toString(), "hello");
    // While the caller takes its time, the server is not to blame.
    await clock.advance(100_000);
    const failed = rejects(response.read(), "ETIMEDOUT");
    await clock.advance(10_000);
    await failed;
    await rejects(response.read(), "ETIMEDOUT");
  });
});

test("HTTP client: the total time bounds all of it, body included", async () => {
  await withSilence(`${OK}\r\nhello`, async (get, clock) => {
    const response = await get({ totalTimeout: 3000, idleTimeout: 0 });
    await response.read();
    const failed = rejects(response.read(), "ETIMEDOUT");
    await clock.advance(3000);
    assert.match((await failed).message, /the response has not come whole within 3 s/);
  });
  await withSilence("", async (get, clock) => {
    const failed = rejects(get({ totalTimeout: 3000, idleTimeout: 0 }), "ETIMEDOUT");
    await clock.advance(3000);
    assert.match((await failed).message, /no response within 3 s/);
  });
});

test("HTTP client: the total time says what it cut off: look-up, connection or handshake", async () => {
  const never = () => new Promise<never>(() => {});
  const cases = [
    [
      { resolve: never },
      /^Cannot resolve .*: the name was not looked up within 3 s .* name server/,
    ],
    [{ connect: never }, /^Cannot connect to .*: no answer within 3 s .* other side is up/],
  ] as const;
  for (const [hangs, message] of cases) {
    const clock = new VirtualClock();
    const transport: Transport = Object.assign(
      new MemoryTransport({ hosts: { "a.test": ["127.0.0.1"] } }),
      hangs,
    );
    const options = { url: URL_A, clock, totalTimeout: 3000, connectTimeout: 0 };
    const failed = rejects(requestHttp(transport, options), "ETIMEDOUT");
    await clock.advance(3000);
    assert.match((await failed).message, message);
  }
  using silent = await systemTransport.listen({ host: "127.0.0.1" });
  const clock = new VirtualClock();
  const url = `https://127.0.0.1:${silent.addr.port}/`;
  const request = requestHttp(systemTransport, { url, clock, totalTimeout: 3000 });
  const failed = rejects(request, "ETIMEDOUT");
  using conn = await silent.accept();
  await conn.read(new Uint8Array(1));
  await clock.advance(3000);
  assert.match((await failed).message, /^Cannot start TLS with .*: no handshake within 3 s .* TLS/);
});

test("HTTP client: an abort ends it at any time", async () => {
  const aborted = AbortSignal.abort();
  await rejects(
    requestHttp(new MemoryTransport(), { url: "http://localhost/", signal: aborted }),
    "ECANCELED",
  );
  for (const said of ["", `${OK}\r\n`]) {
    await withSilence(said, async (get) => {
      const controller = new AbortController();
      const { signal } = controller;
      const failed = rejects(get({ signal }).then((response) => response.read()), "ECANCELED");
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
      controller.abort();
      await failed;
    });
  }
});

test("HTTP client: a connection that fails is a SocketError", async () => {
  const transport = new MemoryTransport();
  await rejects(requestHttp(transport, { url: "http://localhost/" }), "ECONNREFUSED");
  await rejects(requestHttp(transport, { url: "http://nowhere.test/" }), "ENOTFOUND");
  await withServer([(conn) => conn.reset()], async (transport) => {
    await rejects(requestHttp(transport, { url: URL_A }), "ECONNRESET");
  });
});

test("HTTP client: who stops iterating while it waits closes the connection at once", async () => {
  for (const lent of [false, true]) {
    const left = deferred<void>();
    const turn = async (conn: Conn) => {
      await conn.write(bytes("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\none"));
      assert.equal(await conn.read(new Uint8Array(1)).catch(() => null), null);
      left.resolve();
    };
    await withServer([turn], async (transport) => {
      const response = await requestHttp(transport, { url: "http://a.test/" });
      const pieces = (lent ? response.borrowed() : response)[Symbol.asyncIterator]();
      assert.equal((await pieces.next()).value!.length, 3);
      const waiting = pieces.next();
      await pieces.return!();
      await left.promise;
      assert.equal((await waiting).done, true);
      assert.equal((await pieces.next()).done, true);
    });
  }
});

test("HTTP client: close() frees the connection, whatever is left; reading is then over", async () => {
  await withSilence(`${OK}\r\nhello`, async (get) => {
    const response = await get();
    await response.read();
    response.close();
    response.close();
    await rejects(response.read(), "ECLOSED");
    for await (const _ of await get()) break;
  });
});

// Content codings.

type Coding = [name: string, encode: (data: Uint8Array) => Uint8Array, how?: string];

const CODINGS: Coding[] = [
  ["gzip", zlib.gzipSync],
  ["x-gzip", zlib.gzipSync],
  ["deflate", zlib.deflateSync],
  ["deflate", zlib.deflateRawSync, "deflate without the zlib format around it"],
  ["br", zlib.brotliCompressSync],
  ["deflate, gzip", (data) => zlib.gzipSync(zlib.deflateRawSync(data))],
  ["gzip, br", (data) => zlib.brotliCompressSync(zlib.gzipSync(data))],
  ["identity", (data) => data],
];
/** Serves `encoded` as it is, and gives the response to `fn`. */
async function withEncoded(
  coding: string,
  encoded: Uint8Array,
  fn: (response: ClientResponse) => Promise<void>,
): Promise<void> {
  const head = `${OK}Content-Encoding: ${coding}\r\nContent-Length: ${encoded.length}\r\n\r\n`;
  await withServer([(conn) => say(conn, head, encoded)], async (transport) => {
    await fn(await requestHttp(transport, { url: URL_A }));
  });
}

for (const [coding, encode, how = coding] of CODINGS) {
  test(`HTTP client: decodes ${how}, while the bytes are counted as they came`, async () => {
    const text = "All work and no play makes Jack a dull boy. ".repeat(20_000);
    const encoded = encode(bytes(text));
    await withEncoded(coding, encoded, async (response) => {
      assert.ok(await contentOf(decodeContent(response)) === text);
      assert.equal(response.bodyBytes, encoded.length);
    });
    if (coding === "identity") return;
    await withEncoded(coding, encoded.subarray(0, encoded.length >> 1), async (response) => {
      await fails(contentOf(decodeContent(response)), "BAD_CONTENT_ENCODING");
    });
    await withEncoded(coding, Buffer.concat([encoded, bytes("more")]), async (response) => {
      await fails(contentOf(decodeContent(response)), "BAD_CONTENT_ENCODING");
    });
    await withEncoded(coding, new Uint8Array(0), async (response) => {
      assert.equal(await contentOf(decodeContent(response)), "");
    });
    await withEncoded(coding, bytes("this is something else"), async (response) => {
      await fails(contentOf(decodeContent(response)), "BAD_CONTENT_ENCODING");
    });
    await withEncoded(coding, encoded, async (response) => {
      await fails(
        contentOf(decodeContent(response, { maxSize: text.length - 1 })),
        "BODY_TOO_LARGE",
      );
    });
  });
}

test("HTTP client: a bomb is stopped where the limit is, and not held in memory", async () => {
  const bomb = zlib.gzipSync(new Uint8Array(16 * MIB));
  await withEncoded("gzip", bomb, async (response) => {
    let size = 0;
    await fails(
      (async () => {
        for await (const piece of decodeContent(response, { maxSize: MIB })) size += piece.length;
      })(),
      "BODY_TOO_LARGE",
    );
    assert.ok(size <= MIB);
  });
});

test("HTTP client: an unknown coding is refused, and what breaks off is told as such", async () => {
  await withEncoded("rot13", bytes("uryyb"), async (response) => {
    await fails(contentOf(decodeContent(response)), "BAD_CONTENT_ENCODING");
  });
  await withEncoded("gzip, gzip, gzip", bytes("x"), async (response) => {
    await fails(contentOf(decodeContent(response)), "BAD_CONTENT_ENCODING");
  });
  const head = `${OK}Content-Encoding: gzip\r\nContent-Length: 1000\r\n\r\n`;
  const start = zlib.gzipSync(new Uint8Array(10)).subarray(0, 12);
  await withServer([(conn) => say(conn, head, start)], async (transport) => {
    const response = await requestHttp(transport, { url: URL_A });
    await fails(contentOf(decodeContent(response)), "PARTIAL");
  });
});

test("HTTP client: who leaves decoded content early does not wait for the server", async () => {
  const start = zlib.gzipSync(new Uint8Array(MIB)).subarray(0, 900);
  const head = `${OK}Content-Encoding: gzip\r\nContent-Length: 100000\r\n\r\n`;
  let conn: Conn | undefined;
  await withServer([async (accepted) => {
    conn = accepted;
    await conn.write(Buffer.concat([Buffer.from(head), start]));
  }], async (transport) => {
    const response = await requestHttp(transport, { url: URL_A });
    for await (const _ of decodeContent(response)) break;
    await until(() => conn !== undefined, "the server to accept");
    assert.equal(await conn!.read(new Uint8Array(1)), null);
    conn!.close();
  });
});
