// Recordings of TLS as it goes over the network, which tshark decrypts.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { SocketError } from "../../lib/base/errors.ts";
import type { Conn } from "../../lib/net/transport.ts";
import { selfSigned } from "../../lib/net/tls/self_signed.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { observeWire, whyNoWire } from "../../lib/observe/tls_wire.ts";
import { readRecording } from "../../lib/recording/read.ts";
import { recordingSink } from "../../lib/recording/record.ts";
import { toPcapng } from "../../lib/recording/pcapng/pcapng.ts";
import type { RecordedEvent, Recording } from "../../lib/recording/format.ts";
import { toHar } from "../../lib/recording/har/har.ts";
import { toMermaid } from "../../lib/recording/mermaid.ts";
import { toSvg } from "../../lib/recording/svg.ts";
import { toText } from "../../lib/recording/text.ts";
import { replayed } from "../../lib/replay/replay_transport.ts";
import { until } from "../support/helpers.ts";
import { accepted, type Line, recordingOf } from "../support/recordings.ts";
import { runtime, test } from "../support/runner.deno.ts";
import { type SectionFindings, withCapture } from "../support/tshark.ts";

const GET = "GET /secret HTTP/1.1\r\nHost: localhost\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhidden";

async function readUntil(conn: Conn, end: string): Promise<string> {
  const buffer = new Uint8Array(4096);
  let text = "";
  while (!text.endsWith(end)) {
    const n = await conn.read(buffer);
    if (n === null) break;
    text += Buffer.from(buffer.subarray(0, n)).toString("latin1");
  }
  return text;
}

/** Records one exchange over TLS, seen by one of its sides, or by both. */
async function recorded(sides: { client: boolean; server: boolean }): Promise<Recording> {
  let lines = "";
  const watched = observeWire(
    systemTransport,
    recordingSink((text) => void (lines += text), { redaction: "none" }),
  );
  const [ofServer, ofClient] = [sides.server, sides.client]
    .map((isWatched) => isWatched ? watched : systemTransport);
  const tls = await selfSigned(["localhost"]);
  using listener = await ofServer.listen({ host: "127.0.0.1", tls });
  const tcp = await ofClient.connect(listener.addr);
  const [conn, accepted] = await Promise.all([
    ofClient.startTls(tcp, { caCerts: [tls.cert], servername: "localhost" }),
    listener.accept(),
  ]);
  await conn.write(Buffer.from(GET));
  assert.equal(await readUntil(accepted, "\r\n\r\n"), GET);
  await accepted.write(Buffer.from(OK));
  assert.equal(await readUntil(conn, "hidden"), OK);
  await conn.closeWrite();
  assert.equal(await accepted.read(new Uint8Array(1)), null);
  await accepted.closeWrite();
  assert.equal(await conn.read(new Uint8Array(1)), null);
  accepted.close();
  conn.close();
  return await readRecording(lines);
}

/** Events of TLS on the network, between those of `lines`. */
function withWire(lines: readonly Line[]): Line[] {
  const socket = 2;
  return lines.flatMap((line) => [
    line,
    { type: "wire", socket, direction: "recv", b64: "FgMB" },
    { type: "keylog", socket, line: "CLIENT_RANDOM 00 11" },
    { type: "wire", socket, direction: "send", b64: "FwMD" },
  ]);
}

test("wire: drawings, archives and replays are made of the plaintext alone", async () => {
  const plain = accepted([["client", GET], ["server", OK]]).map((line) => ({ ...line, time: 1 }));
  const wire = withWire(plain).map((line) => ({ ...line, time: 1 }));
  const [one, other] = [await recordingOf(plain), await recordingOf(wire)];
  for (const make of [toText, toSvg, toMermaid, toHar]) assert.deepEqual(make(other), make(one));
  const transport = replayed(other);
  const conn = await transport.connect({ host: "127.0.0.1", port: 80 });
  await conn.write(Buffer.from(GET));
  assert.equal(await readUntil(conn, "hidden"), OK);
  await conn.closeWrite();
  conn.close();
  await transport.finished;
});

test("wire: its bytes count against the limits of a recording", async () => {
  let lines = "";
  const options = { redaction: "none", connectionLimit: 5 } as const;
  const sink = recordingSink((text) => void (lines += text), options);
  const event = { type: "wire", time: 0, socket: 1 } as const;
  sink({ ...event, direction: "send", data: Uint8Array.of(0xff, 2, 3) });
  sink({ ...event, direction: "recv", data: Uint8Array.of(0xff, 5, 6) });
  const { events } = await readRecording(lines);
  assert.deepEqual(
    events.map((event) => event.type === "wire" ? [event.direction, event.size] : event.type),
    [["send", 3], ["recv", 2], "cut", ["recv", 1]],
  );
});

test("wire: a secret that is not a line of a key log is refused", async () => {
  for (
    const line of [
      "CLIENT_RANDOM 00 11\nX 00 11",
      "client 00",
      "A 00 zz",
      `A 00 ${"0".repeat(999)}`,
    ]
  ) {
    await assert.rejects(
      recordingOf([{ type: "keylog", socket: 1, line }]),
      /'line' of the keylog is missing or not valid/,
    );
  }
});

const why = whyNoWire();
if (why !== undefined) {
  test(`wire: on ${runtime} it is ENOTSUP, with the reason`, () => {
    assert.throws(
      () => observeWire(systemTransport, () => {}),
      (error: SocketError) => error.code === "ENOTSUP" && error.message.includes(why),
    );
  });
} else {
  const names = ["frame.protocols", "http.request.uri", "http.response.code", "tcp.flags.str"];
  const sides = ["client", "server"] as const;
  let found: Promise<SectionFindings> | undefined;

  /**
   * What tshark finds, in one file: of each side, what it recorded, and another recording of it without
   * the secrets; and a recording of both.
   */
  const findings = () =>
    found ??= (async () => {
      const captures: Uint8Array[] = [];
      for (const side of sides) {
        const watched = { client: false, server: false, [side]: true };
        captures.push(toPcapng(await recorded(watched)));
        const recording = await recorded(watched);
        const events = recording.events.filter(({ type }) => type !== "keylog");
        captures.push(toPcapng({ ...recording, events }));
      }
      captures.push(toPcapng(await recorded({ client: true, server: true })));
      assert.equal(Buffer.concat(captures).includes("hidden"), false);
      return await withCapture(
        Buffer.concat(captures),
        (capture) => capture.lookBySection(names, ...[0, 1, 2, 3].map((n) => ["tls", n] as const)),
      );
    })();

  /** The fields of the packets of a section that have HTTP. */
  const httpIn = ({ sections }: SectionFindings, section: number) =>
    sections[section].packets.filter(([protocols]) => protocols.includes("http"));

  sides.forEach((side, index) => {
    test(
      `wire: tshark decrypts what the ${side} recorded, and without the secrets it does not`,
      async () => {
        const all = await findings();
        const [withSecrets, without] = [2 * index, 2 * index + 1];
        assert.deepEqual(httpIn(all, withSecrets).map((packet) => packet.slice(1, 3)), [
          ["/secret", ""],
          ["", "200"],
        ]);
        assert.match(Buffer.concat(all.streams[withSecrets]).toString(), /hidden/);
        const { packets, complaints } = all.sections[withSecrets];
        assert.deepEqual(complaints, []);
        // FIN of both, behind all data.
        assert.equal(packets.filter(([, , , flags]) => flags.includes("F")).length, 2);

        const encrypted = all.sections[without].packets.map(([protocols]) => protocols);
        assert.ok(encrypted.filter((protocols) => protocols.includes(":tls")).length > 3);
        assert.deepEqual(httpIn(all, without), []);
        assert.equal(Buffer.concat(all.streams[without]).toString(), "");
      },
      ["tshark"],
    );
  });

  test("wire: where both sides are recorded, each byte is in the capture once", async () => {
    const all = await findings();
    assert.deepEqual(httpIn(all, 4).map(([, uri]) => uri), ["/secret", ""]);
    assert.deepEqual(all.sections[4].complaints, []);
  }, ["tshark"]);

  test("wire: the plaintext and the bytes of the network are both there, and close is the last event", async () => {
    const { events } = await recorded({ client: true, server: false });
    const bytes = (wanted: (event: RecordedEvent) => boolean) =>
      Buffer.concat(
        events.filter(wanted).map((event) => "data" in event ? event.data! : new Uint8Array(0)),
      ).toString("latin1");
    assert.equal(bytes(({ type }) => type === "send"), GET);
    const sent = bytes((event) => event.type === "wire" && event.direction === "send");
    // A record of a handshake in TLS begins so, and it has the name that is asked for.
    assert.ok(sent.startsWith("\x16\x03") && sent.includes("localhost"));
    assert.ok(!sent.includes("secret"));
    assert.equal(events.at(-1)!.type, "close");
    assert.equal(events.filter(({ type }) => type === "close").length, 1);
  });

  test("wire: a handshake that failed is a connection of the recording, with its end", async () => {
    const types: string[] = [];
    const failures: string[] = [];
    const watched = observeWire(systemTransport, (event) => {
      if ("socket" in event && event.socket === 2) types.push(event.type);
    });
    const tls = await selfSigned(["localhost"]);
    const onHandshakeError = (error: Error) => void failures.push(error.message);
    using listener = await watched.listen({
      host: "127.0.0.1",
      tls: { ...tls, onHandshakeError },
    });
    const conn = await systemTransport.connect(listener.addr);
    await conn.write(Buffer.from("this is not TLS\r\n\r\n"));
    while (await conn.read(new Uint8Array(99)).catch(() => null) !== null);
    conn.close();
    await until(() => types.includes("close"), "the end of the connection");
    assert.deepEqual([types[0], types[1], types.at(-1)], ["accept", "wire", "close"]);
    assert.equal(types.filter((type) => type === "error").length, 1);
    assert.equal(failures.length, 1);
  });
}
