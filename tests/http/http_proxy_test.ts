// Our server behind nginx, and what must not be smuggled through it, or past us.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Conn } from "../../lib/net/transport.ts";
import { bytes, randomBytes } from "../support/helpers.ts";
import { serveHere, STREAMED } from "./http_loopback.ts";
import { LAST, responsesOf } from "../support/http_responses.ts";
import { startNginx } from "../support/nginx.ts";
import { runProgram } from "../support/peers.ts";
import { test } from "../support/runner.deno.ts";

const BODY = Buffer.from(randomBytes(900_000));

async function curl(args: readonly string[], stdin?: Uint8Array): Promise<Buffer> {
  const { code, stdout, stderr } = await runProgram(["curl", "-sS", ...args], { stdin });
  assert.equal(code, 0, stderr);
  return stdout;
}

test("nginx: bodies pass with a length and in chunks, both ways, on one connection", async () => {
  await using server = await serveHere();
  await using nginx = await startNginx(server.port);
  for (const path of ["/echo", "/raw/echo"]) {
    const url = nginx.url + path;
    assert.ok((await curl(["--data-binary", "@-", url], BODY)).equals(BODY), path);
    assert.ok((await curl(["-T", "-", url], BODY)).equals(BODY), path);
    assert.equal((await curl(["-T", "-", url], Buffer.alloc(0))).length, 0);
  }
  assert.deepEqual(
    server.told.map(({ request }) => request!.header("Transfer-Encoding") ?? "length"),
    ["length", "length", "length", "length", "chunked", "chunked"],
  );
  assert.ok((await curl([`${nginx.url}/stream`])).equals(STREAMED));
  assert.match((await curl(["-I", `${nginx.url}/x`])).toString(), /^Content-Length: 8\r$/m);
  const urls = Array.from({ length: 20 }, (_, i) => `${nginx.url}/${i}`);
  const expected = urls.map((_, i) => `GET /${i}\n`).join("");
  assert.equal((await curl(urls)).toString(), expected);
  assert.equal(server.connections, 1);
}, ["curl", "nginx"]);

test("nginx: a refusal reaches the client while it uploads", async () => {
  const body = Buffer.alloc(16 << 20, "x");
  await using server = await serveHere();
  await using nginx = await startNginx(server.port);
  for (const path of ["/echo", "/raw/echo"]) {
    const stdout = await curl(
      ["-H", "Expect:", "-w", "%{http_code}", "--data-binary", "@-", nginx.url + path],
      body,
    );
    assert.equal(stdout.toString(), "The body is too large.\n413", path);
  }
}, ["curl", "nginx"]);

test("nginx: a connection that we have closed is no error to its client", async () => {
  await using server = await serveHere({ limits: { requests: 3 } });
  await using nginx = await startNginx(server.port);
  const urls = Array.from({ length: 10 }, (_, i) => `${nginx.url}/${i}`);
  const expected = urls.map((_, i) => `GET /${i}\n`).join("");
  assert.equal((await curl(urls)).toString(), expected);
  assert.equal(server.connections, 4);
}, ["curl", "nginx"]);

const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

/** A request whose body is a request, to whom takes it for chunked. */
const hidden = `0\r\n\r\n${SMUGGLED}`;

function ambiguous(fields: string, body = hidden, length = body.length): string {
  return `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n${fields}\r\n${body}`;
}

const CHUNKED = "Transfer-Encoding: chunked\r\n";

/** What nginx takes for the end of a body, and we do not: then the rest is a request to both. */
const LF_CHUNK = "a chunk ended by LF";

/** To be refused, wherever it comes in; if it is let through, then as one request. */
const ATTACKS: Readonly<Record<string, string>> = {
  "CL.TE": ambiguous(CHUNKED),
  "TE.CL": ambiguous(CHUNKED, `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`, 4),
  "CL.0": ambiguous("", SMUGGLED),
  "two lengths":
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: ${SMUGGLED.length}` +
    `\r\n\r\n${SMUGGLED}`,
  "a list of lengths":
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${SMUGGLED.length}, 0\r\n\r\n${SMUGGLED}`,
  "a length with a sign":
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
  "a chunk size with 0x": `POST / HTTP/1.1\r\nHost: a\r\n${CHUNKED}\r\n0x0\r\n\r\n${SMUGGLED}`,
  "a chunk size that overflows": `POST / HTTP/1.1\r\nHost: a\r\n${CHUNKED}\r\n` +
    `100000000000000000\r\n\r\n${SMUGGLED}`,
  "an extension with LF": `POST / HTTP/1.1\r\nHost: a\r\n${CHUNKED}\r\n` +
    `5;\nxxxxx\r\n${SMUGGLED.length.toString(16)}\r\n0\r\n\r\n${SMUGGLED}\r\n0\r\n\r\n`,
  [LF_CHUNK]: `POST / HTTP/1.1\r\nHost: a\r\n${CHUNKED}\r\n0\n\n${SMUGGLED}`,
  ...Object.fromEntries(
    [
      "Transfer-Encoding : chunked\r\n",
      "Transfer-Encoding\t: chunked\r\n",
      " Transfer-Encoding: chunked\r\n",
      "Transfer-Encoding:\tchunked\r\n",
      "Transfer-Encoding:\x0bchunked\r\n",
      "Transfer-Encoding:\x0cchunked\r\n",
      "Transfer-Encoding: \xa0chunked\r\n",
      "Transfer-Encoding: chunked\xa0\r\n",
      "Transfer-Encoding: \0chunked\r\n",
      "Transfer-Encoding:\r\n chunked\r\n",
      "Transfer-Encoding\r\n : chunked\r\n",
      "Transfer-Encoding: xchunked\r\n",
      "Transfer-Encoding: chunkedx\r\n",
      'Transfer-Encoding: "chunked"\r\n',
      "Transfer-Encoding: 'chunked'\r\n",
      "Transfer-Encoding: CHUNKED\r\n",
      "Transfer-Encoding: identity\r\n",
      "Transfer-Encoding: identity, chunked\r\n",
      "Transfer-Encoding: chunked, identity\r\n",
      "Transfer-Encoding: chunked;q=1\r\n",
      "Transfer-Encoding: ,chunked\r\n",
      "Transfer-Encoding:\r\n",
      "Transfer_Encoding: chunked\r\n",
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n",
      "Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n",
      "X: x\nTransfer-Encoding: chunked\r\n",
      "X: x\rTransfer-Encoding: chunked\r\n",
      "\xa0Transfer-Encoding: chunked\r\n",
      "Transfer-Encoding\0: chunked\r\n",
      "Transfer-Encoding\xad: chunked\r\n",
    ].map((fields) => [JSON.stringify(fields), ambiguous(fields)]),
  ),
};

/** What comes back on a connection until it ends; a reset ends it, too. */
async function hearAll(conn: Conn): Promise<string> {
  const p = new Uint8Array(64 * 1024);
  let text = "";
  try {
    for (let n; (n = await conn.read(p)) !== null;) {
      text += Buffer.from(p.subarray(0, n)).toString("latin1");
    }
  } catch {
    // What was received counts.
  }
  return text;
}

for (const through of ["us", "nginx"] as const) {
  test(`smuggling: no ambiguous request is two, sent to ${through}`, async () => {
    await using server = await serveHere();
    await using nginx = await startNginx(server.port);
    const outcomes: Record<string, number> = {};
    for (const [name, attack] of Object.entries(ATTACKS)) {
      if (through === "nginx" && name === LF_CHUNK) continue;
      const before = server.told.length;
      using conn = await (through === "us" ? server : nginx).connect();
      await conn.write(Buffer.from(attack + LAST, "latin1"));
      const responses = responsesOf(await hearAll(conn));
      const targets = server.told.slice(before).map(({ request }) => request?.target);
      assert.ok(!targets.includes("/smuggled"), name);
      const [{ status }, ...more] = responses;
      // One response; where that was to one request, the connection has gone on to the next.
      assert.deepEqual(more.map(({ body }) => body), status === 200 ? ["GET /last\n"] : [], name);
      assert.ok([200, 400, 501].includes(status), `${name}: ${status}`);
      outcomes[status] = (outcomes[status] ?? 0) + 1;
    }
    // Taken as one are a body that looks like a request, and a field that is no Transfer-Encoding.
    if (through === "us") assert.deepEqual(outcomes, { 200: 2, 400: 38 });
  }, ["nginx"]);
}

test("smuggling: through nginx nobody gets a response to what another one sent", async () => {
  await using server = await serveHere();
  await using nginx = await startNginx(server.port);
  for (const attack of Object.values(ATTACKS)) {
    using conn = await nginx.connect();
    await conn.write(Buffer.from(attack, "latin1"));
    // The victim's request may go over the same connection to us.
    using victim = await nginx.connect();
    await victim.write(bytes(LAST.replace("/last", "/victim")));
    assert.deepEqual(responsesOf(await hearAll(victim)).map(({ body }) => body), ["GET /victim\n"]);
  }
}, ["nginx"]);
