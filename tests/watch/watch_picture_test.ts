// What the page shows of connections: the picture that events add up to, and its bounds.

import assert from "node:assert/strict";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import { observeBorrowed } from "../../lib/observe/observe.ts";
import { Hub } from "../../lib/cli/watch/hub.ts";
import { History } from "../../lib/cli/watch/history.ts";
import { Picture, PICTURE_BOUNDS } from "../../lib/cli/watch/picture.ts";
import { type Line, recordingOf } from "../support/recordings.ts";
import { test } from "../support/runner.deno.ts";

const BYTES = new TextEncoder();

/** The picture of these events. */
async function pictureOf(lines: readonly Line[], bounds = PICTURE_BOUNDS): Promise<Picture> {
  const picture = new Picture(bounds);
  const { events } = await recordingOf(lines);
  for (const event of events) picture.add(event, `${JSON.stringify({ time: event.time })}\n`);
  return picture;
}

const ADDR = { transport: "tcp", host: "127.0.0.1", port: 80 } as const;
const PEER = { transport: "tcp", host: "127.0.0.1", port: 5000 } as const;
const accept = (socket = 2): Line => ({
  type: "accept",
  socket,
  listener: 1,
  localAddr: ADDR,
  remoteAddr: PEER,
});
const close = (socket = 2, reset = false): Line => ({
  type: "close",
  socket,
  bytesRead: 0,
  bytesWritten: 0,
  reset,
});
const error = (code: string, socket?: number): Line => ({
  type: "error",
  socket,
  op: "read",
  error: { code, op: "read", message: `It failed (${code}).` },
});

const view = async (...lines: Line[]) => (await pictureOf(lines)).get(1)!.view();

test("watch: the state of a connection is named as ss names it", async () => {
  const connect: Line = { type: "connect", socket: 2, endpoint: { host: "h", port: 80 } };
  assert.equal((await view(connect)).state, "SYN-SENT");
  assert.equal((await view(accept())).state, "ESTAB");
  assert.equal((await view(accept(), { type: "eof", socket: 2 })).state, "CLOSE-WAIT");
  assert.equal((await view(accept(), { type: "shutdown", socket: 2 })).state, "FIN-WAIT");
  assert.equal((await view(accept(), close())).state, "CLOSED");
  const udp: Line = { type: "bind", socket: 2, addr: { ...ADDR, transport: "udp" } };
  assert.equal((await view(udp)).state, "UNCONN");
});

test("watch: each end says who closed, and what may be lost", async () => {
  const eof: Line = { type: "eof", socket: 2 };
  const byPeer = await view(accept(), eof, close());
  assert.equal(byPeer.end, "closed by the peer");
  assert.match(byPeer.why, /ended its stream first \(FIN\).*in order/);
  const early = await view(accept(), close());
  assert.equal(early.end, "closed by this side");
  assert.match(early.why, /What the peer sent after that is lost/);
  const reset = await view(accept(), error("ECONNRESET", 2), close());
  assert.deepEqual([reset.outcome, reset.end], ["reset", "reset by the peer"]);
  assert.match(reset.why, /RST.*may not have read/);
  const own = await view(accept(), close(2, true));
  assert.equal(own.end, "reset by this side");
  const failed = await view(
    { type: "connect", socket: 2, endpoint: { host: "h", port: 80 } },
    error("ECONNREFUSED", 2),
  );
  assert.deepEqual([failed.outcome, failed.end], ["failed", "ECONNREFUSED"]);
  assert.equal(failed.why, "It failed (ECONNREFUSED).");
});

test("watch: attempts at the addresses of a name are a race, and its loser says so", async () => {
  const addrs = [{ ...ADDR, host: "::1" }, ADDR];
  const picture = await pictureOf([
    { type: "resolve", endpoint: { host: "localhost", port: 80 }, addrs },
    { type: "connect", socket: 1, endpoint: { host: "::1", port: 80 } },
    { type: "connect", socket: 2, endpoint: { host: "127.0.0.1", port: 80 } },
    { type: "connected", socket: 2, localAddr: PEER, remoteAddr: ADDR },
    error("ECANCELED", 1),
  ]);
  const [lost, won] = [...picture.connections].map((one) => one.view());
  assert.deepEqual([lost.race, won.race], [1, 1]);
  assert.deepEqual([lost.outcome, lost.end], ["lost", "lost the race"]);
  assert.deepEqual([won.name, won.state], ["localhost:80", "ESTAB"]);
  assert.equal(picture.totals.counts.errors, 0);
  assert.deepEqual(picture.related(picture.get(2)!).map(({ number }) => number), [2, 1]);
});

test("watch: an attempt belongs to the race that is under way, and not to one that is won", async () => {
  const addrs = [{ ...ADDR, host: "::1" }, ADDR];
  const resolve: Line = { type: "resolve", endpoint: { host: "localhost", port: 80 }, addrs };
  const connect = (socket: number, host: string): Line => ({
    type: "connect",
    socket,
    endpoint: { host, port: 80 },
  });
  const picture = await pictureOf([
    resolve,
    connect(1, "::1"),
    { type: "connected", socket: 1, localAddr: PEER, remoteAddr: addrs[0] },
    resolve,
    connect(2, "::1"),
    connect(3, "127.0.0.1"),
  ]);
  assert.deepEqual([...picture.connections].map(({ race }) => race), [1, 2, 2]);
});

test("watch: a relay's two connections belong together", async () => {
  const picture = await pictureOf([
    accept(2),
    { type: "connect", socket: 3, endpoint: { host: "h", port: 80 } },
    { type: "connected", socket: 3, localAddr: PEER, remoteAddr: ADDR },
    { type: "link", socket: 2, peer: 3 },
  ]);
  assert.deepEqual(picture.related(picture.get(1)!).map(({ number }) => number), [1, 2]);
  assert.equal(picture.get(2)!.view().peer, 1);
});

test("watch: bytes, connections and errors are counted by second", async () => {
  const { totals } = await pictureOf([
    { ...accept(), time: 100 },
    { type: "recv", socket: 2, text: "hello", time: 200 },
    { type: "send", socket: 2, size: 3000, time: 1200 },
    { ...error("ECONNRESET", 2), time: 1300 },
    { ...close(), time: 2100 },
  ]);
  assert.deepEqual(totals.since(0), [
    { second: 0, opened: 1, bytes: 5, errors: 0, open: 1 },
    { second: 1, opened: 0, bytes: 3000, errors: 1, open: 1 },
    { second: 2, opened: 0, bytes: 0, errors: 0, open: 0 },
  ]);
  const { bytesIn, bytesOut, opened, open } = totals.counts;
  assert.deepEqual({ bytesIn, bytesOut, opened, open }, {
    bytesIn: 5,
    bytesOut: 3000,
    opened: 1,
    open: 0,
  });
});

test("watch: connections that ended first make room, and are counted", async () => {
  const bounds = { ...PICTURE_BOUNDS, connections: 2 };
  const picture = await pictureOf([accept(2), accept(3), close(3), accept(4), accept(5)], bounds);
  assert.deepEqual([...picture.connections].map(({ number }) => number), [3, 4]);
  assert.equal(picture.totals.counts.droppedConnections, 2);
  assert.equal(picture.totals.counts.open, 2);
});

test("watch: long first events leave room for the last ones", () => {
  const history = new History({ events: 300, characters: 1000 });
  for (let i = 1; i <= 50; i++) history.add("x".repeat(100));
  const numbers = history.since(0, Infinity).map(({ number }) => number);
  assert.deepEqual(numbers, [1, 2, 3, 4, 5, 46, 47, 48, 49, 50]);
  assert.equal(history.characters, 1000);
});

test("watch: of one connection the first events are kept and the last, and the others counted", () => {
  const history = new History({ events: 300, characters: 1e6 });
  for (let i = 1; i <= 1000; i++) history.add(`${i}\n`);
  const numbers = history.since(0, Infinity).map(({ number }) => number);
  assert.equal(numbers.length, 300);
  assert.deepEqual([numbers[0], numbers[99], numbers[100], numbers[299]], [1, 100, 801, 1000]);
  assert.equal(history.count - history.kept, 700);
  assert.deepEqual(history.since(998, 5).map(({ lines }) => lines), ["999\n", "1000\n"]);
  assert.deepEqual(history.since(99, 2).map(({ number }) => number), [100, 801]);
});

test("watch: all connections together keep no more than their bound", async () => {
  const bounds = { ...PICTURE_BOUNDS, allCharacters: 10_000 };
  const lines = Array.from({ length: 100 }, (_, i) => [
    accept(i + 2),
    ...Array.from({ length: 9 }, (): Line => ({ type: "recv", socket: i + 2, text: "x" })),
  ]).flat();
  const picture = await pictureOf(lines, bounds);
  const kept = [...picture.connections].reduce((sum, { history }) => sum + history.characters, 0);
  assert.ok(kept <= 10_000, `${kept}`);
  const events = [...picture.connections].reduce((sum, { history }) => sum + history.kept, 0);
  assert.equal(events + picture.totals.counts.droppedEvents, 1000);
});

test("watch: of large data the first 4 KiB are kept, and the size of the rest", async () => {
  const hub = new Hub({ title: "a test" });
  const transport = observeBorrowed(new MemoryTransport(), hub.sink);
  using listener = await transport.listen();
  using conn = await transport.connect(listener.addr);
  using peer = await listener.accept();
  await conn.write(new Uint8Array(10_000).fill(0x61));
  const [, , { lines }] = hub.picture.get(1)!.history.since(0, 10);
  const [data, rest] = lines.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.equal(data.text, "a".repeat(4096));
  assert.deepEqual([rest.type, rest.size], ["send", 5904]);
  assert.equal(hub.picture.get(1)!.view().bytesOut, 10_000);
  assert.ok(peer);
});

test("watch: passwords are covered as in a recording, also behind the part that is kept", async () => {
  const hub = new Hub({ title: "a test" });
  const transport = observeBorrowed(new MemoryTransport(), hub.sink);
  using listener = await transport.listen();
  using conn = await transport.connect(listener.addr);
  await conn.write(BYTES.encode(`${"x".repeat(5000)}\nAuthorization: Ba`));
  await conn.write(BYTES.encode("sic bWU6c2VjcmV0\n"));
  const text = hub.picture.get(1)!.history.since(0, 10).map(({ lines }) => lines).join("");
  assert.doesNotMatch(text, /c2VjcmV0/);
  assert.match(text, /\*\*\*/);
});

test("watch: with payloads left out there are sizes only", async () => {
  const hub = new Hub({ title: "a test", redaction: "payloads" });
  const transport = observeBorrowed(new MemoryTransport(), hub.sink);
  using listener = await transport.listen();
  using conn = await transport.connect(listener.addr);
  await conn.write(BYTES.encode("hello"));
  const [, , { lines }] = hub.picture.get(1)!.history.since(0, 10);
  assert.doesNotMatch(lines, /hello/);
  assert.equal(JSON.parse(lines).size, 5);
});

test("watch: an error of no connection is a problem of its own", async () => {
  const { problems } = await pictureOf([error("ENOTFOUND")]);
  assert.deepEqual(problems.map(({ message }) => message), ["It failed (ENOTFOUND)."]);
});

test("watch: the secrets of TLS, and what is on the wire, are not shown", async () => {
  const picture = await pictureOf([
    accept(),
    { type: "keylog", socket: 2, line: `CLIENT_RANDOM ${"0".repeat(64)} ${"1".repeat(96)}` },
    { type: "wire", socket: 2, direction: "recv", text: "x" },
  ]);
  assert.equal(picture.get(1)!.view().events, 1);
  assert.equal(picture.totals.counts.events, 1);
});
