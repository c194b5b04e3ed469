// Recordings that are made up, for tests of what is made of them.

import { Buffer } from "node:buffer";
import fc from "fast-check";
import type { RecordedEvent, Recording } from "../../lib/recording/format.ts";
import { readRecording } from "../../lib/recording/read.ts";

/** The first line of a recording. */
export const HEAD = {
  format: "plainsocket-recording",
  version: 1,
  program: "plainsocket 0.1.0",
  runtime: "deno 2.9.6",
  arguments: [],
  started: "2026-11-26T22:00:00.000Z",
  redaction: "fields",
  limits: { connection: 0, total: 0 },
} as const;

/** An event of a recording, as it stands in a line; `time` is its number unless it has one. */
export type Line =
  & { readonly type: RecordedEvent["type"]; readonly time?: number }
  & Readonly<Record<string, unknown>>;

/** The text of a recording with these events. */
export function recordingText(lines: readonly Line[]): string {
  return [HEAD, ...lines.map((line, index) => ({ time: index + 1, ...line }))]
    .map((line) => `${JSON.stringify(line)}\n`).join("");
}

/** The recording of these events. */
export async function recordingOf(lines: readonly Line[]): Promise<Recording> {
  return await readRecording(recordingText(lines));
}

const CLIENT = { transport: "tcp", host: "127.0.0.1", port: 50_000 };
const SERVER = { transport: "tcp", host: "127.0.0.1", port: 80 };

/** A piece of what one side sends. */
export type Said = readonly ["client" | "server", string | Uint8Array];

/** A connection that was accepted, and all that was said on it, up to its end. */
export function accepted(said: readonly Said[], socket = 2): Line[] {
  const remoteAddr = { ...CLIENT, port: CLIENT.port + socket };
  return [
    { type: "accept", socket, listener: 1, localAddr: SERVER, remoteAddr },
    ...said.map(([who, data]) => ({
      type: who === "client" ? "recv" as const : "send" as const,
      socket,
      ...dataOf(data),
    })),
    { type: "eof", socket },
    { type: "close", socket, bytesRead: 0, bytesWritten: 0, reset: false },
  ];
}

/** Data as it stands in a line. */
export function dataOf(data: string | Uint8Array): { text: string } | { b64: string } {
  return typeof data === "string" ? { text: data } : { b64: Buffer.from(data).toString("base64") };
}

/** Any character but half of a surrogate pair. The unit "binary" takes a second to be made. */
const character = fc.oneof(fc.nat(0xd7ff), fc.integer({ min: 0xe000, max: 0x10ffff }))
  .map((code) => String.fromCodePoint(code));

const text = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: character, maxLength: 40 }),
  fc.constantFrom(
    "\u001b]0;x\u0007",
    "<script>&'\"",
    "]]>",
    "#35;end",
    "Note over C: x",
    "%%{init}%%",
    "---\nx",
    "loop; end",
    "\ufffe\ud800",
  ),
);
const data = fc.oneof(
  text.map((text) => ({ text })),
  fc.uint8Array({ maxLength: 60 }).map(dataOf),
  fc.nat(100_000).map((size) => ({ size })),
);
const socket = fc.constantFrom(1, 2, 3);
const ip = fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom("localhost", "fe80::1%eth0"), text);
const port = fc.nat(65_535);
const tcp = fc.record({ transport: fc.constant("tcp"), host: ip, port });
const udp = fc.record({ transport: fc.constant("udp"), host: ip, port });
const unix = fc.record({ transport: fc.constant("unix"), path: text });
const addr = fc.oneof(tcp, unix, udp);
const code = fc.constantFrom("ECONNRESET", "ECONNREFUSED", "ETIMEDOUT");

function line(type: RecordedEvent["type"], rest: Record<string, fc.Arbitrary<unknown>>) {
  return fc.record({
    type: fc.constant(type),
    time: fc.double({ min: 0, max: 1e6, noNaN: true }),
    socket,
    ...rest,
  });
}

const anyLine: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: line("accept", { listener: socket, localAddr: addr, remoteAddr: addr }) },
  { weight: 3, arbitrary: line("connected", { localAddr: addr, remoteAddr: addr }) },
  line("bind", { addr: udp }),
  line("connect", { endpoint: fc.oneof(tcp, unix) }),
  { weight: 4, arbitrary: fc.tuple(line("recv", {}), data).map(([a, b]) => ({ ...a, ...b })) },
  { weight: 4, arbitrary: fc.tuple(line("send", {}), data).map(([a, b]) => ({ ...a, ...b })) },
  fc.tuple(line("wire", { direction: fc.constantFrom("recv", "send") }), data)
    .map(([a, b]) => ({ ...a, ...b })),
  line("keylog", {
    line: fc.constantFrom("CLIENT_RANDOM 00ff 1234", "SERVER_TRAFFIC_SECRET_0 a b"),
  }),
  line("eof", {}),
  line("shutdown", {}),
  line("close", { bytesRead: port, bytesWritten: port, reset: fc.boolean() }),
  line("error", {
    op: fc.constantFrom("read", "connect"),
    error: fc.record({ code, op: fc.constant("read"), message: text }),
  }),
  line("fault", { fault: text, detail: text }),
  line("handshake", { protocol: text }),
  line("link", { peer: socket }),
  line("resolve", {
    endpoint: fc.record({ host: text, port }),
    addrs: fc.array(tcp, { maxLength: 3 }),
  }),
);

/** Whatever a recording can have: who sends one to others may have made it up. */
export const anyRecording: fc.Arbitrary<Line[]> = fc.array(anyLine, {
  maxLength: 30,
}) as fc.Arbitrary<Line[]>;
