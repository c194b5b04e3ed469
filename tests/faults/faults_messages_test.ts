// Faults at messages of WebSockets.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { faulty } from "../../lib/faults/faulty.ts";
import { serveLight } from "../../lib/http/server/server.ts";
import { dialWebSocket } from "../../lib/http/ws/client.ts";
import { websocket } from "../../lib/http/ws/server.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import type { SocketEvent } from "../../lib/observe/events.ts";
import { observe } from "../../lib/observe/observe.ts";
import { bytes } from "../support/helpers.ts";

const WORDS = ["one", "two", "three", "four", "five", "six"];

/** What a client gets of six messages that a server echoes, how that ends, and the first fault. */
async function conversation(plan: string, deflate: boolean) {
  const inner = new MemoryTransport();
  const events: SocketEvent[] = [];
  const transport = faulty(observe(inner, (event) => events.push(event)), plan, { seed: 7 });
  const echo = websocket(async (ws) => {
    for await (const message of ws) {
      if (message === "bye") break;
      await ws.write(message);
    }
  }, { deflate });
  await using _server = serveLight(await transport.listen({ port: 80 }), echo);
  const ws = await dialWebSocket("ws://localhost/", { transport: inner, deflate });
  for (const text of [...WORDS.map((word) => word.padEnd(100)), "bye"]) {
    await ws.write(text).catch(() => {});
  }
  const got: string[] = [];
  let end: unknown;
  try {
    for await (const message of ws) got.push(String(message).trim());
  } catch (error) {
    end = (error as { code?: string }).code ?? (error as { closeCode?: number }).closeCode;
  }
  const faults = events.flatMap((event) =>
    event.type === "fault" ? [`${event.direction} ${event.fault} ${event.detail}`] : []
  );
  return [got, end, faults[0]];
}

for (
  const [plan, missing, end, fault] of [
    ["down: close@message 3", [2, 3, 4, 5], 1006, "down close at message 3"],
    ["up: reset@message 1", [0, 1, 2, 3, 4, 5], "ECONNRESET", "up reset at message 1"],
    ["down: drop@message 3", [2], undefined, "down drop at message 3"],
    ["up: drop@message 6", [5], undefined, "up drop at message 6"],
    ["down: drop@message 2, close@message 5", [1, 4, 5], 1006, "down drop at message 2"],
    ["down: close@message 7", [], undefined, undefined],
  ] as const
) {
  test(`faults: ${plan}: of six messages ${missing.length} do not arrive, also compressed ones`, async () => {
    const got = WORDS.filter((_, i) => !missing.some((index) => index === i));
    for (const deflate of [false, true]) {
      assert.deepEqual(await conversation(plan, deflate), [got, end, fault]);
    }
  });
}

const HANDSHAKE = "GET /a HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n";
const LARGE = Array.from({ length: 126 }, () => 7);

/** Frames as clients and as servers send them, and the numbers of their messages. */
const FRAMES: readonly (readonly [frame: readonly number[], message: number])[] = [
  [[0x81, 0x82, 1, 2, 3, 4, 0x61, 0x62], 1],
  [[0x89, 1, 0x70], 0],
  [[0x02, 0x01, 0x63], 2],
  [[0x8a, 0x80, 1, 2, 3, 4], 0],
  [[0x00, 126, 0, 126, ...LARGE], 2],
  [[0x80, 127, 0, 0, 0, 0, 0, 0, 0, 126, ...LARGE], 2],
  [[0xc1, 0x00], 3],
  [[0x88, 0x02, 3, 0xe8], 0],
];
const STREAM = [...bytes(HANDSHAKE), ...FRAMES.flatMap(([frame]) => frame)];

/** Where the content of the second message begins. */
const CONTENT = STREAM.indexOf(0x63, HANDSHAKE.length);

/** What a server gets of some bytes, which are written in pieces, and the end of what it gets. */
async function passed(plan: string, sent: readonly number[], cuts: readonly number[] = []) {
  const inner = new MemoryTransport();
  const listener = await faulty(inner, plan, { seed: 7 }).listen({ port: 80 });
  const [client, server] = await Promise.all([
    inner.connect({ host: "localhost", port: 80 }),
    listener.accept(),
  ]);
  const writing = (async () => {
    const ends = [...cuts.toSorted((a, b) => a - b), sent.length];
    let at = 0;
    for (const end of ends) {
      await client.write(Uint8Array.from(sent.slice(at, end)));
      at = end;
    }
    await client.closeWrite();
  })();
  const [buffer, got] = [new Uint8Array(1024), [] as number[]];
  for (let n; (n = await server.read(buffer)) !== null;) got.push(...buffer.subarray(0, n));
  await writing.catch(() => {});
  for (const end of [client, server, listener]) end.close();
  return got;
}

test("faults: messages are found wherever their bytes are cut: in fragments, masked, with control frames between", async () => {
  const rest = (message: number) => FRAMES.flatMap(([frame, of]) => of === message ? [] : frame);
  const cuts = fc.array(fc.nat(STREAM.length), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(cuts, async (cuts) => {
      for (const message of [1, 2, 3]) {
        const got = await passed(`up: drop@message ${message}`, STREAM, cuts);
        assert.deepEqual(got, [...bytes(HANDSHAKE), ...rest(message)]);
      }
      const cut = await passed("up: truncate@message 2", STREAM, cuts);
      assert.deepEqual(cut, STREAM.slice(0, CONTENT - 2));
      const corrupted = await passed("up: corrupt@message 2", STREAM, cuts);
      const changed = corrupted.flatMap((byte, i) => byte === STREAM[i] ? [] : [i]);
      assert.deepEqual([corrupted.length, changed], [STREAM.length, [CONTENT]]);
    }),
    { numRuns: 30 },
  );
});

test("faults: what is no WebSocket has no messages, and passes", async () => {
  for (
    const head of [
      HANDSHAKE.replace("Upgrade: WebSocket", "Upgrade: h2c"),
      HANDSHAKE.replace("GET", "POST"),
      "HTTP/1.1 200 OK\r\nUpgrade: websocket\r\n\r\n",
      `GET /${"a".repeat(9000)}`,
      "\n\n",
    ]
  ) {
    const sent = [...bytes(head), ...FRAMES.flatMap(([frame]) => frame)];
    assert.deepEqual(await passed("drop@message 1, close@message 1", sent), sent);
  }
});

test("faults: a message whose loss has begun is lost to its end, whatever the plan is then", async () => {
  const inner = new MemoryTransport();
  const transport = faulty(inner, "up: drop@message 2", { live: true });
  using listener = await transport.listen({ port: 80 });
  const accepting = listener.accept();
  using client = await inner.connect({ host: "localhost", port: 80 });
  using server = await accepting;
  const first = STREAM.slice(0, CONTENT);
  const cut = first.length + 20;
  await client.write(Uint8Array.from(STREAM.slice(0, cut)));
  const [buffer, got] = [new Uint8Array(1024), [] as number[]];
  const kept = FRAMES.flatMap(([frame, of]) => of === 2 ? [] : frame);
  while (got.length < bytes(HANDSHAKE).length + 11) {
    got.push(...buffer.subarray(0, (await server.read(buffer))!));
  }
  transport.setPlan("");
  await client.write(Uint8Array.from(STREAM.slice(cut)));
  await client.closeWrite();
  for (let n; (n = await server.read(buffer)) !== null;) got.push(...buffer.subarray(0, n));
  assert.deepEqual(got, [...bytes(HANDSHAKE), ...kept]);
});

test("faults: a plan that replaces another one counts messages from then on", async () => {
  const inner = new MemoryTransport();
  const transport = faulty(inner, "", { live: true });
  const echo = websocket(async (ws) => {
    for await (const message of ws) await ws.write(message);
  });
  await using _server = serveLight(await transport.listen({ port: 80 }), echo);
  await using ws = await dialWebSocket("ws://localhost/", { transport: inner });
  const heard = async (text: string) => {
    await ws.write(text);
    return await ws.read();
  };
  assert.equal(await heard("one"), "one");
  transport.setPlan("up: drop@message 2");
  assert.equal(await heard("two"), "two");
  await ws.write("three");
  assert.equal(await heard("four"), "four");
});
