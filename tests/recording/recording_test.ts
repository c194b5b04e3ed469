import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import fc from "fast-check";
import type { UdpAddr } from "../../lib/base/addr.ts";
import { SocketError } from "../../lib/base/errors.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import type { Conn } from "../../lib/net/transport.ts";
import type { SocketEvent } from "../../lib/observe/events.ts";
import type { RecordedEvent, Recording } from "../../lib/recording/format.ts";
import { RecordingError } from "../../lib/recording/error.ts";
import { readAtMost, readRecording } from "../../lib/recording/read.ts";
import { relay } from "../../lib/protocols/relay.ts";
import { serve } from "../../lib/serve/serve.ts";
import { recordingLine } from "../../lib/recording/line.ts";
import { record, recordingSink } from "../../lib/recording/record.ts";
import { Recorder, type RecordOptions } from "../../lib/recording/recorder.ts";

/** What a conversation in memory leaves, as text. */
async function recorded(
  converse: (conn: Conn, accepted: Conn) => Promise<void>,
  options: RecordOptions = {},
): Promise<string> {
  let text = "";
  const transport = record(new MemoryTransport(), (lines) => text += lines, options);
  const listener = await transport.listen({ port: 7 });
  const [conn, accepted] = await Promise.all([
    transport.connect({ host: "localhost", port: 7 }),
    listener.accept(),
  ]);
  await converse(conn, accepted);
  conn.close();
  accepted.close();
  listener.close();
  return text;
}

/** Writes on one side, in pieces, and reads all of it on the other. */
function sending(
  ...pieces: (string | Uint8Array)[]
): (conn: Conn, accepted: Conn) => Promise<void> {
  return async (conn, accepted) => {
    for (const piece of pieces) {
      const bytes = typeof piece === "string" ? new TextEncoder().encode(piece) : piece;
      const writing = conn.write(bytes);
      const buffer = new Uint8Array(bytes.length);
      for (let at = 0; at < bytes.length;) at += (await accepted.read(buffer.subarray(at)))!;
      await writing;
    }
  };
}

/** The bytes that were sent, in one. */
function sent({ events }: Recording): Uint8Array {
  const pieces = events.flatMap((event) =>
    event.type === "send" && event.data !== undefined ? [event.data] : []
  );
  return Uint8Array.from(Buffer.concat(pieces));
}

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

test("recording: what was recorded is read again, step by step", async () => {
  const recording = await readRecording(await recorded(sending("hello")));
  assert.equal(recording.warning, undefined);
  assert.equal(recording.head.redaction, "fields");
  assert.deepEqual(recording.events.map(({ type }) => type), [
    "bind",
    "listen",
    "connect",
    "accept",
    "connected",
    "send",
    "recv",
    "close",
    "close",
    "close",
  ]);
  assert.equal(textOf(sent(recording)), "hello");
});

test("recording: any bytes come back as they were", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (bytes) => {
      const text = await recorded(sending(bytes), { redaction: "none" });
      assert.deepEqual(sent(await readRecording(text)), bytes);
    }),
  );
});

test("recording: it is read alike, wherever its bytes are cut into pieces", async () => {
  const text = await recorded(sending("grüße\n", Uint8Array.of(0xff, 0)));
  const whole = await readRecording(text);
  const bytes = new TextEncoder().encode(text);
  for (const size of [1, 7, 64, bytes.length]) {
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
    assert.deepEqual(await readRecording(pieces), whole, String(size));
  }
});

test("recording: a line has at most 1 MiB of data, and nothing is lost between lines", async () => {
  const bytes = new Uint8Array(2 ** 21 + 3).fill(0x61);
  const recording = await readRecording(await recorded(sending(bytes)));
  assert.deepEqual(sent(recording), bytes);
  const sizes = recording.events.flatMap((event) => event.type === "send" ? [event.size] : []);
  assert.deepEqual(sizes, [2 ** 20, 2 ** 20, 3]);
});

test("recording: credentials are covered, however they are cut into pieces", async () => {
  const request = "GET / HTTP/1.1\r\nCookie: id=secret\r\nauthorization : Basic c2VjcmV0\r\n" +
    " c2VjcmV0\r\nX: visible\r\n\r\n";
  for (let at = 1; at < request.length; at++) {
    const text = await recorded(sending(request.slice(0, at), request.slice(at)));
    assert.doesNotMatch(text, /secret|c2Vj|VjcmV0/, `cut at ${at}`);
    const recording = await readRecording(text);
    assert.equal(sent(recording).length, request.length);
    assert.match(textOf(sent(recording)), /Basic \*\*\* +\r\n.*X: visible/s);
  }
  assert.match(await recorded(sending(request), { redaction: "none" }), /secret/);
});

test("recording: each datagram has its own credentials, whatever the one before ended with", async () => {
  let text = "";
  const sink = recordingSink((lines) => text += lines);
  const [client, other] = [1, 2].map((port) => ({ transport: "udp", host: "a", port }) as UdpAddr);
  const came = (data: string, from: UdpAddr) =>
    sink({ time: 0, type: "recv", socket: 1, data: new TextEncoder().encode(data), from });
  came("no end of the line", client);
  came("Cookie: secret", other);
  came("visible", client);
  const { events } = await readRecording(text);
  const texts = events.map((event) => event.type === "recv" && textOf(event.data!));
  assert.deepEqual(texts, ["no end of the line", "Cookie: ***   ", "visible"]);
});

test("recording: when a socket is closed, what was begun on it is forgotten", async () => {
  let text = "";
  const sink = recordingSink((lines) => text += lines, { connectionLimit: 100 });
  const send = (data: string) =>
    sink({ time: 0, type: "send", socket: 1, data: new TextEncoder().encode(data) });
  send("Cookie: a");
  sink({ time: 0, type: "close", socket: 1, bytesRead: 0, bytesWritten: 9, reset: false });
  send("visible");
  const recording = await readRecording(text);
  assert.equal(textOf(sent(recording)), "Cookie: *visible");
});

test("recording: without payloads it has sizes only", async () => {
  const text = await recorded(sending("secret"), { redaction: "payloads" });
  assert.doesNotMatch(text, /secret/);
  const { events } = await readRecording(text);
  const sends = events.filter(({ type }) => type === "send") as { data: unknown; size: number }[];
  assert.deepEqual(sends.map(({ data, size }) => [data, size]), [[undefined, 6]]);
});

test("recording: a limit of a connection or of all leaves data out, and says so once", async () => {
  for (const [name, limit] of [["connectionLimit", "connection"], ["totalLimit", "total"]]) {
    const pieces = sending("abcd", "efgh", "ijkl");
    const { events } = await readRecording(await recorded(pieces, { [name]: 11 }));
    const cuts = events.filter(({ type }) => type === "cut");
    const data = events.flatMap((event) =>
      event.type === "send" || event.type === "recv"
        ? [[event.socket, event.data && textOf(event.data), event.size]]
        : []
    );
    if (limit === "connection") {
      assert.deepEqual(cuts.map((cut) => "limit" in cut && cut.limit), [limit, limit]);
      const expected = [[2, "abcd", 4], [3, "abcd", 4], [2, "efgh", 4], [3, "efgh", 4]];
      const last = [[2, "ijk", 3], [2, undefined, 1], [3, "ijk", 3], [3, undefined, 1]];
      assert.deepEqual(data, [...expected, ...last]);
    } else {
      assert.deepEqual(cuts.map((cut) => "limit" in cut && cut.limit), [limit, limit]);
      const kept = data.reduce((sum, [, text]) => sum + String(text ?? "").length, 0);
      assert.equal(kept, 11);
      assert.equal(data.reduce((sum, [, , size]) => sum + Number(size), 0), 24);
    }
  }
});

test("recording: of each event the first bytes are kept up to a limit, and the size of the rest", async () => {
  const { events } = await readRecording(
    await recorded(sending("abcdef", "gh"), { eventLimit: 4 }),
  );
  const sends = events.flatMap((event) =>
    event.type === "send" ? [[event.data && textOf(event.data), event.size]] : []
  );
  assert.deepEqual(sends, [["abcd", 4], [undefined, 2], ["gh", 2]]);
  assert.ok(!events.some(({ type }) => type === "cut"));
});

test("recording: a limit of an event does not show what is covered behind it", async () => {
  const pieces = sending("Cookie: abc", "def\n");
  const text = await recorded(pieces, { eventLimit: 4 });
  assert.doesNotMatch(text, /def/);
  assert.match(text, /Cook/);
});

test("recording: the events of a Recorder are those that are read of the same recording", async () => {
  const recorder = new Recorder({ connectionLimit: 6 });
  const events: RecordedEvent[] = [];
  let text = "";
  const sink = recordingSink((lines) => text += lines, { connectionLimit: 6 });
  const error = new SocketError("ECONNRESET", "read");
  const seen: SocketEvent[] = [
    { time: 1, type: "send", socket: 1, data: new TextEncoder().encode("abcd") },
    { time: 2, type: "recv", socket: 1, data: Uint8Array.of(255, 0, 1) },
    { time: 3, type: "send", socket: 1, data: new Uint8Array(0) },
    { time: 4, type: "handshake", socket: 1, protocol: "TLSv1.3", peerCertificate: undefined },
    { time: 5, type: "error", socket: 1, op: "read", error },
    { time: 6, type: "close", socket: 1, bytesRead: 3, bytesWritten: 4, reset: false },
  ] as SocketEvent[];
  for (const event of seen) {
    sink(event);
    events.push(...recorder.eventsOf(event));
  }
  const read = await readRecording(text);
  const plain = (list: readonly RecordedEvent[]) => list.map(({ time: _, ...event }) => event);
  assert.deepEqual(
    JSON.parse(JSON.stringify(plain(events))),
    JSON.parse(JSON.stringify(plain(read.events))),
  );
  assert.deepEqual({ ...recorder.head, started: "" }, { ...read.head, started: "" });
});

test("recording: what was read is written again, line for line, with fields that are not known", async () => {
  const text = await recorded(sending("hello", Uint8Array.of(255), "x".repeat(2_000_000)));
  const foreign = [
    '{"time":1,"type":"eof","socket":2,"data":"x","size":1,"started":"y"}',
    '{"time":1,"type":"send","socket":2,"format":"z","text":"a"}',
    '{"time":1,"type":"send","socket":2,"size":5}',
    "",
  ].join("\n");
  const { head, events } = await readRecording(text + foreign);
  assert.equal([head, ...events].map(recordingLine).join(""), text + foreign);
});

test("recording: a last line that broke off is left out with a warning, wherever it broke", async () => {
  const text = await recorded(sending("hello"));
  const lines = text.trimEnd().split("\n");
  const last = text.lastIndexOf("\n", text.length - 2) + 1;
  for (let at = last + 1; at < text.length - 1; at++) {
    const { events, warning } = await readRecording(text.slice(0, at));
    assert.equal(events.length, lines.length - 2, String(at));
    assert.equal(warning, `The last line (${lines.length}) broke off and is left out.`);
  }
  // Only its line end is missing.
  assert.equal((await readRecording(text.slice(0, -1))).warning, undefined);
});

test("recording: what is wrong is named, with its line", async () => {
  const good = (await recorded(sending("hello"))).split("\n");
  const nested = "[".repeat(100_000) + "]".repeat(100_000);
  const cases: [string, RegExp][] = [
    ["", /line 1: there is no line in it\. Name a file/],
    ["hello\n", /line 1: it is not the first line of a recording/],
    ['{"format":"plainsocket-recording","version":2}\n', /line 1: its version is 2.*version 1/],
    ['{"format":"plainsocket-recording","version":1}\n', /line 1: its 'program' is missing/],
    [`${good[0]}\nnot json\n`, /line 2: it is not an object in JSON/],
    [`${good[0]}\n[]\n`, /line 2: it is not an object in JSON/],
    [`${good[0]}\n{"type":"toString"}\n`, /line 2: 'toString' is not a type of event/],
    [`${good[0]}\n{"time":1,"type":"eof","socket":-1}\n`, /line 2: 'socket' of the eof/],
    [`${good[0]}\n{"time":1,"type":"recv","socket":1}\n`, /line 2: the recv has no text/],
    [`${good[0]}\n{"time":1,"type":"recv","socket":1,"b64":"a*"}\n`, /line 2: 'b64' of the recv/],
    [`${good[0]}\n{"time":1,"type":["recv"],"socket":1}\n`, /line 2: its 'type' is missing or not/],
    [`${good[0]}\n{"type":"${"x".repeat(1e6)}"}\n`, /line 2: 'x{40}…' is not a type/],
    [`{"format":"plainsocket-recording","version":"${"x".repeat(1e6)}"}\n`, /version is "x{39}…,/],
    [`${good[0]}\n{"time":1,"type":${nested}}\n`, /line 2: it is.* nested too deeply/],
    [`${good[0]}\n{"time":${nested},"type":"eof"}\n`, /line 2: it is.* nested too deeply/],
    [`${good[0]}\n{"time":1,"type":"eof","socket":1,"x":${nested}}\n`, /line 2:.* too deeply/],
    [`{"format":"plainsocket-recording","version":${nested}}\n`, /line 1: it is not the first/],
    [`${good[0]}\n{"time":1,"type":"\u009b","socket":1}\n`, /line 2: '\\x9b' is not a type/],
  ];
  for (const [text, message] of cases) {
    await assert.rejects(readRecording(text), (error: RecordingError) => {
      assert.ok(error instanceof RecordingError);
      assert.match(error.message, message);
      return true;
    });
  }
});

test("recording: one of too many events is refused, and its first lines are a recording", async () => {
  const text = await recorded(sending("a", "b"));
  const { events } = await readRecording(text);
  assert.equal((await readAtMost(events.length, text)).events.length, events.length);
  await assert.rejects(readAtMost(events.length - 1, text), {
    name: "RecordingError",
    line: events.length + 1,
    message: new RegExp(
      `it has more than ${events.length - 1} events\\. Read its first lines only`,
    ),
  });
});

test("recording: whatever a file has, it is read or refused with a RecordingError", async () => {
  const text = await recorded(sending("hello"));
  const position = fc.integer({ min: 0, max: text.length - 1 });
  await fc.assert(fc.asyncProperty(position, fc.string({ maxLength: 5 }), async (at, inserted) => {
    const broken = text.slice(0, at) + inserted + text.slice(at + inserted.length);
    await readRecording(broken).catch((error) => assert.ok(error instanceof RecordingError));
  }));
});

test("recording: each kind of event is read as it was", async () => {
  const addr = { transport: "tcp", host: "::1", port: 7 } as const;
  const events: SocketEvent[] = [
    { time: 1, type: "resolve", endpoint: { host: "a", port: 7 }, addrs: [addr] },
    { time: 2, type: "connect", socket: 1, endpoint: { transport: "unix", path: "/a" } },
    {
      time: 2,
      type: "handshake",
      socket: 1,
      protocol: "TLSv1.3",
      alpnProtocol: undefined,
      peerCertificate: undefined,
    },
    { time: 3, type: "link", socket: 1, peer: 2 },
    { time: 3, type: "fault", socket: 1, direction: "up", fault: "reset", detail: "after 9 bytes" },
    { time: 3, type: "shutdown", socket: 1 },
    { time: 3, type: "eof", socket: 1 },
    {
      time: 4,
      type: "error",
      socket: 1,
      op: "read",
      error: new SocketError("ECONNRESET", "read", { addr }),
    },
    { time: 5, type: "close", socket: 1, bytesRead: 1, bytesWritten: 2, reset: true },
  ];
  let text = "";
  const clock = { now: () => 0, setTimer: () => () => {} };
  const sink = recordingSink((lines) => text += lines, { clock });
  events.forEach(sink);
  const read = (await readRecording(text)).events;
  const plain = (event: SocketEvent | RecordedEvent) =>
    JSON.parse(JSON.stringify({
      ...event,
      ...event.type === "error" && { error: { ...event.error, message: event.error.message } },
    }));
  const { name: _name, addr: _addr, ...error } = plain(events[7]).error;
  const expected = events.map(plain);
  expected[7].error = error;
  assert.deepEqual(read.map(plain), expected);
});

test("recording: a relay says which two sockets it has joined", async () => {
  const network = new MemoryTransport();
  let text = "";
  const transport = record(network, (lines) => text += lines);
  const front = await transport.listen({ port: 8 });
  const target = await network.listen({ port: 7 });
  const toTarget = () => transport.connect({ host: "localhost", port: 7 });
  const served = serve(front, relay(toTarget)).finished;
  const client = await network.connect({ host: "localhost", port: 8 });
  const end = await target.accept();
  await client.write(new Uint8Array(1));
  await end.read(new Uint8Array(1));
  for (const socket of [client, end, front, target]) socket.close();
  await served;
  const { events } = await readRecording(text);
  const link = events.find(({ type }) => type === "link");
  assert.ok(link?.type === "link");
  const typeOf = (socket: number) =>
    events.find((event) => event.type !== "link" && "socket" in event && event.socket === socket)
      ?.type;
  assert.deepEqual([typeOf(link.socket), typeOf(link.peer)], ["accept", "connect"]);
});
