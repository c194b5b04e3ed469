// Which client a proxy speaks of: Forwarded (RFC 7239) and X-Forwarded-*, without sockets and with them.

import assert from "node:assert/strict";
import * as fc from "fast-check";
import { type TcpAddr, tcpAddr, unixAddr } from "../../lib/base/addr.ts";
import { formatAddr } from "../../lib/base/addr.ts";
import { HttpError } from "../../lib/http/message/errors.ts";
import { fromFetchHandler } from "../../lib/http/fetch/fetch_handler.ts";
import type { Exchange } from "../../lib/http/server/options.ts";
import { TrustedProxies } from "../../lib/http/server/trusted_proxies.ts";
import { websocket } from "../../lib/http/ws/server.ts";
import { AccessList } from "../../lib/serve/access_list.ts";
import { share } from "../support/cases.ts";
import { mistakes, until } from "../support/helpers.ts";
import { serveOn } from "../support/http_helpers.ts";
import { test } from "../support/runner.deno.ts";

const PROXIES = new TrustedProxies(["10.0.0.0/8", "fd00::/8", "unix"]);

const INNER = { remoteAddr: tcpAddr("10.0.0.1", 5), scheme: "http", host: "inner:81" } as const;

/** The outer end, as `address scheme://host`; the address alone where the rest is as inside. */
function outerOf(fields: readonly (readonly [string, string])[], inner = INNER): string {
  const { remoteAddr, scheme, host } = PROXIES.outerOf(fields.flat(), inner);
  const rest = `${scheme}://${host}`;
  return formatAddr(remoteAddr) + (rest === "http://inner:81" ? "" : ` ${rest}`);
}

const [FWD, FOR, PROTO, HOST] = [
  "Forwarded",
  "X-Forwarded-For",
  "X-Forwarded-Proto",
  "X-Forwarded-Host",
];

const CASES: readonly (readonly [what: string, fields: readonly [string, string][], string])[] = [
  ["no field", [], "10.0.0.1:5"],
  ["one address", [[FOR, "192.0.2.1"]], "192.0.2.1:0"],
  ["one with a port", [[FOR, "192.0.2.1:99"]], "192.0.2.1:99"],
  ["IPv6, as most write it", [[FOR, "2001:DB8::0:1"]], "[2001:db8::1]:0"],
  ["IPv6 in brackets", [[FOR, "[2001:db8::1]"]], "[2001:db8::1]:0"],
  ["IPv6 with a port", [[FOR, "[2001:db8::1]:8"]], "[2001:db8::1]:8"],
  ["IPv4 in IPv6 clothes", [[FOR, "::ffff:192.0.2.1"]], "192.0.2.1:0"],
  [
    "what the client has said is not looked at",
    [[FOR, "127.0.0.1, nonsense, 192.0.2.1"]],
    "192.0.2.1:0",
  ],
  ["nor where it is a line of its own", [[FOR, "127.0.0.1"], [FOR, "192.0.2.1"]], "192.0.2.1:0"],
  ["two proxies", [[FOR, "1.2.3.4, 192.0.2.1, 10.0.0.2"]], "192.0.2.1:0"],
  ["a client inside", [[FOR, "10.0.0.3, 10.0.0.2"]], "10.0.0.3:0"],
  ["empty members", [[FOR, " , 192.0.2.1 ,, "]], "192.0.2.1:0"],
  ["a hidden client", [[FOR, "1.2.3.4, unknown"]], "10.0.0.1:5"],
  ["a client hidden behind the second proxy", [[FOR, "unknown, 10.0.0.2"]], "10.0.0.2:0"],
  ["the names of fields in any case", [["x-FORWARDED-for", "192.0.2.1"]], "192.0.2.1:0"],
  [
    "scheme and host",
    [[FOR, "192.0.2.1"], [PROTO, "https"], [HOST, "a.example"]],
    "192.0.2.1:0 https://a.example",
  ],
  [
    "scheme and host alone",
    [[PROTO, "HTTPS"], [HOST, "a.example:8"]],
    "10.0.0.1:5 https://a.example:8",
  ],
  ["the scheme of a WebSocket", [[PROTO, "wss"]], "10.0.0.1:5 https://inner:81"],
  [
    "a scheme for each address",
    [[FOR, "192.0.2.1, 10.0.0.2"], [PROTO, "https, http"]],
    "192.0.2.1:0 https://inner:81",
  ],
  [
    "one scheme for all",
    [[FOR, "192.0.2.1, 10.0.0.2"], [PROTO, "https"]],
    "192.0.2.1:0 https://inner:81",
  ],
  ["more schemes than addresses", [[FOR, "192.0.2.1"], [PROTO, "https, http"]], "192.0.2.1:0"],
  [
    "Forwarded",
    [[FWD, "for=192.0.2.1;proto=https;by=10.0.0.1;host=a.example"]],
    "192.0.2.1:0 https://a.example",
  ],
  [
    "the examples of RFC 7239",
    [[FWD, 'For="[2001:db8:cafe::17]:4711"']],
    "[2001:db8:cafe::17]:4711",
  ],
  ["its quoted pairs", [[FWD, 'for="192.0.2.\\1"']], "192.0.2.1:0"],
  [
    "several elements",
    [[FWD, "for=1.2.3.4;proto=https, for=192.0.2.1,for=10.0.0.2"]],
    "192.0.2.1:0",
  ],
  [
    "several lines",
    [[FWD, "for=1.2.3.4"], [FWD, "for=192.0.2.1;proto=https"]],
    "192.0.2.1:0 https://inner:81",
  ],
  [
    "a broken line of the client before that",
    [[FWD, 'for="1'], [FWD, "for=192.0.2.1"]],
    "192.0.2.1:0",
  ],
  [
    "blanks, and empty parts",
    [[FWD, " , for=192.0.2.1 ;; Proto=https; ,"]],
    "192.0.2.1:0 https://inner:81",
  ],
  ["a parameter of others", [[FWD, "for=192.0.2.1;secret=_x"]], "192.0.2.1:0"],
  ["a client with a name of the proxy's own", [[FWD, "for=_hidden, for=10.0.0.2"]], "10.0.0.2:0"],
  ["a name for the port", [[FWD, 'for="192.0.2.1:_p"']], "192.0.2.1:0"],
  [
    "an element that does not say who",
    [[FWD, "for=192.0.2.1, proto=https"]],
    "10.0.0.1:5 https://inner:81",
  ],
  [
    "both, and they agree",
    [[FWD, "for=192.0.2.1;host=a"], [FOR, "192.0.2.1"], [HOST, "A"]],
    "192.0.2.1:0 http://a",
  ],
  [
    "both, and each says a part",
    [[FWD, "for=192.0.2.1"], [PROTO, "https"]],
    "192.0.2.1:0 https://inner:81",
  ],
];

for (const [what, fields, expected] of CASES) {
  test(`trusted proxies: ${what}`, () => assert.equal(outerOf(fields), expected));
}

const BROKEN: readonly (readonly [what: string, fields: readonly [string, string][]])[] = [
  ["no address", [[FOR, "client"]]],
  ["a zero in front", [[FOR, "192.0.2.01"]]],
  ["a zone", [[FOR, "fe80::1%eth0"]]],
  ["IPv4 in brackets", [[FOR, "[192.0.2.1]"]]],
  ["a port that is too large", [[FOR, "192.0.2.1:65536"]]],
  ["a broken address behind a proxy", [[FOR, "x, 10.0.0.2"]]],
  ["IPv6 without quotes", [[FWD, "for=[2001:db8::1]"]]],
  ["a quote that does not end", [[FWD, 'for="192.0.2.1']]],
  ["a quote that takes the next element in", [[FWD, 'for="1.2.3.4, for=192.0.2.1']]],
  ["blanks around the equals sign", [[FWD, "for = 192.0.2.1"]]],
  ["no comma between two", [[FWD, "for=192.0.2.1 for=10.0.0.2"]]],
  ["one parameter twice", [[FWD, "for=192.0.2.1;For=10.0.0.2"]]],
  ["a scheme that is not of HTTP", [[PROTO, "ftp"]]],
  ["a host that is not valid", [[HOST, "a.example/path"]]],
  ["a host with a user", [[FWD, 'for=192.0.2.1;host="u@a"']]],
  ["two fields with two clients", [[FWD, "for=127.0.0.1"], [FOR, "192.0.2.1"]]],
  ["two fields with two schemes", [[FWD, "for=192.0.2.1;proto=https"], [PROTO, "http"]]],
  ["two fields with two hosts", [[FWD, "for=192.0.2.1;host=a"], [HOST, "b"]]],
];

for (const [what, fields] of BROKEN) {
  test(`trusted proxies: refused is ${what}`, () => {
    assert.throws(() => outerOf(fields), { name: "HttpError", status: 400, code: "BAD_FIELD" });
  });
}

test("trusted proxies: the address of a client says through whom it has come", () => {
  const { remoteAddr } = PROXIES.outerOf([FOR, "192.0.2.1, 10.0.0.2"], INNER);
  assert.deepEqual(remoteAddr, { ...tcpAddr("192.0.2.1", 0), via: INNER.remoteAddr });
});

test("trusted proxies: only these and peers of a Unix socket are believed", async () => {
  const has = ["10.255.0.1", "::ffff:10.0.0.1", "fd00::1", "11.0.0.1", "::1"]
    .map((host) => PROXIES.has(tcpAddr(host, 1)));
  assert.deepEqual(has, [true, true, true, false, false]);
  assert.ok(PROXIES.has(unixAddr("/run/app.sock")));
  assert.ok(!new TrustedProxies(["10.0.0.0/8"]).has(unixAddr("/run/app.sock")));
  await mistakes(
    "TypeError",
    /trustProxy as an array of strings/,
    (async () => {
      await serveOn(() => ({ status: 200 }), { trustProxy: "10.0.0.0/8" as never });
    })(),
  );
  assert.throws(() => new TrustedProxies(["10.0.0.1/8"]), /has bits set after its first 8/);
});

test("trusted proxies: whatever a client sends, the address that the proxy adds counts", () => {
  const character = fc.constantFrom(...'for=;," \t\\[]:.%_-19aZ\x80', "for=", "10.0.0.9", '"');
  const junk = fc.array(character, { maxLength: 30 }).map((parts) => parts.join(""));
  const names = fc.constantFrom(FWD, FOR, PROTO, HOST);
  const lines = fc.array(fc.tuple(names, junk), { maxLength: 4 });
  const property = fc.property(lines, junk, (before, text) => {
    // A proxy that appends to X-Forwarded-For, and removes the others.
    const appended = [FOR, `${text}, 192.0.2.1`] as const;
    const fors = before.filter(([name]) => name === FOR);
    assert.equal(outerOf([...fors, appended]), "192.0.2.1:0");
    // One that adds a line to Forwarded, and removes the others.
    const own = [FWD, "for=192.0.2.1;proto=https"] as const;
    const forwarded = before.filter(([name]) => name === FWD);
    assert.equal(outerOf([...forwarded, own]), "192.0.2.1:0 https://inner:81");
    // One that lets all through: it is 400, or some address; nothing else is thrown.
    try {
      const { remoteAddr, scheme } = PROXIES.outerOf(before.flat(), INNER);
      assert.ok("host" in remoteAddr && /^[\d.]+$|:/.test(remoteAddr.host), scheme);
    } catch (error) {
      assert.ok(error instanceof HttpError && error.status === 400, String(error));
    }
  });
  fc.assert(property, { numRuns: share(5000), seed: 7239 });
});

test("trusted proxies: long fields take time in proportion to their length", () => {
  for (const unit of ["for=10.0.0.9,", ",", ";", '"', "\\", 'for="', "for=", "10.0.0.9,", " "]) {
    for (const name of [FWD, FOR, PROTO, HOST]) {
      try {
        PROXIES.outerOf([name, unit.repeat(16_000 / unit.length)], INNER);
      } catch (error) {
        assert.ok(error instanceof HttpError);
      }
    }
  }
});

/** What a handler sees: its URL and the client. */
const tell = fromFetchHandler((request, { remoteAddr }) =>
  new Response(`${request.url} of ${formatAddr(remoteAddr)}\n`)
);

function get(...fields: string[]): string {
  return ["GET /x HTTP/1.1", "Host: inner", ...fields, "", ""].join("\r\n");
}

const SAID = ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https", "X-Forwarded-Host: a.b"];

test("trusted proxies: the URL, the client and the log of a request are the client's", async () => {
  const exchanges: Exchange[] = [];
  await using server = await serveOn(tell, {
    trustProxy: ["127.0.0.0/8", "::1"],
    onResponse: (exchange) => exchanges.push(exchange),
  });
  const text = await server.talk(get(...SAID) + get("X-Forwarded-For: 192.0.2.2") + get());
  assert.deepEqual(
    text.match(/http.* of .*/g)!.map((line) => line.replace(/:[1-9]\d+$/, ":PORT")),
    [
      "https://a.b/x of 192.0.2.1:0",
      "http://inner/x of 192.0.2.2:0",
      "http://inner/x of 127.0.0.1:PORT",
    ],
  );
  assert.deepEqual(
    exchanges.map(({ remoteAddr, request }) => [
      "host" in remoteAddr && remoteAddr.host,
      request!.scheme,
      request!.host,
    ]),
    [["192.0.2.1", "https", "a.b"], ["192.0.2.2", "http", "inner"], ["127.0.0.1", "http", "inner"]],
  );
});

test("trusted proxies: a peer that is not one of them is not believed", async () => {
  for (const trustProxy of [[], ["10.0.0.0/8"], undefined]) {
    await using server = await serveOn(tell, { trustProxy });
    const text = await server.talk(get(...SAID, "Forwarded: ;;="));
    assert.match(text, /^HTTP\/1\.1 200 [^]*http:\/\/inner\/x of 127\.0\.0\.1:\d+\n$/);
  }
});

test("trusted proxies: a field that is not valid is answered with 400, which ends the connection", async () => {
  const reports: unknown[] = [];
  await using server = await serveOn(tell, {
    trustProxy: ["127.0.0.1"],
    onResponse: ({ request, remoteAddr, status, error }) =>
      reports.push([request?.method, (remoteAddr as TcpAddr).host, status, error?.code]),
  });
  const wrong = "X-Forwarded-For: me";
  const post = `POST / HTTP/1.1\r\nHost: a\r\n${wrong}\r\n`;
  const requests = [
    get(wrong),
    `${post}Content-Length: 4\r\n\r\nbody`,
    `${post}Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n`,
  ];
  for (const request of requests) {
    const text = await server.talk(request + get());
    assert.match(text, /^HTTP\/1\.1 400 /);
    assert.match(text, /Connection: close/);
    assert.equal(text.match(/HTTP\/1\.1/g)!.length, 1);
  }
  // The request was valid, so whoever looks for it in a log finds it.
  const said = ["127.0.0.1", 400, "BAD_FIELD"];
  assert.deepEqual(reports, ["GET", "POST", "POST"].map((method) => [method, ...said]));
});

test("trusted proxies: who may connect is asked of each request's client", async () => {
  const refused: string[] = [];
  const admission = new AccessList({
    allow: ["192.0.2.0/24"],
    deny: ["192.0.2.9"],
    proxies: ["127.0.0.1"],
    onRefuse: (addr, why) => refused.push(`${addr.host}: ${why}`),
  });
  await using server = await serveOn(tell, { trustProxy: ["127.0.0.1"], admission });
  const text = await server.talk(
    get("X-Forwarded-For: 192.0.2.1") + get("X-Forwarded-For: 192.0.2.9") +
      get("X-Forwarded-For: 198.51.100.1") +
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nX-Forwarded-For: 192.0.2.9\r\n\r\nbody" +
      get("X-Forwarded-For: 192.0.2.1") + get(),
  );
  // The last one is the proxy itself, which looks whether the server is there.
  assert.deepEqual(text.match(/HTTP\/1\.1 \d+/g)!.map((line) => line.slice(9)), [
    "200",
    "403",
    "403",
    "403",
    "200",
    "200",
  ]);
  assert.deepEqual(refused, [
    "192.0.2.9: its address is denied",
    "198.51.100.1: its address is not allowed",
    "192.0.2.9: its address is denied",
  ]);
  assert.equal(admission.refused, 3);
});

const UPGRADE = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
];

test("trusted proxies: a WebSocket has the client's address, and counts as its connection", async () => {
  const clients: string[] = [];
  const handler = websocket(async (ws) => {
    clients.push(formatAddr(ws.remoteAddr));
    await ws.read();
  });
  const admission = new AccessList({ maxPerAddress: 1, proxies: ["127.0.0.1"] });
  await using server = await serveOn(handler, { trustProxy: ["127.0.0.1"], admission });
  const open = async (client: string, ...more: string[]) => {
    const conn = await server.connect();
    const fields = [...UPGRADE, `X-Forwarded-For: ${client}`, ...more];
    await conn.write(new TextEncoder().encode(get(...fields)));
    const p = new Uint8Array(1000);
    const n = await conn.read(p);
    return { conn, status: new TextDecoder().decode(p.subarray(9, n === null ? 0 : 12)) };
  };
  const first = await open("192.0.2.1:7");
  const second = await open("192.0.2.1");
  const other = await open("192.0.2.2");
  assert.deepEqual([first.status, second.status, other.status], ["101", "403", "101"]);
  await until(() => clients.length === 2, "both handlers");
  assert.deepEqual(clients, ["192.0.2.1:7", "192.0.2.2:0"]);
  // It has ended: there is room again.
  first.conn.close();
  let again = await open("192.0.2.1");
  for (let i = 0; again.status === "403" && i < 100; i++) {
    again.conn.close();
    again = await open("192.0.2.1");
  }
  assert.equal(again.status, "101");
  // The page's host is compared with the one that the client asked for.
  const page = ["Origin: https://a.example"];
  const own = await open("192.0.2.3", ...page, "X-Forwarded-Host: a.example");
  const foreign = await open("192.0.2.4", ...page, "X-Forwarded-Host: b.example");
  assert.deepEqual([own.status, foreign.status], ["101", "403"]);
  for (const { conn } of [second, other, again, own, foreign]) conn.close();
});
