import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Framing } from "../../lib/http/message/request_framing.ts";
import { HEAD_LIMITS, HeadParser, type RequestHead } from "../../lib/http/message/request_head.ts";
import { splits } from "../support/http_helpers.ts";
import { type HeadVerdict, judgeHead } from "./http_verdicts.ts";
import { test } from "../support/runner.deno.ts";

/** The verdict on a message, which must be the same however it is split. */
function verdictOn(message: string): HeadVerdict | "more" {
  const whole = Buffer.from(message, "latin1");
  const [first, ...others] = splits(whole).map((pieces) => judgeHead(pieces));
  for (const other of others) assert.deepEqual(other, first);
  return first;
}

function accepts(message: string): { head: RequestHead; framing: Framing; length: number } {
  const verdict = verdictOn(message);
  assert.ok(verdict !== "more" && verdict.head && verdict.framing, `${JSON.stringify(verdict)}`);
  return { head: verdict.head, framing: verdict.framing, length: verdict.length! };
}

function refuses(status: number, ...messages: string[]): void {
  for (const message of messages) {
    const verdict = verdictOn(message);
    assert.equal(verdict !== "more" && verdict.status, status, JSON.stringify(message));
  }
}

const HOST = "Host: a\r\n";

test("RFC 9112 3: a request line and its fields", () => {
  const message = "GET /a?b=c HTTP/1.1\r\nHost: a:80\r\nX-Empty:\r\nX-Both: \t x  y \t\r\n\r\n";
  const { head, framing, length } = accepts(message + "GET /next");
  assert.deepEqual(head, {
    method: "GET",
    target: "/a?b=c",
    minor: 1,
    headers: ["Host", "a:80", "X-Empty", "", "X-Both", "x  y"],
  });
  assert.deepEqual(framing, {
    host: "a:80",
    bodyLength: 0,
    keepAlive: true,
    expectsContinue: false,
  });
  assert.equal(length, message.length);
});

test("RFC 9112 2.2: one empty line before the request line is forgiven, two are not", () => {
  assert.equal(accepts(`\r\nGET / HTTP/1.1\r\n${HOST}\r\n`).head.method, "GET");
  refuses(400, `\r\n\r\nGET / HTTP/1.1\r\n${HOST}\r\n`);
});

test("RFC 9112 2.2: bare CR and bare LF end nothing", () => {
  refuses(
    400,
    `GET / HTTP/1.1\n${HOST}\r\n`,
    `GET / HTTP/1.1\r\nHost: a\n\r\n`,
    `GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: a\r\n\rX: y\r\n\r\n`,
    `GET / HTTP/1.1\r\n${HOST}\n`,
    `GET /\r HTTP/1.1\r\n${HOST}\r\n`,
    "\nGET / HTTP/1.1\r\n",
  );
});

test("RFC 9112 2.2: a head that has not ended needs more", () => {
  for (
    const message of [
      "",
      "G",
      "GET / HTTP/1.1",
      "GET / HTTP/1.1\r\n",
      `GET / HTTP/1.1\r\n${HOST}\r`,
    ]
  ) {
    assert.equal(verdictOn(message), "more");
  }
});

test("RFC 9112 2.3: versions", () => {
  assert.equal(accepts(`GET / HTTP/1.0\r\n\r\n`).head.minor, 0);
  assert.equal(accepts(`GET / HTTP/1.9\r\n${HOST}\r\n`).head.minor, 1);
  refuses(505, `GET / HTTP/2.0\r\n${HOST}\r\n`, "GET /\r\n\r\n", `GET / ICE/1.0\r\n${HOST}\r\n`);
  refuses(
    400,
    `GET / http/1.1\r\n${HOST}\r\n`,
    `GET / HTTP/1.1 \r\n${HOST}\r\n`,
    `GET / HTTP/11\r\n\r\n`,
  );
});

test("RFC 9112 3: what is not a request line", () => {
  refuses(
    400,
    `GET  / HTTP/1.1\r\n${HOST}\r\n`,
    ` GET / HTTP/1.1\r\n${HOST}\r\n`,
    `GET\t/ HTTP/1.1\r\n${HOST}\r\n`,
    `G(T / HTTP/1.1\r\n${HOST}\r\n`,
    `GET / x HTTP/1.1\r\n${HOST}\r\n`,
    // There is no target.
    `GET HTTP/1.1\r\n${HOST}\r\n`,
    `OPTIONS HTTP/1.0\r\n${HOST}\r\n`,
    `GET  HTTP/1.1\r\n${HOST}\r\n`,
    `GET /\x80 HTTP/1.1\r\n${HOST}\r\n`,
    `GET /\0 HTTP/1.1\r\n${HOST}\r\n`,
    "\x16\x03\x01\x02\0\r\n",
  );
});

test("RFC 9112 3.2: the four forms of a target", () => {
  const host = (target: string, method = "GET") =>
    accepts(`${method} ${target} HTTP/1.1\r\n${HOST}\r\n`).framing.host;
  assert.equal(host("/x"), "a");
  assert.equal(host("http://b:81/x"), "b:81");
  assert.equal(host("HTTP://b?x"), "b");
  assert.equal(host("http://user:word@b:81/x@y"), "b:81");
  assert.equal(host("*", "OPTIONS"), "a");
  for (const method of ["GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "PATCH"]) {
    refuses(400, `${method} * HTTP/1.1\r\n${HOST}\r\n`);
  }
  refuses(501, `M-SEARCH * HTTP/1.1\r\n${HOST}\r\n`, `NOTIFY * HTTP/1.1\r\n${HOST}\r\n`);
  refuses(
    400,
    `GET x HTTP/1.1\r\n${HOST}\r\n`,
    `GET http:// HTTP/1.1\r\n${HOST}\r\n`,
    `GET ftp://b/ HTTP/1.1\r\n${HOST}\r\n`,
    `GET http://b@/ HTTP/1.1\r\n${HOST}\r\n`,
    `GET http://a@b@c/ HTTP/1.1\r\n${HOST}\r\n`,
    `GET http://:80/ HTTP/1.1\r\n${HOST}\r\n`,
    `GET http://[:]/ HTTP/1.1\r\n${HOST}\r\n`,
    `GET b:80 HTTP/1.1\r\n${HOST}\r\n`,
  );
});

test("RFC 9112 3.2.3: CONNECT names a host and a port, and is then not implemented", () => {
  refuses(501, ...["b:443", "127.0.0.1:1", "[::1]:65535"].map(connect));
  const wrong = ["b", "b:", ":443", "b:0", "b:65536", "/", "*", "http://b:443/", "u@b:443"];
  refuses(400, ...wrong.map(connect));

  function connect(target: string): string {
    return `CONNECT ${target} HTTP/1.1\r\n${HOST}\r\n`;
  }
});

test("RFC 9112 3.2: one Host, and one that is one", () => {
  refuses(
    400,
    "GET / HTTP/1.1\r\n\r\n",
    `GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`,
    "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a%2\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: [1:2]\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: [zz]:80\r\n\r\n",
    "GET http://b/ HTTP/1.1\r\n\r\n",
  );
  for (
    const host of [
      "",
      "a.example:8080",
      "[::1]:80",
      "[::ffff:127.0.0.1]",
      "%61",
      "127.0.0.1",
      "xn--bcher-kva.example",
      "a:",
    ]
  ) {
    assert.equal(accepts(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`).framing.host, host);
  }
});

test("RFC 9112 5.1: no white space before the colon, and a name that is a token", () => {
  refuses(
    400,
    `GET / HTTP/1.1\r\n${HOST}X : y\r\n\r\n`,
    `GET / HTTP/1.1\r\n${HOST}X\t: y\r\n\r\n`,
    `GET / HTTP/1.1\r\n${HOST}: y\r\n\r\n`,
    `GET / HTTP/1.1\r\n${HOST}X\r\n\r\n`,
    `GET / HTTP/1.1\r\n${HOST}X@: y\r\n\r\n`,
    `GET / HTTP/1.1\r\n${HOST}\xe4: y\r\n\r\n`,
  );
});

test("RFC 9112 5.2: obs-fold is refused", () => {
  refuses(
    400,
    `GET / HTTP/1.1\r\n${HOST}X: y\r\n z\r\n\r\n`,
    `GET / HTTP/1.1\r\n${HOST}X: y\r\n\tz\r\n\r\n`,
    `GET / HTTP/1.1\r\n ${HOST}\r\n`,
  );
});

test("RFC 9110 5.5: a value has no control characters, but may have obs-text", () => {
  for (const code of [0x00, 0x01, 0x0b, 0x0c, 0x1b, 0x7f]) {
    refuses(400, `GET / HTTP/1.1\r\n${HOST}X: a${String.fromCharCode(code)}b\r\n\r\n`);
  }
  const { headers } = accepts(`GET / HTTP/1.1\r\n${HOST}X: D\xfcsseldorf\ta\r\n\r\n`).head;
  assert.equal(headers[3], "D\xfcsseldorf\ta");
});

test("RFC 9112 6.3: the length of the body", () => {
  const length = (fields: string) =>
    accepts(`POST / HTTP/1.1\r\n${HOST}${fields}\r\n`).framing.bodyLength;
  assert.equal(length(""), 0);
  assert.equal(length("Content-Length: 0\r\n"), 0);
  assert.equal(length("content-length: 003\r\n"), 3);
  assert.equal(length("Content-Length: 5\r\nContent-Length: 5\r\n"), 5);
  assert.equal(length("Transfer-Encoding: chunked\r\n"), -1);
  assert.equal(length("TRANSFER-ENCODING: Chunked\r\n"), -1);
  for (
    const value of ["", "-1", "+1", "1 2", "1,1", "0x1", "1.0", "1e3", "9".repeat(16), "\u00b2"]
  ) {
    refuses(400, `POST / HTTP/1.1\r\n${HOST}Content-Length: ${value}\r\n\r\n`);
  }
  refuses(400, `POST / HTTP/1.1\r\n${HOST}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`);
});

test("RFC 9112 6.1: only a final chunked, never beside Content-Length, never in HTTP/1.0", () => {
  for (
    const fields of [
      "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
      "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
      "Transfer-Encoding:\r\n",
      "Transfer-Encoding: identity\r\n",
      "Transfer-Encoding: chunked, gzip\r\n",
      "Transfer-Encoding: chunked, chunked\r\n",
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
      "Transfer-Encoding: xchunked\r\n",
      "Transfer-Encoding: \xa0chunked\r\n",
      "Transfer-Encoding: chunked\xa0\r\n",
      "Transfer-Encoding: chunked;q=1\r\n",
    ]
  ) refuses(400, `POST / HTTP/1.1\r\n${HOST}${fields}\r\n`);
  refuses(400, `POST / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`);
  refuses(501, `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip, chunked\r\n\r\n`);
});

test("RFC 9112 9.3: who keeps the connection", () => {
  const kept = (version: string, fields: string) =>
    accepts(`GET / HTTP/${version}\r\n${HOST}${fields}\r\n`).framing.keepAlive;
  assert.equal(kept("1.1", ""), true);
  assert.equal(kept("1.1", "Connection: close\r\n"), false);
  assert.equal(kept("1.1", "Connection: x, CLOSE ,y\r\n"), false);
  assert.equal(kept("1.1", "Connection: x\r\nConnection: close\r\n"), false);
  assert.equal(kept("1.1", "Connection: closed\r\n"), true);
  assert.equal(kept("1.1", "Connection: close\xa0\r\n"), true);
  assert.equal(kept("1.1", "Connection: ,\t, close,\r\n"), false);
  assert.equal(kept("1.0", ""), false);
  assert.equal(kept("1.0", "Connection: Keep-Alive\r\n"), true);
  assert.equal(kept("1.0", "Connection: keep-alive, close\r\n"), false);
});

test("RFC 9110 10.1.1: the one expectation is 100-continue", () => {
  const expects = (version: string, value: string) =>
    accepts(`POST / HTTP/${version}\r\n${HOST}Expect: ${value}\r\n\r\n`).framing.expectsContinue;
  assert.equal(expects("1.1", "100-Continue"), true);
  assert.equal(expects("1.0", "100-continue"), false);
  refuses(417, `POST / HTTP/1.1\r\n${HOST}Expect: miracles\r\n\r\n`);
});

test("limits: a request line of 8 KiB is taken, one byte more is 414, complete or not", () => {
  const line = (length: number) => `GET /${"x".repeat(length - 14)} HTTP/1.1`;
  accepts(`${line(HEAD_LIMITS.requestLine)}\r\n${HOST}\r\n`);
  refuses(414, `${line(HEAD_LIMITS.requestLine + 1)}\r\n${HOST}\r\n`, `GET /${"x".repeat(9000)}`);
  refuses(414, `${line(HEAD_LIMITS.requestLine + 1)}\n${HOST}\r\n`);
});

test("limits: 16 KiB of header fields are taken, one byte more is 431, complete or not", () => {
  const fields = (length: number) => `${HOST}X: ${"x".repeat(length - HOST.length - 5)}\r\n`;
  accepts(`GET / HTTP/1.1\r\n${fields(HEAD_LIMITS.headerBytes)}\r\n`);
  refuses(
    431,
    `GET / HTTP/1.1\r\n${fields(HEAD_LIMITS.headerBytes + 1)}\r\n`,
    `GET / HTTP/1.1\r\n${HOST}X: ${"x".repeat(20_000)}`,
  );
});

test("limits: 100 header fields are taken, 101 are 431", () => {
  accepts(`GET / HTTP/1.1\r\n${HOST}${"X: y\r\n".repeat(99)}\r\n`);
  refuses(431, `GET / HTTP/1.1\r\n${HOST}${"X: y\r\n".repeat(100)}\r\n`);
});

test("parser: one head after the other, from one buffer", () => {
  const parser = new HeadParser();
  const both = Buffer.from(`GET /1 HTTP/1.1\r\n${HOST}\r\nGET /2 HTTP/1.0\r\n\r\nrest`);
  const first = parser.parse(both, 0, both.length);
  assert.equal(parser.take().target, "/1");
  assert.equal(parser.started, false);
  const second = parser.parse(both, first, both.length);
  const { target, minor, headers } = parser.take();
  assert.deepEqual([target, minor, headers], ["/2", 0, []]);
  assert.equal(both.subarray(second).toString(), "rest");
  assert.equal(parser.parse(both, second, both.length), -1);
  assert.equal(parser.started, true);
});
