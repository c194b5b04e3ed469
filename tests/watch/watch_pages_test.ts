// The server of the pages, in plain HTTP: who may see them, and what they get.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { echo } from "../../lib/protocols/echo.ts";
import { readRecording } from "../../lib/recording/read.ts";
import { serve } from "../../lib/serve/serve.ts";
import { Hub } from "../../lib/cli/watch/hub.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { ReplayedRecording } from "../../lib/cli/watch/replayed_recording.ts";
import { serveWatch } from "../../lib/cli/watch/server.ts";
import { eventStream } from "../../lib/cli/watch/event_stream.ts";
import { ListUpdates } from "../../lib/cli/watch/updates.ts";
import { until } from "../support/helpers.ts";
import { accepted, recordingOf } from "../support/recordings.ts";
import { test } from "../support/runner.deno.ts";
import { first, pagesOf, type Watching, watching } from "./watch_helpers.ts";

/** Connects, says `text`, reads it back and closes. */
async function converse({ transport }: Watching, text: string): Promise<void> {
  const listener = await transport.listen();
  await using _server = serve(listener, echo());
  using conn = await transport.connect(listener.addr);
  await conn.write(new TextEncoder().encode(text));
  await conn.closeWrite();
  const buffer = new Uint8Array(100);
  while (await conn.read(buffer) !== null);
}

test("watch: the page and what fills it need the token, and its files do not", async () => {
  await using page = await watching();
  for (const path of ["/", "/about", "/events", "/download?conn=1&format=svg"]) {
    for (const token of ["", "x", "token=", `token=${"x".repeat(22)}`]) {
      const url = new URL(path, "http://a");
      url.searchParams.set("token", token.replace("token=", ""));
      const response = await page.get(`${url.pathname}${url.search}`);
      assert.equal(response.status, 403, path);
      assert.match(response.text, /no valid token/);
    }
  }
  const response = await page.get("/");
  assert.equal(response.status, 200);
  assert.match(response.text, /^<!doctype html>/i);
  assert.equal((await page.get("/page.css?token=none")).status, 200);
});

test("watch: the token is new for each page, and too long to guess", async () => {
  const hub = new Hub({ title: "a test" });
  const net = new MemoryTransport();
  const servers = await Promise.all([serveWatch(hub, net), serveWatch(hub, net)]);
  const [one, other] = servers.map(({ url }) => new URL(url).searchParams.get("token")!);
  assert.match(one, /^[\w-]{22}$/);
  assert.notEqual(one, other);
  for (const server of servers) await server.close();
});

test("watch: the page is on the loopback only", async () => {
  const server = await serveWatch(new Hub({ title: "a test" }), systemTransport);
  assert.match(server.url, /^http:\/\/127\.0\.0\.1:\d+\/\?token=/);
  await server.close();
});

test("watch: a Host that is not the page's is refused, as one that another site's name leads to", async () => {
  await using page = await watching();
  const { port } = new URL(page.url);
  for (const host of ["evil.example", `evil.example:${port}`, "127.0.0.1:1", `127.0.0.2:${port}`]) {
    assert.equal((await page.get("/about", ["Host", host])).status, 421, host);
  }
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`]) {
    assert.equal((await page.get("/about", ["Host", host])).status, 200, host);
  }
});

test("watch: an Origin that is not the page's is refused, and so are requests from other sites", async () => {
  await using page = await watching();
  const { origin } = new URL(page.url);
  for (
    const headers of [
      ["Origin", "http://evil.example"],
      ["Origin", "null"],
      ["Origin", "http://127.0.0.1:1"],
      ["Sec-Fetch-Site", "cross-site"],
      ["Sec-Fetch-Site", "same-site"],
    ]
  ) assert.equal((await page.get("/about", headers)).status, 403, headers.join());
  const own = ["Origin", origin, "Sec-Fetch-Site", "same-origin"];
  assert.equal((await page.get("/about", own)).status, 200);
});

test("watch: every response forbids inline script, frames, guesses and referrers", async () => {
  await using page = await watching();
  for (const path of ["/", "/page.css", "/about", "/nothing", "/about?token=no"]) {
    const { headers } = await page.get(path);
    const value = (name: string) => headers.get(name);
    const policy = value("content-security-policy")!;
    assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/, path);
    assert.doesNotMatch(policy, /unsafe|http|\*/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.equal(value("x-content-type-options"), "nosniff");
    assert.equal(value("referrer-policy"), "no-referrer");
    assert.equal(value("cache-control"), "no-store");
  }
});

test("watch: the page is only read", async () => {
  await using page = await watching();
  assert.equal((await page.get("/about", [], "POST")).status, 405);
  assert.equal((await page.get("/nothing")).status, 404);
  assert.equal((await page.get("/events?conn=7")).status, 404);
  assert.equal((await page.get("/events", [], "HEAD")).status, 200);
});

test("watch: a stream has what happened, then what happens", async () => {
  await using page = await watching();
  await converse(page, "hello");
  const messages = page.events("/events");
  const [one] = [(await messages.next()).value!];
  assert.equal(one.event, "list");
  assert.equal(one.data.connections.length, 2);
  const [client, server] = one.data.connections;
  assert.deepEqual([client.role, client.bytesOut, client.bytesIn], ["connect", 5, 5]);
  assert.deepEqual([server.role, server.outcome], ["accept", "closed"]);
  await converse(page, "again");
  const next = await first(messages, (data) => data.connections.length > 0);
  assert.deepEqual(next.connections.map(({ number }: { number: number }) => number), [3, 4]);
  await messages.return(undefined);
  await until(() => page.streams() === 0, "the stream to end");
});

test("watch: ?conn=N has the events of one connection, as lines of a recording", async () => {
  await using page = await watching();
  await converse(page, "hello");
  const messages = page.events("/events?conn=1");
  const { event, data } = (await messages.next()).value!;
  assert.equal(event, "events");
  const [{ view, events }] = data.connections;
  assert.equal(view.number, 1);
  assert.deepEqual(
    events.flat().map(({ type }: { type: string }) => type),
    ["connect", "connected", "send", "shutdown", "recv", "eof", "close"],
  );
  assert.equal(events[2][0].text, "hello");
  await messages.return(undefined);
});

test("watch: a connection is saved as a recording, packets, HTTP archive and drawing", async () => {
  await using page = await watching();
  await converse(page, "hello");
  const save = (format: string) => page.get(`/download?conn=1&format=${format}`);
  const { events } = await readRecording((await save("jsonl")).text);
  assert.equal(events.length, 7);
  assert.deepEqual([...(await save("pcapng")).bytes.subarray(0, 4)], [10, 13, 13, 10]);
  assert.match((await save("svg")).text, /^<svg .*connection 1/);
  assert.equal(JSON.parse((await save("har")).text).log.version, "1.2");
  assert.equal((await save("exe")).status, 400);
  const { headers } = await save("svg");
  assert.ok(headers.get("content-disposition") === 'attachment; filename="connection-1.svg"');
});

test("watch: so many pages are open at once, and one more is told to wait", async () => {
  await using page = await watching();
  await converse(page, "hello");
  const streams = Array.from({ length: 16 }, () => page.events("/events"));
  await Promise.all(streams.map((stream) => stream.next()));
  const late = await page.get("/events");
  assert.equal(late.status, 503);
  await streams[0].return(undefined);
  await until(() => page.streams() === 15, "room");
  assert.equal((await page.get("/events", [], "HEAD")).status, 200);
  await Promise.all(streams.map((stream) => stream.return(undefined)));
});

test("watch: a page that does not read holds nothing back, and misses no connection", async () => {
  await using page = await watching();
  const slow = page.events("/events");
  await converse(page, "hello");
  await slow.next();
  // Far more than the stream takes while nobody reads it.
  for (let i = 0; i < 600; i++) await converse(page, "hello");
  const seen = new Set<number>();
  for await (const { data } of slow) {
    for (const { number } of data.connections) seen.add(number);
    if (seen.size >= 1200) break;
  }
  assert.equal(page.hub.picture.totals.counts.opened, 1202);
});

test("watch: a page gets at most four updates a second, however much happens", async () => {
  const clock = new VirtualClock();
  const hub = new Hub({ title: "a test", clock });
  const stop = new AbortController();
  const messages = eventStream(new ListUpdates(hub), hub, clock, stop.signal);
  let came = 0;
  const taking = (async () => {
    for await (const _ of messages) came++;
  })();
  const addr = { transport: "tcp", host: "127.0.0.1", port: 80 } as const;
  for (let socket = 0; socket < 99; socket++) {
    hub.sink({ time: clock.now(), type: "connect", socket, endpoint: addr });
    await clock.advance(10);
  }
  assert.equal(came, 4);
  stop.abort();
  await taking;
});

test("watch: a stream on which nothing happens says that it is still there", async () => {
  const clock = new VirtualClock();
  const hub = new Hub({ title: "a test", clock });
  const stop = new AbortController();
  const messages = eventStream(new ListUpdates(hub), hub, clock, stop.signal);
  await messages.next();
  const next = messages.next();
  await clock.advance(16_000);
  assert.match(new TextDecoder().decode((await next).value!), /^: still here/);
  stop.abort();
  await messages.return(undefined);
});

test("watch: a recording is shown as it was at any moment", async () => {
  const recording = await recordingOf([
    ...accepted([["client", "hello"], ["server", "hello"]], 2),
    ...accepted([["client", "later"]], 3),
  ]);
  await using page = await pagesOf(new ReplayedRecording(recording, "x.jsonl"));
  const about = JSON.parse((await page.get("/about")).text);
  assert.deepEqual([about.title, about.duration], ["x.jsonl", 9]);
  const at = async (time: number, more = "") =>
    JSON.parse((await page.get(`/picture?at=${time}${more}`)).text);
  const [all] = await at(9);
  assert.equal(all.connections.length, 2);
  const [early] = await at(2);
  assert.deepEqual(
    [early.connections.length, early.connections[0].state, early.connections[0].bytesIn],
    [1, "ESTAB", 5],
  );
  const [{ connections: [{ events }] }] = await at(2, "&conn=1");
  assert.deepEqual(events.flat().map(({ type }: { type: string }) => type), ["accept", "recv"]);
  // Forwards and back, each moment is what it was, and the end is the end.
  for (const time of [0, 2, 9, 5, 2, 0, 9]) {
    const moment = await at(time);
    const fresh = new ReplayedRecording(recording, "x.jsonl").at(time);
    assert.equal(moment[0]?.connections.length ?? 0, [...fresh.connections].length, String(time));
  }
  assert.deepEqual((await at(9, "&conn=2")).length, 1);
  assert.equal((await page.get("/events")).status, 404);
});

test("watch: every file of the page's folder is served, and has its type", async () => {
  await using page = await watching();
  const types = { css: "text/css", html: "text/html", js: "text/javascript", svg: "image/svg+xml" };
  for (const name of readdirSync("lib/cli/watch/page")) {
    const { status, headers } = await page.get(name === "index.html" ? "/" : `/${name}`);
    assert.equal(status, 200, name);
    const type = types[name.replace(/^.*\./, "") as keyof typeof types];
    assert.equal(headers.get("content-type"), `${type};charset=utf-8`, name);
  }
});
