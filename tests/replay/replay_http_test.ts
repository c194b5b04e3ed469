import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Conn } from "../../lib/net/transport.ts";
import { ReplayMismatch } from "../../lib/replay/match.ts";
import { replayed, type ReplayOptions } from "../../lib/replay/replay_transport.ts";
import { ReplayError } from "../../lib/replay/script.ts";
import { bytes, readText } from "../support/helpers.ts";
import { accepted, type Line, recordingOf, type Said } from "../support/recordings.ts";

const HERE = { host: "localhost", port: 80 };
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const POST = "POST /a HTTP/1.1\r\nHost: a\r\nDate: Thu\r\nAccept: text/html\r\n" +
  "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n";

/** A connection that a client has made, without its end: what is said decides. */
function open(...said: Said[]): Line[] {
  return accepted(said).slice(0, -2);
}

/** What the played server answers to `request`; rejects if it is not what was recorded. */
async function answerTo(
  said: readonly Said[],
  request: string,
  options: ReplayOptions = {},
  pieces = [request],
): Promise<string> {
  const transport = replayed(await recordingOf(open(...said)), { match: "http", ...options });
  const conn: Conn = await transport.connect(HERE);
  // Who differs is reset, and `finished` says why.
  const talk = (async () => {
    for (const piece of pieces) await conn.write(bytes(piece));
    return await readText(conn, OK.length);
  })();
  talk.catch(() => {});
  await Promise.race([talk.catch(() => {}), transport.finished.catch(() => {})]);
  conn.close();
  await transport.finished;
  return await talk;
}

const SAID: readonly Said[] = [["client", POST], ["server", OK]];

test("replay http: order and case of fields, Date, and the borders of chunks may differ", async () => {
  const request = "POST /a HTTP/1.1\r\nACCEPT: text/html\r\nhost:a\r\ndate: Fri\r\n" +
    "Content-Length: 6\r\n\r\nabcdef";
  assert.equal(await answerTo(SAID, request), OK);
});

test("replay http: a difference names the line or the body that differs", async () => {
  const cases: [from: string, to: string, expected: string, actual: string][] = [
    ["POST /a", "POST /b", "POST /a HTTP/1.1\r\n", "POST /b HTTP/1.1\r\n"],
    ["text/html", "*/*", "accept: text/html\r\n", "accept: */*\r\n"],
    ["Accept: text/html\r\n", "", "accept: text/html\r\n", "host: a\r\n"],
    ["def", "dex", "abcdef", "abcdex"],
  ];
  for (const [from, to, expected, actual] of cases) {
    await assert.rejects(answerTo(SAID, POST.replace(from, to)), (error: ReplayMismatch) => {
      assert.ok(error instanceof ReplayMismatch, String(error));
      assert.equal(new TextDecoder().decode(error.expected), expected);
      assert.equal(new TextDecoder().decode(error.actual), actual);
      return true;
    });
  }
});

test("replay http: what is no HTTP is a difference", async () => {
  await assert.rejects(answerTo(SAID, "HELO me\r\n\r\n"), ReplayMismatch);
});

test("replay http: named fields may differ, and what a regular expression matches", async () => {
  const other = POST.replace("text/html", "*/*").replace("abc", "abX");
  await assert.rejects(answerTo(SAID, other, { ignoreFields: ["date", "ACCEPT"] }), ReplayMismatch);
  const options = { ignoreFields: ["date", "ACCEPT"], ignore: /[cX]/ };
  assert.equal(await answerTo(SAID, other, options), OK);
  await assert.rejects(answerTo(SAID, POST.replace("Thu", "Fri"), { ignoreFields: [] }));
});

test("replay http: credentials that the recording covers may be any", async () => {
  const get = (value: string) =>
    `GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic ${value}\r\n\r\n`;
  const said: Said[] = [["client", get("***     ")], ["server", OK]];
  assert.equal(await answerTo(said, get("c2VjcmV0")), OK);
});

test("replay http: wherever a request is cut into pieces, it is the same", async () => {
  const cuts = fc.uniqueArray(fc.nat(POST.length), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(cuts, async (cuts) => {
      const at = [0, ...cuts.sort((a, b) => a - b), POST.length];
      const pieces = at.slice(1).map((end, i) => POST.slice(at[i], end)).filter(Boolean);
      assert.equal(await answerTo(SAID, POST, {}, pieces), OK);
    }),
    { numRuns: 50 },
  );
});

test("replay http: 100 Continue comes when the head has come", async () => {
  const head = "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
  const interim = "HTTP/1.1 100 Continue\r\n\r\n";
  const recording = await recordingOf(
    open(["client", head], ["server", interim], ["client", "hi"], ["server", OK]),
  );
  const transport = replayed(recording, { match: "http" });
  using conn = await transport.connect(HERE);
  await conn.write(bytes(head));
  assert.equal(await readText(conn, interim.length), interim);
  await conn.write(bytes("hi"));
  assert.equal(await readText(conn, OK.length), OK);
  conn.close();
  await transport.finished;
});

test("replay http: a client is played, and the responses compared; that to HEAD has no body", async () => {
  const get = (method: string) => `${method} / HTTP/1.1\r\nHost: a\r\n\r\n`;
  const head = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";
  const recording = await recordingOf(open(
    ["client", get("HEAD") + get("GET")],
    ["server", head + OK],
  ));
  for (const [body, same] of [["ok", true], ["no", false]] as const) {
    const transport = replayed(recording, { match: "http" });
    using listener = await transport.listen();
    using conn = await listener.accept();
    await readText(conn, get("HEAD").length + get("GET").length);
    const chunked = "HTTP/1.1 200 OK\r\nDate: x\r\nTransfer-Encoding: chunked\r\n\r\n" +
      `2\r\n${body}\r\n0\r\n\r\n`;
    await conn.write(bytes(head + chunked));
    conn.close();
    if (same) await transport.finished;
    else await assert.rejects(transport.finished, ReplayMismatch);
  }
});

test("replay http: a recording that is not HTTP says so, and what to do", async () => {
  await assert.rejects(answerTo([["client", "\x16\x03\x01\r\n\r\n"]], "x"), (error: Error) => {
    assert.ok(error instanceof ReplayError);
    assert.match(error.message, /Cannot replay connection 1 by its messages: .*match: "stream"/);
    return true;
  });
});
