// What web -v shows: requests and replies in HTTP's words.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { webTranscript } from "../lib/cli/web/transcript.ts";
import { systemTransport } from "../lib/transport.deno.ts";
import { bytes, readAll } from "./helpers.ts";
import { runClient, startWeb } from "./scripts.ts";
import { makeSite } from "./site_helpers.ts";
import { test } from "./runner.deno.ts";

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

test("web -v: shows each request and its reply, and no words of an echo", async () => {
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
