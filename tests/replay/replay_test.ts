import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { lengthPrefix } from "../../lib/frames/mod.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import type { Conn } from "../../lib/net/transport.ts";
import type { Recording } from "../../lib/recording/format.ts";
import { readRecording } from "../../lib/recording/read.ts";
import { record } from "../../lib/recording/record.ts";
import type { RecordOptions } from "../../lib/recording/recorder.ts";
import { ReplayMismatch } from "../../lib/replay/match.ts";
import { matcherOf, replayed, type ReplayOptions } from "../../lib/replay/replay_transport.ts";
import { Replays } from "../../lib/replay/replays.ts";
import { assertGrowth } from "../support/growth.ts";

const HERE = { host: "localhost", port: 7 };

/** What the two sides do, in the order of the steps; `pause` turns the clock. */
type Dialogue = readonly (
  | readonly ["client" | "server", string | Uint8Array]
  | readonly ["client" | "server", "FIN" | "RST", true]
  | readonly ["pause", number]
)[];

const bytesOf = (data: string | Uint8Array) =>
  typeof data === "string" ? new TextEncoder().encode(data) : data;

/** Records the side of the client, or of the server, of a dialogue. */
async function recordingOf(
  dialogue: Dialogue,
  { side = "client", options = {} }: { side?: "client" | "server"; options?: RecordOptions } = {},
): Promise<Recording> {
  const clock = new VirtualClock();
  let text = "";
  const network = new MemoryTransport();
  const recorded = record(network, (lines) => text += lines, { clock, ...options });
  const listener = await (side === "server" ? recorded : network).listen(HERE);
  const [client, server] = await Promise.all([
    (side === "client" ? recorded : network).connect(HERE),
    listener.accept(),
  ]);
  for (const [who, what, isEnd] of dialogue) {
    if (who === "pause") {
      await clock.advance(what);
      continue;
    }
    const [from, to] = who === "client" ? [client, server] : [server, client];
    if (isEnd && what === "FIN") {
      await from.closeWrite();
      assert.equal(await to.read(new Uint8Array(1)), null);
    } else if (isEnd) {
      from.reset();
    } else {
      await from.write(bytesOf(what));
      await to.read(new Uint8Array(1000));
    }
  }
  client.close();
  server.close();
  listener.close();
  return await readRecording(text);
}

const GREETING: Dialogue = [
  ["server", "220 ready\r\n"],
  ["client", "HELO me\r\n"],
  ["server", "250 hello\r\n"],
  ["client", "QUIT\r\n"],
  ["server", "221 bye\r\n"],
  ["server", "FIN", true],
];

async function line(conn: Conn): Promise<string> {
  const buffer = new Uint8Array(1000);
  return new TextDecoder().decode(buffer.subarray(0, (await conn.read(buffer))!));
}

/** A client of the greeting. */
async function greet(conn: Conn, name = "me"): Promise<string[]> {
  const lines = [await line(conn)];
  await conn.write(bytesOf(`HELO ${name}\r\n`));
  lines.push(await line(conn));
  await conn.write(bytesOf("QUIT\r\n"));
  lines.push(await line(conn));
  assert.equal(await conn.read(new Uint8Array(1)), null);
  conn.close();
  return lines;
}

for (const side of ["client", "server"] as const) {
  test(`replay: a server that speaks first is played from what the ${side} recorded`, async () => {
    const transport = replayed(await recordingOf(GREETING, { side }));
    const lines = await greet(await transport.connect(HERE));
    assert.deepEqual(lines, ["220 ready\r\n", "250 hello\r\n", "221 bye\r\n"]);
    await transport.finished;
  });

  test(`replay: a client is played from what the ${side} recorded`, async () => {
    const transport = replayed(await recordingOf(GREETING, { side }));
    const listener = await transport.listen(HERE);
    const conn = await listener.accept();
    await conn.write(bytesOf("220 ready\r\n"));
    assert.equal(await line(conn), "HELO me\r\n");
    await conn.write(bytesOf("250 hello\r\n"));
    assert.equal(await line(conn), "QUIT\r\n");
    await conn.write(bytesOf("221 bye\r\n"));
    await conn.closeWrite();
    assert.equal(await conn.read(new Uint8Array(1)), null);
    conn.close();
    listener.close();
    await transport.finished;
  });
}

test("replay: the first difference names event, offset, and both sides as hex and text", async () => {
  const transport = replayed(await recordingOf(GREETING));
  await assert.rejects(greet(await transport.connect(HERE), "you"), { code: "ECONNRESET" });
  await assert.rejects(transport.finished, (error: ReplayMismatch) => {
    assert.ok(error instanceof ReplayMismatch);
    assert.equal(error.offset, 5);
    assert.match(
      error.message,
      /Connection 1 differs from the recording in event 4, after 5 bytes:\n {2}expected 6d 65 0d 0a.*\|me\.\.\|\n {2}received 79 6f 75 0d 0a.*\|you\.\.\|/,
    );
    return true;
  });
});

test("replay: a client that ends too early is a difference", async () => {
  const transport = replayed(await recordingOf(GREETING));
  const conn = await transport.connect(HERE);
  await line(conn);
  conn.close();
  await assert.rejects(transport.finished, /received nothing more/);
});

test("replay: how the bytes of the peer are cut into pieces does not matter", async () => {
  const transport = replayed(await recordingOf(GREETING));
  const conn = await transport.connect(HERE);
  await line(conn);
  for (const byte of bytesOf("HELO me\r\n")) await conn.write(Uint8Array.of(byte));
  assert.equal(await line(conn), "250 hello\r\n");
  await conn.write(bytesOf("QUIT\r\n"));
  assert.equal(await line(conn), "221 bye\r\n");
  conn.close();
  await transport.finished;
});

test("replay: requests that are sent ahead are answered in the order of the recording", async () => {
  const recording = await recordingOf([
    ["client", "1\n"],
    ["server", "one\n"],
    ["client", "2\n"],
    ["server", "two\n"],
  ]);
  const transport = replayed(recording);
  const conn = await transport.connect(HERE);
  await conn.write(bytesOf("1\n2\n"));
  const got = [];
  while (got.join("").length < 8) got.push(await line(conn));
  assert.equal(got.join(""), "one\ntwo\n");
  conn.close();
  await transport.finished;
});

test("replay: at speed 1 the pauses are those of the recording, at 2 half of them, at 0 none", async () => {
  const recording = await recordingOf([
    ["client", "events\n"],
    ["pause", 100],
    ["server", "a"],
    ["pause", 300],
    ["server", "b"],
  ]);
  for (const [speed, expected] of [[1, [100, 400]], [2, [50, 200]], [0, [0, 0]]] as const) {
    const clock = new VirtualClock();
    const transport = replayed(recording, { speed, clock });
    const conn = await transport.connect(HERE);
    await conn.write(bytesOf("events\n"));
    const times: number[] = [];
    const reading = (async () => {
      for (let n = 0; n < 2; n++) {
        await conn.read(new Uint8Array(1));
        times.push(clock.now());
      }
    })();
    await clock.advance(1000);
    await reading;
    assert.deepEqual(times, expected);
    conn.close();
    await transport.finished;
  }
});

test("replay: a recorded reset is a reset", async () => {
  const transport = replayed(
    await recordingOf([["client", "?"], ["server", "RST", true]], { side: "server" }),
  );
  const conn = await transport.connect(HERE);
  await conn.write(bytesOf("?"));
  await assert.rejects(conn.read(new Uint8Array(1)), { code: "ECONNRESET" });
  await transport.finished;
});

test("replay: by lines, what `ignore` matches may differ, and nothing else", async () => {
  const recording = await recordingOf([["client", "GET 17:00\nEND\n"], ["server", "ok\n"]]);
  const answer = async (request: string, options: ReplayOptions) => {
    const transport = replayed(recording, options);
    const conn = await transport.connect(HERE);
    await conn.write(bytesOf(request));
    const answered = await line(conn);
    conn.close();
    await transport.finished;
    return answered;
  };
  const options: ReplayOptions = { match: "lines", ignore: /\d\d:\d\d/ };
  assert.equal(await answer("GET 9:00 23:59\nEND\n".replace("9:00 ", ""), options), "ok\n");
  await assert.rejects(answer("GET 23:59\nEND\n", { match: "lines" }));
  await assert.rejects(answer("PUT 23:59\nEND\n", options));
});

test("replay: a line that does not end is a difference when it is much longer than the recording", async () => {
  const transport = replayed(await recordingOf(GREETING), { match: "lines", ignore: /x+/ });
  const conn = await transport.connect(HERE);
  await line(conn);
  const writing = (async () => {
    for (;;) await conn.write(new Uint8Array(64 * 1024).fill(120));
  })();
  await assert.rejects(transport.finished, ReplayMismatch);
  await assert.rejects(writing);
  assert.ok(conn.bytesWritten < 2 * 1024 * 1024, String(conn.bytesWritten));
  conn.close();
});

test("replay: by frames, payloads are compared", async () => {
  const framing = lengthPrefix("u8");
  const recording = await recordingOf([
    ["client", Uint8Array.of(2, 65, 66)],
    ["server", Uint8Array.of(1, 67)],
  ]);
  const options: ReplayOptions = { match: framing, ignore: /B/ };
  const transport = replayed(recording, options);
  const conn = await transport.connect(HERE);
  await conn.write(Uint8Array.of(3, 65, 66));
  await conn.write(Uint8Array.of(66));
  assert.equal(await line(conn), "\u0001C");
  conn.close();
  await transport.finished;
});

test("Replays: a connection gets the recorded one that goes as it goes, or says how far it came", async () => {
  const replays = new Replays(await recordingOf(GREETING), "server", { times: 2 });
  const network = new MemoryTransport();
  using listener = await network.listen(HERE);
  const open = async () => {
    const conn = await network.connect(HERE);
    return { conn, playing: replays.playFitting(await listener.accept()) };
  };
  const { conn, playing } = await open();
  await line(conn);
  await conn.write(bytesOf("HELO you\r\n"));
  const miss = await playing;
  assert.ok(typeof miss === "object");
  assert.deepEqual([miss.error.offset, miss.sent, miss.ended, miss.settled], [5, 11, false, 0]);
  assert.deepEqual(miss.received.map(({ bytes, after }) => [bytes.length, after]), [[10, 11]]);
  conn.close();
  for (const left of [1, 0]) {
    const { conn, playing } = await open();
    await greet(conn);
    assert.deepEqual([await playing, replays.left], ["played", left]);
  }
  const last = await open();
  assert.equal(await last.playing, "none left");
  last.conn.close();
});

test("Replays: the next one is played whatever comes, and when none is left a connection is reset", async () => {
  const replays = new Replays(await recordingOf(GREETING), "client");
  const network = new MemoryTransport();
  using listener = await network.listen(HERE);
  using first = await network.connect(HERE);
  using server = await listener.accept();
  const playing = replays.playNext(first);
  await server.write(bytesOf("500 busy\r\n"));
  await assert.rejects(playing, ReplayMismatch);
  assert.equal(replays.left, 0);
  using second = await network.connect(HERE);
  using other = await listener.accept();
  await replays.playNext(second);
  await assert.rejects(other.read(new Uint8Array(1)), { code: "ECONNRESET" });
});

test("replay: when all connections are used up, the next one is refused", async () => {
  const transport = replayed(await recordingOf(GREETING));
  await greet(await transport.connect(HERE));
  await assert.rejects(transport.connect(HERE), { code: "ECONNREFUSED" });
});

test("replay: what was recorded without its data cannot be played, and says why", async () => {
  const recording = await recordingOf(GREETING, { options: { redaction: "payloads" } });
  const transport = replayed(recording);
  const conn = await transport.connect(HERE);
  await assert.rejects(conn.read(new Uint8Array(1)), { code: "ECONNRESET" });
  await assert.rejects(
    transport.finished,
    /Cannot replay connection 1: the data of event \d+ was left/,
  );
});

test("replay: a long message that comes in pieces costs no more for each piece the longer it is", () => {
  // Less than 1 MiB in all: memory for more comes from the kernel each time, at four times the cost.
  const piece = new Uint8Array(1024).fill(65);
  const pieces = (count: number) =>
    fed(count, `Content-Length: ${count * piece.length}`, piece, "");
  assertGrowth(32, "8 times as many pieces", pieces(100), pieces(800));
  const chunk = bytesOf(`400\r\n${"A".repeat(1024)}\r\n`);
  const chunked = (count: number) => fed(count, "Transfer-Encoding: chunked", chunk, "0\r\n\r\n");
  assertGrowth(32, "8 times as many chunks", chunked(100), chunked(800));

  /** Feeds a message whose body is `count` times the piece, and `last`. */
  function fed(count: number, field: string, piece: Uint8Array, last: string): () => void {
    const head = bytesOf(`POST / HTTP/1.1\r\nHost: a\r\n${field}\r\n\r\n`);
    const parts = [head, ...Array.from({ length: count }, () => piece), bytesOf(last)];
    const expected = Buffer.concat(parts);
    const script = {
      connection: 1,
      chunks: [],
      end: undefined,
      expected,
      expectedEvents: [{ event: 1, at: 0 }],
    };
    return () => {
      const matcher = matcherOf(script, { match: "http" });
      for (const part of parts) matcher.feed(part);
      matcher.end();
    };
  }
});

test("replay: a line without end is a difference, before it fills the memory", async () => {
  const recording = await recordingOf([["client", "hello\n"], ["server", "ok\n"]]);
  const transport = replayed(recording, { match: "lines", ignore: /x+/ });
  const conn = await transport.connect(HERE);
  const piece = new Uint8Array(64 * 1024).fill(120);
  await assert.rejects(async () => {
    for (let i = 0; i < 40; i++) await conn.write(piece);
  }, { code: "ECONNRESET" });
  await assert.rejects(transport.finished, ReplayMismatch);
});
