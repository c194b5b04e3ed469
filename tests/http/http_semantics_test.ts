// What RFC 9110 demands of servers in the parts that the engine speaks, section by section.

import assert from "node:assert/strict";
import type { LightRequest, LightResponse } from "../../lib/http/server/light.ts";
import { bytes } from "../support/helpers.ts";
import { assertDate, hear, hearOne, hello, serveOn } from "../support/http_helpers.ts";
import {
  answered,
  converse,
  LAST,
  mirror,
  refused,
  responsesOf,
  talk,
} from "../support/http_responses.ts";
import { test } from "../support/runner.deno.ts";

const HOST = "Host: a\r\n";
const get = (fields: string) => `GET / HTTP/1.1\r\n${HOST}${fields}\r\n`;
const post = (fields: string, body = "") => `POST / HTTP/1.1\r\n${HOST}${fields}\r\n${body}`;

/** The request that a handler gets. */
async function received(text: string): Promise<LightRequest> {
  let request: LightRequest | undefined;
  await talk(text, (light) => {
    request = light;
    return { status: 200 };
  });
  return request!;
}

test("RFC 9110 2.5: responses are of HTTP/1.1, whatever the version of the request", async () => {
  for (const version of ["1.0", "1.1", "1.7"]) {
    // responsesOf() takes HTTP/1.1 only.
    assert.equal((await talk(`GET / HTTP/${version}\r\n${HOST}\r\n`, hello)).length, 1);
  }
});

test("RFC 9110 4.2.1: a URI of HTTP without a host is refused", async () => {
  for (const target of ["http://", "http:///", "http://:80/", "http://?x", "http://u@/"]) {
    await refused(400, `GET ${target} HTTP/1.1\r\n${HOST}\r\n`);
  }
});

test("RFC 9110 5.1: names are case-insensitive, and unknown ones reach the handler", async () => {
  await answered(post("cOnTeNt-LeNgTh: 2\r\n", "ab"), "POST / a ab");
  const request = await received(get("x-OWN: 1\r\n"));
  assert.deepEqual(request.headers, ["Host", "a", "x-OWN", "1"]);
  assert.deepEqual(["X-Own", "x-own", "X-OWN"].map((name) => request.header(name)), [
    "1",
    "1",
    "1",
  ]);
});

test("RFC 9110 5.3: lines of one name are in their order, and joined by a comma", async () => {
  const request = await received(get("X: 1\r\nY: 2\r\nx: 3,4\r\n"));
  assert.deepEqual(request.headers.slice(2), ["X", "1", "Y", "2", "x", "3,4"]);
  assert.equal(request.header("X"), "1, 3,4");
});

test("RFC 9110 5.3: nothing is done before the whole head is there", async () => {
  let asked = 0;
  await using server = await serveOn(() => ({ status: 200, body: `${++asked}` }));
  using conn = await server.connect();
  await conn.write(bytes(get("").slice(0, -2)));
  await server.clock.advance(5000);
  assert.equal(asked, 0);
  await conn.write(bytes("\r\n"));
  await hearOne(conn);
  assert.equal(asked, 1);
});

test("RFC 9110 5.5: values are octets without controls, and without white space around", async () => {
  const request = await received(get("X: \t a\tb  c \t\r\nY:\r\nZ: \xe9\r\n".replace("\xe9", "é")));
  assert.deepEqual(request.headers.slice(2), ["X", "a\tb  c", "Y", "", "Z", "\xc3\xa9"]);
  for (let code = 0; code < 0x20; code++) {
    if (code !== 0x09) await refused(400, get(`X: a${String.fromCharCode(code)}b\r\n`));
  }
  await refused(400, get("X: a\x7fb\r\n"));
});

test("RFC 9110 5.6.1: empty members of a list are ignored", async () => {
  const text = await converse([get("Connection: , ,\t, close,\r\n") + LAST]);
  assert.equal(responsesOf(text).length, 1);
});

test("RFC 9110 6.4.1: no content behind HEAD, 204 and 304, so that the next response is whole", async () => {
  const handler = ({ target }: LightRequest) => ({
    status: Number(target.slice(1)),
    body: "hello",
  });
  const requests: [string, number][] = [["HEAD", 200], ["HEAD", 404], ["GET", 204], ["GET", 304]];
  const text = requests.map(([method, status]) => `${method} /${status} HTTP/1.1\r\n${HOST}\r\n`);
  const methods = requests.map(([method]) => method);
  const responses = await talk(
    `${text.join("")}GET /200 HTTP/1.1\r\n${HOST}\r\n`,
    handler,
    ...methods,
  );
  assert.deepEqual(responses.map(({ status, body }) => [status, body]), [
    [200, ""],
    [404, ""],
    [204, ""],
    [304, ""],
    [200, "hello"],
  ]);
});

test("RFC 9110 6.6.1: every final response has one Date, in the preferred format", async () => {
  const since = Date.now();
  const statuses = [200, 204, 205, 301, 304, 404, 500];
  const handler = ({ target }: LightRequest) => ({ status: Number(target.slice(1)) });
  const text = statuses.map((status) => `GET /${status} HTTP/1.1\r\n${HOST}\r\n`).join("");
  const responses = await talk(text + "NONSENSE\r\n\r\n", handler);
  assert.deepEqual(responses.map(({ status }) => status), [...statuses, 400]);
  for (const { headers } of responses) {
    const date = headers.get("date")!;
    assert.match(
      date,
      /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/,
    );
    assertDate(date, since);
  }
});

test("RFC 9110 7.6.1: unknown options of Connection are not minded, and none are sent", async () => {
  const [response] = await talk(get("Connection: X-Hop, keep-alive\r\nX-Hop: 1\r\n"), hello);
  assert.equal(response.headers.has("connection"), false);
});

test("RFC 9110 7.8: Upgrade is ignored unless the handler takes the connection over", async () => {
  for (
    const fields of [
      "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n",
      "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
    ]
  ) await answered(get(fields), "GET / a ");
});

test("RFC 9110 8.6: to HEAD the length is that of GET", async () => {
  const bodies: LightResponse["body"][] = ["é", new Uint8Array(70_000), ""];
  for (const body of bodies) {
    const handler = () => ({ status: 200, body });
    const [head] = await talk(`HEAD / HTTP/1.1\r\n${HOST}\r\n`, handler, "HEAD");
    const [whole] = await talk(get(""), handler);
    assert.equal(head.headers.get("content-length"), whole.headers.get("content-length"));
  }
});

test("RFC 9110 8.6: large lengths do not overflow", async () => {
  await refused(
    413,
    post("Content-Length: 4294967297\r\n"),
    post("Content-Length: 999999999999999\r\n"),
  );
  await refused(400, post("Content-Length: 18446744073709551617\r\n"));
  await answered(post("Content-Length: 000000000000002\r\n", "ab"), "POST / a ab");
});

test("RFC 9110 9.3.2: HEAD is the handler's like GET, and is never answered with content", async () => {
  const stream = async function* () {
    yield bytes("hello");
  };
  for (const body of ["hello", bytes("hello"), stream()]) {
    const handler = ({ method }: LightRequest) => ({ status: 200, headers: ["X", method], body });
    const responses = await talk(`HEAD / HTTP/1.1\r\n${HOST}\r\n` + get(""), handler, "HEAD");
    assert.deepEqual(responses.map(({ headers }) => headers.get("x")), ["HEAD", "GET"]);
    assert.equal(responses[0].body, "");
  }
});

test("RFC 9110 9.3.6: CONNECT is refused, and what would go into the tunnel is no request", async () => {
  await refused(501, `CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n`);
  await refused(400, `CONNECT a HTTP/1.1\r\n${HOST}\r\n`, `CONNECT a:0 HTTP/1.1\r\n${HOST}\r\n`);
});

test("RFC 9110 9.3.7 and 9.3.8: OPTIONS and TRACE are the handler's", async () => {
  await answered(`OPTIONS * HTTP/1.1\r\n${HOST}\r\n`, "OPTIONS * a ");
  await answered(`TRACE /x HTTP/1.1\r\n${HOST}\r\n`, "TRACE /x a ");
});

const EXPECT = "Expect: 100-continue\r\n";
const statuses = (text: string) => responsesOf(text).map(({ status }) => status);

test("RFC 9110 10.1.1: 100 is sent before the content comes, and then the final status", async () => {
  for (const framing of ["Content-Length: 2\r\n", "Transfer-Encoding: chunked\r\n"]) {
    await using server = await serveOn(mirror);
    using conn = await server.connect();
    await conn.write(bytes(post(EXPECT.replace("100-c", "100-C") + framing)));
    assert.equal(await hearOne(conn), "HTTP/1.1 100 Continue\r\n\r\n");
    await conn.write(bytes((framing.startsWith("C") ? "ab" : "2\r\nab\r\n0\r\n\r\n") + LAST));
    assert.deepEqual(statuses((await hear(conn)).text), [200, 200]);
  }
});

test("RFC 9110 10.1.1: no 100 without content, and none to HTTP/1.0", async () => {
  assert.deepEqual(statuses(await converse([get(EXPECT) + LAST])), [200, 200]);
  assert.deepEqual(statuses(await converse([post(`${EXPECT}Content-Length: 0\r\n`) + LAST])), [
    200,
    200,
  ]);
  const old = `POST / HTTP/1.0\r\n${EXPECT}Content-Length: 2\r\n\r\nab`;
  assert.deepEqual(statuses(await converse([old])), [200]);
});

test("RFC 9110 10.1.1: a final status without 100 says that the connection ends", async () => {
  await using server = await serveOn(() => ({ status: 403 }));
  using conn = await server.connect();
  await conn.write(bytes(post(`${EXPECT}Content-Length: 9\r\n`)));
  const [response, ...more] = responsesOf((await hear(conn)).text);
  assert.deepEqual([response.status, response.headers.get("connection"), more], [403, "close", []]);
});

test("RFC 9110 10.1.1: other expectations are 417, and HTTP/1.0 has none", async () => {
  await refused(
    417,
    get("Expect: x\r\n"),
    get("Expect: 100-continue, x\r\n"),
    get("Expect: 100\r\n"),
  );
  await using server = await serveOn(mirror);
  assert.deepEqual(statuses(await server.talk("GET / HTTP/1.0\r\nExpect: x\r\n\r\n")), [200]);
});

test("RFC 9110 15: statuses that no server sends are a mistake of the handler's", async () => {
  for (const status of [0, 99, 100, 101, 199, 600, 200.5, NaN]) {
    const [response] = await talk(get(""), () => ({ status }));
    assert.equal(response.status, 500);
  }
});

test("RFC 9110 15.3.6: 205 has no content, and a length of 0", async () => {
  const stream = async function* () {
    yield bytes("not sent");
  };
  for (const body of ["not sent", stream()]) {
    const [response, next] = await talk(get("") + get(""), () => ({ status: 205, body }));
    assert.deepEqual([response.headers.get("content-length"), next.status], ["0", 205]);
  }
});
