// The server that outside conformance suites are pointed at.

import assert from "node:assert/strict";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { bytes, readAll } from "../support/helpers.ts";
import { Program } from "../support/peers.ts";
import { programCommand } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";

/** Starts the probe, and gives its URL to `fn`. */
async function withProbe(env: Record<string, string>, fn: (url: URL) => Promise<void>) {
  await using probe = new Program([...programCommand("tests/http/probe_server"), "0"], { env });
  const [line] = await probe.stdout.until(/^http:\S+\n/);
  await fn(new URL(line.trim()));
}

/** Sends text, and hears what comes until the server closes. */
async function hear({ hostname, port }: URL, text: string): Promise<string> {
  using conn = await systemTransport.connect({ host: hostname, port: Number(port) });
  await conn.write(bytes(text));
  return new TextDecoder().decode(await readAll(conn));
}

test("probe: GET says OK, POST gives back the content, /echo the fields", () =>
  withProbe({}, async (url) => {
    assert.equal(await (await fetch(url)).text(), "OK");
    const posted = await fetch(url, { method: "POST", body: "content" });
    assert.equal(posted.headers.get("Content-Length"), "7");
    assert.equal(await posted.text(), "content");
    const echoed = await fetch(new URL("echo", url), { headers: { "X-Field": "value" } });
    assert.match(await echoed.text(), /^x-field: value$/im);
  }));

const REQUEST = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const post = (length: number) => `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`;

async function sizes(url: URL): Promise<void> {
  const table: [request: string, response: RegExp][] = [
    [REQUEST.replace("/", `/${"x".repeat(20)}`), /^HTTP\/1\.1 414 /],
    [REQUEST.replace("a", "a".repeat(60)), /^HTTP\/1\.1 431 /],
    [REQUEST.replace("\r\n\r\n", "\r\nA:\r\nB:\r\nC:\r\n\r\n"), /^HTTP\/1\.1 431 /],
    [REQUEST + REQUEST, /^HTTP\/1\.1 200 [^]*OKHTTP\/1\.1 200 [^]*Connection: close\r\n\r\nOK$/],
    [post(4), /^HTTP\/1\.1 413 /],
  ];
  for (const [request, response] of table) assert.match(await hear(url, request), response);
}

async function deadlines(url: URL): Promise<void> {
  for (const request of ["GET / HT", post(2)]) {
    assert.match(await hear(url, request), /^HTTP\/1\.1 408 /);
  }
}

async function idling(url: URL): Promise<void> {
  assert.equal(await hear(url, ""), "");
  // The second one is served only when the first is closed, for idling.
  using idle = await systemTransport.connect({ host: url.hostname, port: Number(url.port) });
  assert.match(await hear(url, REQUEST.replace("\r\n\r\n", CLOSE)), /^HTTP\/1\.1 200 /);
  assert.equal(await idle.read(new Uint8Array(1)), null);
}

const CLOSE = "\r\nConnection: close\r\n\r\n";

test("probe: every limit can be set by the environment", async () => {
  // Deadlines are short only where they are to pass.
  await Promise.all([
    withProbe(
      { REQUEST_LINE: "30", HEADER_BYTES: "60", HEADER_COUNT: "3", REQUESTS: "2", MAX_SIZE: "3" },
      sizes,
    ),
    withProbe(
      {
        HEAD_TIMEOUT: "100",
        BODY_TIMEOUT: "100",
        BODY_RATE: "1",
        WRITE_TIMEOUT: "100",
        GRACE: "100",
      },
      deadlines,
    ),
    withProbe({ IDLE_TIMEOUT: "100", MAX_CONNECTIONS: "1" }, idling),
  ]);
});
