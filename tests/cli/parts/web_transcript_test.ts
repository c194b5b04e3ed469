// What web -v shows: requests and responses in HTTP's words.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { AUTHORIZATION_FIELDS } from "../../../lib/base/header_fields.ts";
import { redacting } from "../../../lib/recording/redact.ts";
import { webTranscript } from "../../../lib/cli/commands/web/transcript.ts";
import { systemTransport } from "../../../lib/net/system.deno.ts";
import { bytes, readAll } from "../../support/helpers.ts";
import { runClient, startWeb } from "../../support/scripts.ts";
import { makeSite } from "../../support/site_helpers.ts";
import { test } from "../../support/runner.deno.ts";

const addr = (port: number) => ({ transport: "tcp", host: "127.0.0.1", port }) as const;

/** A transcript with a connection, and what it shows of texts that are received or sent in pieces. */
function following(pieces: (data: Buffer) => Buffer[] = (data) => [data]) {
  const transcript = webTranscript();
  transcript({
    time: 0,
    type: "accept",
    socket: 2,
    listener: 1,
    localAddr: addr(80),
    remoteAddr: addr(1),
  });
  return (type: "recv" | "send", text: string) =>
    pieces(Buffer.from(text, "latin1")).flatMap((data) =>
      transcript({ time: 0, type, socket: 2, data })
    );
}

const bytewise = (data: Buffer) => Array.from(data, (_, i) => data.subarray(i, i + 1));

for (const [name, pieces] of [["whole", undefined], ["byte by byte", bytewise]] as const) {
  test(`web transcript: heads are shown, and content is counted, ${name}`, () => {
    const shows = following(pieces);
    assert.deepEqual(shows("recv", "GET /a HTTP/1.1\r\nHost: x\r\n\r\nHEAD /b HTTP/1.0\r\n\r\n"), [
      "< GET /a HTTP/1.1",
      "< Host: x",
      "<",
      "< HEAD /b HTTP/1.0",
      "<",
    ]);
    assert.deepEqual(
      shows(
        "send",
        "HTTP/1.1 100 Continue\r\n\r\n" +
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n" +
          "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n",
      ),
      [
        "> HTTP/1.1 100 Continue",
        ">",
        "> HTTP/1.1 200 OK",
        "> Transfer-Encoding: chunked",
        ">",
        "> (5 bytes of content)",
        "> HTTP/1.1 200 OK",
        "> Content-Length: 7",
        ">",
      ],
    );
    const post = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx";
    assert.deepEqual(shows("recv", post).slice(-2), ["<", "< (1 byte of content)"]);
    const reply = "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 408 Request Timeout\r\n";
    assert.deepEqual(shows("send", reply), ["> HTTP/1.1 204 No Content", ">"]);
  });
}

test("web transcript: what is no HTTP is quoted, from there on", () => {
  const shows = following();
  assert.deepEqual(shows("recv", "\x16\x03\x01"), []);
  assert.deepEqual(shows("recv", "\n"), [String.raw`< "\n"`]);
  assert.deepEqual(shows("recv", "more"), ['< "more"']);
  const bad = following();
  const both =
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n";
  assert.match(bad("recv", both).join("\n"), /^< "POST \/ HTTP\/1\.1\\r\\nHost: x/);
  assert.deepEqual(bad("send", "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), [
    "> HTTP/1.1 400 Bad Request",
    "> Content-Length: 0",
    ">",
  ]);
});

test("web -v: shows each request and its response, and no words of an echo", async () => {
  await using site = await makeSite({ "a.txt": "text" });
  await using server = await startWeb(["-v", "--upload", site.root]);
  assert.equal((await runClient(["get", "-q", `${server.url}a.txt`])).code, 0);
  const put = ["get", "-q", "-X", "PUT", "--data-binary", "four", `${server.url}b.txt`];
  assert.equal((await runClient(put)).code, 0);
  // Lines of the Common Log Format come in between.
  const stderr = (await server.program.stop()).stderr.replace(/^127\.0\.0\.1 - - .*\n/gm, "");
  assert.match(
    stderr,
    /^connection from .*\n< GET \/a\.txt HTTP\/1\.1\n(< .*\n)+<\n> HTTP\/1\.1 200 OK\n(> .*\n)+>\n> \(4 bytes of content\)\n/m,
  );
  assert.match(
    stderr,
    /^< PUT \/b\.txt HTTP\/1\.1\n(< .*\n)+<\n< \(4 bytes of content\)\n> HTTP\/1\.1 201 Created\n/m,
  );
  assert.doesNotMatch(stderr, /sending data back|received ""/);
});

test("web -v: over TLS, too, and with several connections each line tells whose it is", async () => {
  await using site = await makeSite({ "a.txt": "text" });
  await using server = await startWeb(["-v", "--tls-self-signed", site.root]);
  using first = await systemTransport.startTls(
    await systemTransport.connect({ host: "127.0.0.1", port: server.port }),
    { insecure: true },
  );
  assert.equal((await runClient(["get", "-qk", `${server.url}a.txt`])).code, 0);
  await server.program.stderr.until(
    /^\[(\d+)\] < GET \/a\.txt HTTP\/1\.1\n(.*\n)*\[\1\] > HTTP\/1\.1 200 OK$/m,
  );
  await first.write(bytes("GET /none HTTP/1.0\r\n\r\n"));
  await readAll(first);
  await server.program.stderr.until(/^(\[\d+\] )?< GET \/none HTTP\/1\.0$/m);
});

/** What is shown of the field lines that a connection receives in pieces of this many bytes. */
function covered(fields: string, size: number): string {
  const shown = redacting(AUTHORIZATION_FIELDS);
  const [localAddr, remoteAddr] = [addr(80), addr(1)];
  shown({ time: 0, type: "accept", socket: 2, listener: 1, localAddr, remoteAddr });
  const all = Buffer.from(`GET / HTTP/1.1\r\n${fields}\r\nHost: x\r\n\r\n`, "latin1");
  const before = all.toString("latin1");
  const texts: string[] = [];
  for (let at = 0; at < all.length; at += size) {
    const data = all.subarray(at, at + size);
    const event = shown({ time: 0, type: "recv", socket: 2, data });
    assert.ok(event.type === "recv" && event.data.length === data.length);
    texts.push(Buffer.from(event.data).toString("latin1"));
  }
  assert.equal(all.toString("latin1"), before, "The program gets what has come");
  const lines = texts.join("").split("\r\n").map((line) => line.trimEnd());
  assert.deepEqual([lines[0], ...lines.slice(-3)], ["GET / HTTP/1.1", "Host: x", "", ""]);
  return lines.slice(1, -3).join("\n");
}

test("web -v: credentials are covered, whatever their scheme and however they are cut", () => {
  const cases: readonly (readonly [fields: string, shown: string])[] = [
    ["Authorization: Basic bWU6c2VjcmV0", "Authorization: Basic ***"],
    ["AUTHORIZATION:basic bWU6c2VjcmV0", "AUTHORIZATION:basic ***"],
    ["Proxy-Authorization: Bearer abc.def", "Proxy-Authorization: Bearer ***"],
    ['authorization: Digest username="me", response="0a1b"', "authorization: Digest ***"],
    ["Authorization:  Basic   bWU6c2VjcmV0", "Authorization:  Basic   ***"],
    ["Authorization: a-bare-token", "Authorization: ***"],
    ["Authorization: Own scheme", "Authorization: ***"],
    ["Authorization : Basic bWU6c2VjcmV0", "Authorization : Basic ***"],
    ["Authorization: Basic\r\n bWU6c2VjcmV0", "Authorization: Basic\n ***"],
    ["X-Authorization: Basic abc", "X-Authorization: Basic abc"],
    ["Authorization-Info: abc", "Authorization-Info: abc"],
    [
      "Accept: */*\r\nAuthorization: Basic YTpi\r\nA: b",
      "Accept: */*\nAuthorization: Basic ***\nA: b",
    ],
  ];
  for (const [fields, shown] of cases) {
    for (const size of [1, 2, 7, 1000]) assert.equal(covered(fields, size), shown, `by ${size}`);
  }
});

for (const format of ["text", "json"]) {
  test(`web -v: the password that opens the site is not in its log, as ${format}`, async () => {
    await using site = await makeSite({ "a.txt": "text" });
    const options = ["-v", "--log", format, "--auth", "me:secret", site.root];
    await using server = await startWeb(options);
    const url = `${server.url}a.txt`;
    assert.equal((await runClient(["get", "-q", "--user", "me:secret", url])).code, 0);
    const { stderr } = await server.program.stop();
    assert.match(stderr, /Authorization: Basic \*\*\*/);
    assert.doesNotMatch(stderr, /bWU6c2VjcmV0/);
  });
}
