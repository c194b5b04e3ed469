// docs/recording.schema.json describes what is written, and what is read.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { selfSigned } from "../../lib/net/tls/self_signed.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { readRecording } from "../../lib/recording/read.ts";
import { record } from "../../lib/recording/record.ts";
import { faulty } from "../../lib/faults/faulty.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import type { Transport } from "../../lib/net/transport.ts";
import { acceptProxyProtocol, proxyHeader } from "../../lib/proxy_protocol/mod.ts";
import { share } from "../support/cases.ts";
import { OWN_HOST } from "../support/helpers.ts";
import { anyRecording, HEAD, recordingText } from "../support/recordings.ts";

const ajv = new Ajv2020({
  formats: { "date-time": (text: string) => Date.parse(text) >= 0 },
  // Each event has data that is required one way or another.
  strictRequired: false,
  // Optimizing the code takes longer than running it.
  code: { optimize: false },
  inlineRefs: false,
});
const schema = JSON.parse(readFileSync("docs/recording.schema.json", "utf8"));
ajv.addSchema(schema, "recording");
const isHead = ajv.compile({ $ref: "recording#/$defs/head" });
const isEvent = ajv.compile({ $ref: "recording#/$defs/event" });
const isLine = ajv.compile({ $ref: "recording#" });

/** Asserts that a recording is as the schema says, line by line. */
function check(text: string): Set<string> {
  const [head, ...events] = text.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.ok(isHead(head), ajv.errorsText(isHead.errors));
  for (const event of events) {
    assert.ok(isEvent(event), `${JSON.stringify(event)}: ${ajv.errorsText(isEvent.errors)}`);
    assert.ok(isLine(event));
  }
  return new Set(events.map(({ type }) => type));
}

/** What happens on a transport: a conversation, a reset, a refused connection, datagrams. */
async function converse(transport: Transport, host: string): Promise<void> {
  const listener = await transport.listen({ host });
  for (const end of ["close", "reset"] as const) {
    const [conn, accepted] = await Promise.all([
      transport.connect(listener.addr),
      listener.accept(),
    ]);
    await conn.write(Uint8Array.of(0x68, 0x69));
    await accepted.read(new Uint8Array(9));
    await conn.write(Uint8Array.of(0xff));
    await accepted.read(new Uint8Array(9));
    await conn.closeWrite();
    assert.equal(await accepted.read(new Uint8Array(9)), null);
    accepted[end]();
    await conn.read(new Uint8Array(9)).catch(() => {});
    conn.close();
  }
  listener.close();
  await assert.rejects(transport.connect(listener.addr));
  const socket = await transport.listenDatagram({ host });
  await socket.send(Uint8Array.of(1), socket.addr);
  await socket.receive(new Uint8Array(9));
  socket.close();
  await transport.resolve({ host: "127.0.0.1", port: 1 });
}

test("recording schema: what is recorded of real sockets and in memory is as it says", async () => {
  for (
    const [inner, host] of [[systemTransport, OWN_HOST], [
      new MemoryTransport(),
      "127.0.0.1",
    ]] as const
  ) {
    for (const redaction of ["fields", "payloads", "none"] as const) {
      let text = "";
      await converse(record(inner, (lines) => text += lines, { redaction, seed: 7 }), host);
      const types = check(text);
      for (const type of ["bind", "listen", "connect", "connected", "accept", "send", "recv"]) {
        assert.ok(types.has(type), type);
      }
      for (const type of ["eof", "shutdown", "close", "error", "resolve"]) {
        assert.ok(types.has(type), type);
      }
    }
  }
});

test("recording schema: cuts, faults and handshakes are as it says", async () => {
  let text = "";
  const sink = (lines: string) => text += lines;
  const limited = record(new MemoryTransport(), sink, { connectionLimit: 1, arguments: ["x"] });
  const broken = faulty(limited, "down: reset@1");
  const listener = await broken.listen({ port: 7 });
  const [conn, accepted] = await Promise.all([
    broken.connect({ host: "localhost", port: 7 }),
    listener.accept(),
  ]);
  await conn.write(new Uint8Array(4));
  await accepted.write(new Uint8Array(4)).catch(() => {});
  await assert.rejects(async () => {
    while (await conn.read(new Uint8Array(9)) !== null);
  }, { code: "ECONNRESET" });
  for (const each of [conn, accepted, listener]) each.close();
  const types = check(text);
  assert.ok(types.has("cut") && types.has("fault"), [...types].join());

  text = "";
  const transport = record(systemTransport, sink);
  const { cert, key } = await selfSigned(["localhost"]);
  const secure = await transport.listen({ host: "127.0.0.1", tls: { cert, key } });
  const server = secure.accept().then(async (conn) => {
    await conn.read(new Uint8Array(1));
    conn.close();
  });
  const raw = await transport.connect(secure.addr);
  const client = await transport.startTls(raw, { caCerts: [cert], servername: "localhost" });
  await client.write(new Uint8Array(1));
  await server;
  client.close();
  secure.close();
  assert.ok(check(text).has("handshake"));
  const { events } = await readRecording(text);
  const handshake = events.find((event) => event.type === "handshake" && event.peerCertificate);
  assert.ok(handshake?.type === "handshake");
  assert.match(handshake.peerCertificate!.fingerprint256, /^[0-9A-F:]{95}$/);
});

test("recording schema: a client behind a proxy has its address, and via is the proxy", async () => {
  let text = "";
  const network = new MemoryTransport();
  const transport = record(
    acceptProxyProtocol(network, { trusted: ["127.0.0.1"] }),
    (lines) => text += lines,
  );
  const listener = await transport.listen({ host: "127.0.0.1" });
  const proxy = await network.connect(listener.addr);
  const source = { transport: "tcp", host: "192.0.2.1", port: 50_000 } as const;
  await proxy.write(proxyHeader({ version: 2, source, destination: listener.addr }));
  const accepted = await listener.accept();
  for (const each of [proxy, accepted, listener]) each.close();
  check(text);
  const event = (await readRecording(text)).events.find(({ type }) => type === "accept");
  assert.ok(event?.type === "accept");
  assert.deepEqual(event.remoteAddr, { ...source, via: proxy.localAddr });
  for (const via of [5, { transport: "tcp", host: "127.0.0.1" }]) {
    const remoteAddr = { ...source, via };
    const line = { time: 1, type: "accept", socket: 2, listener: 1, localAddr: source, remoteAddr };
    assert.ok(!isEvent(line));
    await assert.rejects(
      readRecording(recordingText([line as never])),
      /'remoteAddr' of the accept/,
    );
  }
});

test("recording schema: it accepts what is read, and refuses what is refused", async () => {
  const value = fc.constantFrom(null, -1, 1.5, 2 ** 33, 1e13, "x", "a*", true, {}, [], undefined);
  const head: [string, Record<string, unknown>] = ["head", { ...HEAD, seed: 1 }];
  const anyLine = fc.oneof(
    { weight: 1, arbitrary: fc.constant(head) },
    {
      weight: 9,
      arbitrary: anyRecording.filter(({ length }) => length > 0)
        .map((lines): [string, Record<string, unknown>] => ["event", lines[0]]),
    },
  );
  let [accepted, refused] = [0, 0];
  await fc.assert(
    fc.asyncProperty(anyLine, fc.nat(20), value, async ([kind, line], index, replaced) => {
      const names = Object.keys(line);
      const changed = { ...line, [names[index % names.length]]: replaced };
      const text = kind === "head" ? `${JSON.stringify(changed)}\n` : recordingText([]) +
        `${JSON.stringify(changed)}\n`;
      const read = await readRecording(text).then(() => true, () => false);
      const plain = JSON.parse(JSON.stringify(changed));
      const valid = kind === "head" ? isHead(plain) : isEvent(plain);
      assert.equal(valid, read, JSON.stringify(changed));
      if (read) accepted++;
      else refused++;
    }),
    { numRuns: share(1000) },
  );
  assert.ok(
    accepted > share(50) && refused > share(50),
    `${accepted} accepted, ${refused} refused`,
  );
});
