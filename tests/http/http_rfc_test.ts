// What RFC 9112 demands of servers in messages, section by section. docs/http.md has the list of all demands.

import assert from "node:assert/strict";
import type { LightRequest } from "../../lib/http/server/light.ts";
import { bytes } from "../support/helpers.ts";
import { hear, hearOne, serveOn } from "../support/http_helpers.ts";
import { answered, LAST, mirror, refused, talk } from "../support/http_responses.ts";
import { test } from "../support/runner.deno.ts";

const HOST = "Host: a\r\n";
const get = (fields: string) => `GET / HTTP/1.1\r\n${HOST}${fields}\r\n`;
const post = (fields: string, body = "") => `POST / HTTP/1.1\r\n${HOST}${fields}\r\n${body}`;

test("RFC 9112 2.2: an empty line before a request is ignored, the first or a later one", async () => {
  await answered(`\r\n${get("")}`, "GET / a ");
  await answered(`${post("Content-Length: 2\r\n", "ab")}\r\n`, "POST / a ab");
});

test("RFC 9112 2.2: lines end with CRLF, and a bare CR or LF is refused", async () => {
  await refused(
    400,
    `GET / HTTP/1.1\n${HOST}\r\n`,
    `GET / HTTP/1.1\r\nHost: a\n\r\n`,
    `GET / HTTP/1.1\r\n${HOST}\n`,
    get("X: a\rb\r\n"),
    get("X: a\r\r\n"),
    `GET /\rb HTTP/1.1\r\n${HOST}\r\n`,
  );
});

test("RFC 9112 2.2: white space between request line and fields is refused", async () => {
  await refused(400, `GET / HTTP/1.1\r\n ${HOST}\r\n`, `GET / HTTP/1.1\r\n\t\r\n${HOST}\r\n`);
  await refused(400, `GET / HTTP/1.1\r\n \r\n${HOST}\r\n`);
});

test("RFC 9112 2.2: what is not HTTP is 400, and the connection closed", async () => {
  await refused(
    400,
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "SSH-2.0-OpenSSH_9.2\r\n",
    "\0\0\0\0\r\n",
    "\r\n\r\n\r\n",
  );
});

test("RFC 9112 2.3: the version is case-sensitive, of one digit each, and 1.x", async () => {
  await refused(400, `GET / http/1.1\r\n${HOST}\r\n`, `GET / HTTP/1.10\r\n${HOST}\r\n`);
  await refused(400, `GET / HTTP/01.1\r\n${HOST}\r\n`, `GET / HTTP/1.1x\r\n${HOST}\r\n`);
  await refused(
    505,
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    `GET / HTTP/0.9\r\n${HOST}\r\n`,
    "GET /\r\n",
  );
  await answered(`GET / HTTP/1.2\r\n${HOST}\r\n`, "GET / a ");
});

test("RFC 9112 3: one space each, and nothing else, between the parts of a request line", async () => {
  await refused(
    400,
    `GET  / HTTP/1.1\r\n${HOST}\r\n`,
    `GET /  HTTP/1.1\r\n${HOST}\r\n`,
    `GET\t/\tHTTP/1.1\r\n${HOST}\r\n`,
    `GET\x0b/ HTTP/1.1\r\n${HOST}\r\n`,
    ` GET / HTTP/1.1\r\n${HOST}\r\n`,
    `GET / HTTP/1.1 \r\n${HOST}\r\n`,
    `GET /a b HTTP/1.1\r\n${HOST}\r\n`,
    `GET\r\n${HOST}\r\n`,
  );
});

test("RFC 9112 3: request lines of 8,000 bytes are taken, those beyond the limit are 414", async () => {
  const target = `/${"x".repeat(8000)}`;
  await answered(`GET ${target} HTTP/1.1\r\n${HOST}\r\n`, `GET ${target} a `);
  await refused(414, `GET /${"x".repeat(9000)} HTTP/1.1\r\n${HOST}\r\n`, "x".repeat(8193));
});

test("RFC 9112 3.1: methods are tokens, case-sensitive, and unknown ones the handler's", async () => {
  for (const method of ["get", "BREW", "a!#$%&'*+-.^_`|~1"]) {
    await answered(`${method} / HTTP/1.1\r\n${HOST}\r\n`, `${method} / a `);
  }
  await refused(400, `G{T / HTTP/1.1\r\n${HOST}\r\n`, `G\xe4T / HTTP/1.1\r\n${HOST}\r\n`);
});

test("RFC 9112 3.2: no Host, two, or one that is none is 400, whatever the target", async () => {
  for (const target of ["/", "http://b/"]) {
    const fields = ["", HOST + HOST, `${HOST}host: b\r\n`, "Host: a,b\r\nHost: a\r\n"];
    const values = ["a b", "a/b", "u@a", "a:b", "[::1", "a%", "a\x80", "http://a"];
    fields.push(...values.map((value) => `Host: ${value}\r\n`));
    await refused(400, ...fields.map((field) => `GET ${target} HTTP/1.1\r\n${field}\r\n`));
  }
  // HTTP/1.0 may leave it out, but not have two.
  await refused(400, `GET / HTTP/1.0\r\n${HOST}${HOST}\r\n`);
});

test("RFC 9112 3.2.1: an origin-form reaches the handler as it came", async () => {
  for (const target of ["/", "/a/../b?c=%2F&d", "//a", "/?", "/a?b?c", "/*"]) {
    await answered(`GET ${target} HTTP/1.1\r\n${HOST}\r\n`, `GET ${target} a `);
  }
});

test("RFC 9112 3.2.2: an absolute-form is taken, and its host outranks Host", async () => {
  for (const target of ["http://b:81/x?y", "HTTPS://b:81", "http://b:81?x"]) {
    await answered(`GET ${target} HTTP/1.1\r\n${HOST}\r\n`, `GET ${target} b:81 `);
  }
  await refused(400, `GET ftp://b/ HTTP/1.1\r\n${HOST}\r\n`, `GET http:/b HTTP/1.1\r\n${HOST}\r\n`);
});

test("RFC 9112 3.2.3: the authority-form is for CONNECT, and CONNECT has no other", async () => {
  await refused(400, `GET b:80 HTTP/1.1\r\n${HOST}\r\n`, `CONNECT / HTTP/1.1\r\n${HOST}\r\n`);
});

test("RFC 9112 3.2.4: OPTIONS has the asterisk", async () => {
  await answered(`OPTIONS * HTTP/1.1\r\n${HOST}\r\n`, "OPTIONS * a ");
});

test("RFC 9112 4: the space behind the status is there without a reason, too", async () => {
  await using server = await serveOn(() => ({ status: 299 }));
  assert.match(await server.talk(get("")), /^HTTP\/1\.1 299 \r\n/);
});

test("RFC 9112 5.1: white space between a name and its colon is 400", async () => {
  await refused(400, get("X : y\r\n"), get("X\t: y\r\n"), get("Content-Length : 5\r\n"));
});

test("RFC 9112 5.2: a folded line is 400, in fields that matter and in those that do not", async () => {
  await refused(400, get("X: y\r\n z\r\n"), get("X: y\r\n\t\r\n"));
  await refused(400, get("Transfer-Encoding:\r\n chunked\r\n"), get("Connection:\r\n close\r\n"));
});

test("RFC 9112 6: every method may have a body, and it is never the next request", async () => {
  for (const method of ["GET", "DELETE", "OPTIONS", "BREW", "TRACE"]) {
    const start = `${method} / HTTP/1.1\r\n${HOST}`;
    await answered(
      `${start}Content-Length: ${LAST.length}\r\n\r\n${LAST}`,
      `${method} / a ${LAST}`,
    );
    const chunk = `${LAST.length.toString(16)}\r\n${LAST}\r\n0\r\n\r\n`;
    await answered(`${start}Transfer-Encoding: chunked\r\n\r\n${chunk}`, `${method} / a ${LAST}`);
  }
});

test("RFC 9112 6.1: codings that are not known are 501", async () => {
  for (const coding of ["gzip, chunked", "x, chunked", "identity, chunked", 'a;b="c", chunked']) {
    await refused(501, post(`Transfer-Encoding: ${coding}\r\n`, "0\r\n\r\n"));
  }
  await refused(501, post("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"));
});

test("RFC 9112 6.1: Transfer-Encoding with Content-Length, or in HTTP/1.0, is refused", async () => {
  for (const length of ["0", "5", "x"]) {
    const both = [`Content-Length: ${length}\r\n`, "Transfer-Encoding: chunked\r\n"];
    await refused(
      400,
      post(both.join(""), "0\r\n\r\n"),
      post(both.reverse().join(""), "0\r\n\r\n"),
    );
  }
  const keep = "Connection: keep-alive\r\n";
  await refused(400, `POST / HTTP/1.0\r\n${keep}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`);
});

const stream = async function* () {
  yield bytes("one");
  yield bytes("two");
};

test("RFC 9112 6.1: Transfer-Encoding goes with content only, and only to HTTP/1.1", async () => {
  for (const status of [204, 304]) {
    const [response] = await talk(get(""), () => ({ status, body: stream() }));
    assert.deepEqual([...response.headers.keys()], ["date"]);
  }
  const [old] = await talk("GET / HTTP/1.0\r\n\r\n", () => ({ status: 200, body: stream() }));
  assert.deepEqual([old.headers.get("transfer-encoding"), old.body], [undefined, "onetwo"]);
});

test("RFC 9112 6.2: a response has a length or chunks, and never both", async () => {
  // responsesOf() refuses both.
  const [chunked] = await talk(get(""), () => ({ status: 200, body: stream() }));
  assert.deepEqual([chunked.headers.get("transfer-encoding"), chunked.body], ["chunked", "onetwo"]);
  const [sized] = await talk(get(""), () => ({ status: 200, body: stream(), length: 6 }));
  assert.deepEqual([sized.headers.get("content-length"), sized.body], ["6", "onetwo"]);
});

test("RFC 9112 6.3: a request whose final coding is not chunked is 400", async () => {
  for (
    const coding of ["", "gzip", "chunked, gzip", "chunked, identity", "chunkedx", '"chunked"']
  ) {
    await refused(400, post(`Transfer-Encoding: ${coding}\r\n`));
  }
  for (const blank of ["\x0b", "\x0c", "\xa0", "\x85", "\0"]) {
    await refused(400, post(`Transfer-Encoding: ${blank}chunked\r\n`, "0\r\n\r\n"));
    await refused(400, post(`Transfer-Encoding: chunked${blank}\r\n`, "0\r\n\r\n"));
  }
});

test("RFC 9112 6.3: a Content-Length that is not one number is 400", async () => {
  const values = [
    "",
    "-1",
    "+1",
    "1 1",
    "1,2",
    "0x1",
    "1.0",
    "1e1",
    "\xb2",
    "\xa01",
    "9".repeat(40),
  ];
  await refused(400, ...values.map((value) => post(`Content-Length: ${value}\r\n`)));
  await refused(400, post("Content-Length: 1\r\nContent-Length: 01\r\n"));
});

test("RFC 9112 6.3: the same Content-Length again is one, and none is no body", async () => {
  const twice = "Content-Length: 2\r\n".repeat(2);
  await answered(post(twice, "ab") + post(""), "POST / a ab", "POST / a ");
});

test("RFC 9112 6.3: a body that the client does not finish is not a request", async () => {
  const bodies = [
    post("Content-Length: 5\r\n", "hell"),
    post("Transfer-Encoding: chunked\r\n", "5\r\nhell"),
    post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n"),
  ];
  for (const text of bodies) {
    let seen: unknown;
    const responses = await talk(text, async (request) => {
      while (await request.body!.read().catch((error) => Promise.reject(seen = error)) !== null);
      return { status: 200 };
    });
    assert.deepEqual(responses, []);
    assert.equal((seen as { code: string }).code, "BODY_INCOMPLETE");
  }
});

const chunked = (body: string) => post("Transfer-Encoding: chunked\r\n", body);

test("RFC 9112 7.1: chunks of any sizes are decoded, and a size too large is 400", async () => {
  await answered(chunked("1\r\na\r\n00002\r\nbc\r\n0\r\n\r\n"), "POST / a abc");
  await answered(
    chunked("A\r\n\r\n\r\n\0\0\0\0\r\n\r\n000\r\n\r\n"),
    "POST / a \r\n\r\n\0\0\0\0\r\n",
  );
  for (
    const size of ["f".repeat(13), "1".repeat(17), "f".repeat(64), "-1", "0x1", "", " 1", "1 "]
  ) {
    await refused(400, chunked(`${size}\r\na\r\n0\r\n\r\n`));
  }
  await refused(400, chunked("1\r\nab\r\n0\r\n\r\n"), chunked("1\na\r\n0\r\n\r\n"));
  await refused(400, chunked("1\r\na\n0\r\n\r\n"), chunked("0\r\n\n"));
});

test("RFC 9112 7.1: a last chunk that comes alone ends the body, with the next request behind it", async () => {
  for (const behind of ["", LAST]) {
    await using server = await serveOn(mirror);
    using conn = await server.connect();
    await conn.write(bytes(chunked("5\r\nhello\r\n")));
    await server.clock.advance(1000);
    await conn.write(bytes("0\r\n\r\n" + behind));
    assert.match(await hearOne(conn), /hello$/);
    if (behind === "") await conn.write(bytes(LAST));
    assert.match((await hear(conn)).text, /GET \/last a $/);
  }
});

test("RFC 9112 7.1.1: extensions are ignored, and limited", async () => {
  await answered(chunked('1;a;b=c;d="e\\";\t"\r\na\r\n0;f\r\n\r\n'), "POST / a a");
  await refused(400, chunked(`1;${"a".repeat(300)}\r\na\r\n0\r\n\r\n`), chunked("1;\n\r\na\r\n"));
});

test("RFC 9112 7.1.2: trailer fields are no header fields, and limited", async () => {
  let request: LightRequest | undefined;
  const body = "0\r\nHost: b\r\nContent-Length: 5\r\nX: y\r\n\r\n";
  const responses = await talk(chunked(body) + LAST, async (light) => {
    request ??= light;
    return await mirror(light);
  });
  assert.deepEqual(responses.map(({ body }) => body), ["POST / a ", "GET /last a "]);
  assert.deepEqual(request?.headers, ["Host", "a", "Transfer-Encoding", "chunked"]);
  await refused(431, chunked(`0\r\n${"X: y\r\n".repeat(2000)}\r\n`));
  await refused(400, chunked("0\r\nX : y\r\n\r\n"), chunked("0\r\nX: y\r\n z\r\n\r\n"));
});

test("RFC 9112 7.4: TE is not needed, and not minded", async () => {
  await answered(get("TE: trailers, gzip;q=0.5\r\nConnection: TE\r\n"), "GET / a ");
});

test("RFC 9112 11.1: no handler can split a response", async () => {
  for (const value of ["a\r\nX: y", "a\rb", "a\nb", "a\0b"]) {
    const [response] = await talk(get(""), () => ({ status: 200, headers: ["X-Name", value] }));
    assert.deepEqual([response.status, response.headers.has("x-name")], [500, false]);
  }
});
