// Frames on connections: FrameReader and FrameWriter, with ourselves and with Python.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  encodeFrame,
  FrameError,
  FrameReader,
  FrameWriter,
  lengthPrefix,
  lines,
} from "../../lib/frames/mod.ts";
import { ReadBuffer, WriteBuffer } from "../../lib/frames/buffer.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import type { Conn } from "../../lib/net/transport.ts";
import { binary, text } from "../support/frame_helpers.ts";
import {
  bytes,
  pair,
  randomBytes,
  readAll,
  readText,
  rejects,
  turn,
  until,
} from "../support/helpers.ts";
import { python } from "../support/peers.ts";
import { test } from "../support/runner.deno.ts";

const KIB = 1024;
const memory = new MemoryTransport();

/** A connection that remembers what is written to it. */
interface Recording {
  readonly conn: Conn;
  readonly writes: Uint8Array[];
  /** What has left, one for each write. */
  readonly copies: string[];
  /** Lets the oldest waiting write leave. Without one, lets the next write leave. */
  readonly go: () => Promise<void>;
}

function recording(): Recording {
  const writes: Uint8Array[] = [];
  const copies: string[] = [];
  const waiting: (() => void)[] = [];
  const conn = {
    remoteAddr: { transport: "unix", path: "peer" },
    write(p: Uint8Array) {
      writes.push(p);
      return new Promise<void>((resolve) =>
        waiting.push(() => {
          copies.push(text(p)); // As it is then: the buffer is used again.
          resolve();
        })
      );
    },
  } as unknown as Conn;
  const go = async () => {
    await until(() => waiting.length > 0, "a write");
    waiting.shift()!();
  };
  return { conn, writes, copies, go };
}

test("frame writer: frames written before the flush leave in one write", async () => {
  const { conn, copies, go } = recording();
  const writer = new FrameWriter(conn, lines());
  assert.ok(writer.tryWrite(bytes("a")));
  await writer.write(bytes("b"));
  assert.ok(writer.tryWrite(bytes("c")));
  const flushed = writer.flush();
  await go();
  await flushed;
  assert.deepEqual(copies, ["a\nb\nc\n"]);
  // There is nothing left to send.
  await writer.flush();
  assert.deepEqual(copies.length, 1);
});

test("frame writer: a payload is the caller's again at once", async () => {
  const { conn, copies, go } = recording();
  const writer = new FrameWriter(conn, lines());
  const payload = bytes("a");
  await writer.write(payload);
  payload[0] = 0;
  const flushed = writer.flush();
  await go();
  await flushed;
  assert.deepEqual(copies, ["a\n"]);
});

test("frame writer: frames written during a flush keep their order, and leave with the next", async () => {
  const { conn, copies, go } = recording();
  const writer = new FrameWriter(conn, lines());
  await writer.write(bytes("a"));
  const first = writer.flush();
  await writer.write(bytes("b"));
  const second = writer.flush();
  const third = writer.flush();
  await writer.write(bytes("c"));
  await go();
  await first;
  await go();
  await Promise.all([second, third]);
  assert.deepEqual(copies, ["a\n", "b\nc\n"]);
});

test("frame writer: a full buffer holds the writer back, and no frame overtakes the one that waits", async () => {
  const { conn, writes, copies, go } = recording();
  const writer = new FrameWriter(conn, lines());
  const payload = new Uint8Array(100).fill(0x61);
  let taken = 0;
  while (writer.tryWrite(payload)) taken++;
  assert.ok(taken * 101 <= 2 * KIB);
  const last = payload.slice().fill(0x62);
  const waiting = writer.write(last);
  assert.equal(writes.length, 1, "the full buffer leaves without a flush");
  assert.equal(writer.tryWrite(bytes("x")), false, "there is room for it, but one waits");
  const next = writer.write(bytes("next"));
  const flushed = writer.flush();
  assert.equal(writer.tryWrite(bytes("x")), false, "there is room for it, but two wait");
  await go();
  await Promise.all([waiting, next]);
  await go();
  await flushed;
  assert.deepEqual(copies, [(text(payload) + "\n").repeat(taken), `${text(last)}\nnext\n`]);
});

test("frame writer: never holds more than 64 KiB, however much is written", async () => {
  const { conn, writes, go } = recording();
  const writer = new FrameWriter(conn, lengthPrefix("u16"));
  const payload = new Uint8Array(1000);
  for (let sent = 0; sent < KIB * KIB; sent += payload.length) {
    if (writer.tryWrite(payload)) continue;
    const written = writer.write(payload);
    await go();
    await written;
  }
  assert.ok(Math.max(...writes.map(({ length }) => length)) > 60 * KIB);
  assert.ok(Math.max(...writes.map(({ buffer }) => buffer.byteLength)) <= 64 * KIB);
});

test("frame writer: a payload larger than the buffer is sent from where it is", async () => {
  const { conn, writes, copies, go } = recording();
  const writer = new FrameWriter(conn, lines());
  await writer.write(bytes("a"));
  const payload = new Uint8Array(100 * KIB).fill(0x61);
  for (let i = 0; i < 3; i++) {
    const written = writer.write(payload);
    for (let step = 0; step < 2; step++) {
      await go();
    }
    await written;
  }
  const flushed = writer.flush();
  await go();
  await flushed;
  assert.equal(writes.filter((p) => p === payload).length, 3);
  const large = text(payload);
  assert.deepEqual(copies, ["a\n", large, "\n", large, "\n", large, "\n"]);
});

test("frame writer: of a payload that is refused, nothing is sent", async () => {
  const { conn, copies, go } = recording();
  const writer = new FrameWriter(conn, lines({ maxSize: 3 }));
  await writer.write(bytes("a"));
  assert.throws(() => writer.tryWrite(bytes("b\nc")), FrameError);
  await assert.rejects(writer.write(bytes("bcde")), { name: "FrameError", code: "TOO_LARGE" });
  await writer.write(bytes("d"));
  const flushed = writer.flush();
  await go();
  await flushed;
  assert.deepEqual(copies, ["a\nd\n"]);
});

test("frame writer: a peer that does not read holds it back, and then gets all", async () => {
  using ends = await pair(memory);
  const writer = new FrameWriter(ends.client, lengthPrefix("u16"));
  const payload = randomBytes(1000);
  const all = 1000;
  let written = 0;
  const writing = (async () => {
    for (; written < all; written++) await writer.write(payload);
    await writer.flush();
    await ends.client.closeWrite();
  })();
  // The connection holds 64 KiB, and the writer as much.
  await until(() => ends.client.bytesWritten === 64 * KIB, "the connection to be full");
  await turn();
  assert.ok(written * payload.length <= 128 * KIB, `${written} frames`);
  let received = 0;
  for await (const frame of new FrameReader(ends.server, lengthPrefix("u16"))) {
    assert.deepEqual(frame, payload);
    received++;
  }
  await writing;
  assert.equal(received, all);
});

test("frame writer: a connection that is lost rejects, now and later", async () => {
  using ends = await pair(memory);
  const writer = new FrameWriter(ends.client, lines());
  await writer.write(bytes("a"));
  ends.server.reset();
  for (let i = 0; i < 2; i++) await rejects(writer.flush(), "ECONNRESET");
});

test("frame reader: reads no more than it is asked for", async () => {
  using ends = await pair(memory);
  const writer = new FrameWriter(ends.client, lengthPrefix("u8"));
  const sending = (async () => {
    for (let i = 0; i < 20_000; i++) await writer.write(new Uint8Array(9));
    await writer.flush();
  })();
  const reader = new FrameReader(ends.server, lengthPrefix("u8"));
  for (let i = 0; i < 100; i++) await reader.read();
  assert.ok(ends.server.bytesRead <= 2 * KIB, `${ends.server.bytesRead}`);
  for (let i = 0; i < 19_900; i++) await reader.read();
  await sending;
});

test("frame reader: tryRead takes what has come, and does not wait", async () => {
  using ends = await pair(memory);
  const reader = new FrameReader(ends.server, lines());
  assert.equal(reader.tryRead(), null);
  await ends.client.write(bytes("a\nb\nc"));
  assert.equal(reader.tryRead(), null, "nothing is received before read() asks for it");
  assert.equal(text((await reader.read())!), "a");
  assert.equal(text(reader.tryRead()!), "b");
  assert.equal(reader.tryRead(), null);
  await ends.client.write(bytes("d\n"));
  assert.equal(text((await reader.read())!), "cd");
});

test("frame reader: what is wrong is told by read, not by tryRead, and the frames before come first", async () => {
  using ends = await pair(memory);
  const reader = new FrameReader(ends.server, lengthPrefix("u8", { maxSize: 2 }));
  await ends.client.write(binary("\x01a\x02bc\x03def"));
  assert.equal(text((await reader.read())!), "a");
  assert.equal(text(reader.tryRead()!), "bc");
  assert.equal(reader.tryRead(), null);
  for (let i = 0; i < 2; i++) await assert.rejects(reader.read(), { code: "TOO_LARGE" });
  assert.equal(text(reader.rest), "\x03def");
});

test("frame reader: after a frame over the limit, nothing that was sent is lost", async () => {
  for (const transport of [systemTransport, memory]) {
    using ends = await pair(transport);
    const framing = lengthPrefix("u32");
    const large = randomBytes(300 * KIB);
    const sent = (async () => {
      const writer = new FrameWriter(ends.client, framing);
      await writer.write(bytes("first"));
      await writer.write(large);
      await writer.write(bytes("next"));
      await writer.flush();
      await ends.client.closeWrite();
    })();
    const reader = new FrameReader(ends.server, lengthPrefix("u32", { maxSize: 200 * KIB }));
    assert.equal(text((await reader.read())!), "first");
    await assert.rejects(reader.read(), (error: Error) => {
      assert.match(
        error.message,
        /^Cannot read a frame \(u32\): it has 307200 bytes, over the limit/,
      );
      return error instanceof FrameError && error.code === "TOO_LARGE";
    });
    const rest = [...reader.rest, ...await readAll(ends.server)];
    await sent;
    const expected = [...encodeFrame(framing, large), ...encodeFrame(framing, bytes("next"))];
    assert.ok(Buffer.from(rest).equals(Buffer.from(expected)));
  }
});

test("frame reader: before a reset the frames that came are given, and their beginning is kept", async () => {
  using ends = await pair(memory);
  await ends.client.write(bytes("a\nb"));
  const reader = new FrameReader(ends.server, lines());
  assert.equal(text((await reader.read())!), "a");
  const read = reader.read();
  ends.client.reset();
  await rejects(read, "ECONNRESET");
  await rejects(reader.read(), "ECONNRESET");
  assert.equal(text(reader.rest), "b");
});

test("frame reader: a second read while one waits is EBUSY, and does no harm", async () => {
  using ends = await pair(memory);
  const reader = new FrameReader(ends.server, lines());
  await ends.client.write(bytes("first\n"));
  assert.equal(text((await reader.read())!), "first");
  const read = reader.read();
  for (let i = 0; i < 3; i++) await rejects(reader.read(), "EBUSY");
  await ends.client.write(bytes("second\n"));
  assert.equal(text((await read)!), "second");
});

test("frame reader: leaving the loop leaves the connection open, and the next frame in place", async () => {
  using ends = await pair(memory);
  await ends.client.write(bytes("a\nb\n"));
  const reader = new FrameReader(ends.server, lines());
  for await (const frame of reader) {
    assert.equal(text(frame), "a");
    break;
  }
  assert.equal(text((await reader.read())!), "b");
  await ends.server.write(bytes("still open"));
  assert.equal(await readText(ends.client, 10), "still open");
});

test("frame reader: a frame that comes in very many pieces is put together", async () => {
  using ends = await pair(memory);
  const reader = new FrameReader(ends.server, lines());
  const read = reader.read();
  const payload = "x".repeat(20_000);
  for (const character of `${payload}\n`) await ends.client.write(bytes(character));
  assert.equal(text((await read)!), payload);
});

test("frame buffers: large while more than 2 KiB are used, and small again after two uses", () => {
  const sending = new WriteBuffer();
  const receiving = new ReadBuffer();
  const sizes = [2047, 2048, 10, 3000, 10, 10, 10].map((n) => {
    sending.empty(n);
    receiving.received();
    return [sending.bytes.length / KIB, receiving.lend(n).length / KIB];
  });
  assert.deepEqual(sizes, [2, 64, 64, 64, 64, 2, 2].map((size) => [size, size]));
  sending.grow();
  assert.equal(sending.bytes.length, 64 * KIB);
  assert.equal(sending.first(5).buffer, sending.bytes.buffer);
  assert.equal(sending.first(5).length, 5);
});

test("frame writer: has no large buffer when all is sent, and gets the one that another gave up", () => {
  const [one, other] = [new WriteBuffer(), new WriteBuffer()];
  one.grow();
  const large = one.bytes;
  one.empty(3000);
  other.grow();
  assert.equal(other.bytes, large);
  assert.equal(one.bytes.length, 64 * KIB);
  assert.notEqual(one.bytes, large);
});

test("frame reader: 48 that wait have a large buffer, and 16 more that know of more to come", () => {
  const buffers = Array.from({ length: 200 }, () => new ReadBuffer());
  const large = (n: number) =>
    buffers.filter((buffer) => {
      buffer.received();
      return buffer.lend(n).length === 64 * KIB;
    }).length;
  assert.equal(large(2 * KIB), 64, "a full small buffer: there is more");
  assert.equal(large(3000), 48, "nothing more was there");
  for (const buffer of buffers) buffer.received();
  const last = new ReadBuffer();
  assert.equal(last.lend(2 * KIB).length, 64 * KIB, "none waits any more");
  last.received();
});

test("frame reader: a read that fails gives its large buffer up", async () => {
  for (let i = 0; i < 100; i++) {
    using ends = await pair(memory);
    const reader = new FrameReader(ends.server, lengthPrefix("u32"));
    await ends.client.write(encodeFrame(lengthPrefix("u32"), new Uint8Array(5000)));
    assert.equal((await reader.read())!.length, 5000);
    const failed = rejects(reader.read(), "ECONNRESET");
    ends.client.reset();
    await failed;
  }
  const last = new ReadBuffer();
  assert.equal(last.lend(2 * KIB).length, 64 * KIB);
  last.received();
});

test("frames: Python packs and unpacks the same with struct", async () => {
  await using peer = await python(`
s, _ = l.accept()
f = s.makefile("rwb")
sizes = []
while head := f.read(4):
    size, = struct.unpack(">I", head)
    payload = f.read(size)
    sizes.append(size)
    f.write(struct.pack(">I", size) + payload[::-1])
f.flush()
s.shutdown(socket.SHUT_WR)
say(",".join(map(str, sizes)))
`);
  using conn = await systemTransport.connect(peer.endpoint);
  const payloads = [0, 1, 60, 5000, 70_000, 1_000_000].map(randomBytes);
  const writer = new FrameWriter(conn, lengthPrefix("u32"));
  const writing = (async () => {
    for (const payload of payloads) await writer.write(payload);
    await writer.flush();
    await conn.closeWrite();
  })();
  const received: Uint8Array[] = [];
  for await (const frame of new FrameReader(conn, lengthPrefix("u32"))) {
    received.push(frame.slice());
  }
  await writing;
  assert.equal(await peer.hear(), payloads.map(({ length }) => length).join(","));
  assert.deepEqual(received, payloads.map((payload) => payload.toReversed()));
}, ["python3"]);

test("frames: Python's readline and ours read each other's lines", async () => {
  await using peer = await python(`
s, _ = l.accept()
w = s.makefile("w", newline="")
for line in s.makefile("r", newline=""):
    w.write(line.rstrip("\\n").upper() + "\\r\\n")
w.write("no end")
w.close()
s.shutdown(socket.SHUT_WR)
`);
  using conn = await systemTransport.connect(peer.endpoint);
  const writer = new FrameWriter(conn, lines());
  for (const line of ["one", "", "grün"]) await writer.write(bytes(line));
  await writer.flush();
  await conn.closeWrite();
  const received: string[] = [];
  for await (const line of new FrameReader(conn, lines())) {
    received.push(new TextDecoder().decode(line));
  }
  assert.deepEqual(received, ["ONE", "", "GRÜN", "no end"]);
}, ["python3"]);
