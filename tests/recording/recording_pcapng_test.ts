// What tshark and tcpflow make of the packets that are made up for a recording.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { pcapngWithin, toPcapng } from "../../lib/recording/pcapng/pcapng.ts";
import { runProgram } from "../support/peers.ts";
import { accepted, anyRecording, dataOf, type Line, recordingOf } from "../support/recordings.ts";
import { test } from "../support/runner.deno.ts";
import { type Capture, type SectionFindings, withCapture } from "../support/tshark.ts";

/** Runs `use` with the pcapng file of a recording, in a folder of its own. */
async function withFile(
  lines: readonly Line[],
  use: (capture: Capture, folder: string) => Promise<void>,
): Promise<void> {
  await withCapture(toPcapng(await recordingOf(lines)), use);
}

const BIG = Buffer.alloc(200_000, "0123456789abcdef");

/** A connection that was made, and what it sent and received, up to its end. */
function made(socket: number, addrs: { localAddr: object; remoteAddr: object }): Line[] {
  return [
    { type: "connect", socket, endpoint: addrs.remoteAddr },
    { type: "connected", socket, ...addrs },
    { type: "send", socket, text: "ping" },
    { type: "recv", socket, ...dataOf(Uint8Array.of(0, 0xff, 10)) },
    { type: "shutdown", socket },
    { type: "eof", socket },
    { type: "close", socket, bytesRead: 3, bytesWritten: 4, reset: false },
  ];
}

const tcp = (host: string, port: number) => ({ transport: "tcp", host, port });
const udp = (host: string, port: number) => ({ transport: "udp", host, port });
const unix = (path: string) => ({ transport: "unix", path });

const GET = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
const OK = `HTTP/1.1 200 OK\r\nContent-Length: ${BIG.length}\r\n\r\n`;

const reset = { code: "ECONNRESET", op: "read", message: "reset" };
const refused = { code: "ECONNREFUSED", op: "connect", message: "refused" };
const timedOut = { code: "ETIMEDOUT", op: "connect", message: "too late" };
const addrs = ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map((host) => tcp(host, 80));
const [leftOut, ...leftOutEnd] = accepted([], 7);

/** Recordings whose packets one tshark looks at. No two of them have a connection in common. */
const RECORDINGS: readonly (readonly Line[])[] = [
  [
    ...accepted([["client", GET], ["server", OK], ["server", BIG]]),
    ...made(3, { localAddr: tcp("::1", 9), remoteAddr: tcp("::1", 10) }),
    ...made(4, { localAddr: unix(""), remoteAddr: unix("/run/db.sock") }),
  ],
  [
    { type: "bind", socket: 1, addr: udp("127.0.0.1", 53) },
    { type: "recv", socket: 1, text: "ask", from: udp("127.0.0.1", 5000) },
    { type: "send", socket: 1, text: "answer", to: { host: "127.0.0.1", port: 5000 } },
    { type: "bind", socket: 2, addr: udp("::1", 53) },
    { type: "recv", socket: 2, text: "ask6", from: udp("::1", 5000) },
    { type: "close", socket: 1, bytesRead: 3, bytesWritten: 6, reset: false },
  ],
  [
    { type: "resolve", endpoint: { host: "db.example", port: 80 }, addrs },
    { type: "connect", socket: 1, endpoint: addrs[0] },
    { type: "error", socket: 1, op: "connect", error: refused },
    { type: "connect", socket: 2, endpoint: addrs[1] },
    { type: "error", socket: 2, op: "connect", error: timedOut },
    { type: "connect", socket: 3, endpoint: addrs[2] },
    { type: "connected", socket: 3, localAddr: tcp("10.0.0.9", 99), remoteAddr: addrs[2] },
    { type: "handshake", socket: 3, protocol: "TLSv1.3" },
    { type: "send", socket: 3, text: "a" },
    { type: "error", socket: 3, op: "read", error: reset },
    { type: "close", socket: 3, bytesRead: 0, bytesWritten: 1, reset: false },
    ...made(4, { localAddr: unix(""), remoteAddr: unix("/run/other.sock") }).slice(0, -3),
    { type: "close", socket: 4, bytesRead: 3, bytesWritten: 4, reset: true },
  ],
  [
    leftOut,
    { type: "recv", socket: 7, size: 1000 },
    { type: "send", socket: 7, size: 100_000 },
    { type: "recv", socket: 7, text: "known" },
    ...leftOutEnd,
  ],
];

const FIELDS = [
  ...["frame.protocols", "frame.comment", "http.request.uri", "http.response.code"],
  ...["ip.checksum.status", "tcp.checksum.status", "tcp.flags.str", "tcp.seq", "tcp.len"],
  ...["tcp.srcport", "udp.checksum.status", "udp.dstport", "udp.length"],
];

let found: Promise<SectionFindings> | undefined;

/** What tshark finds in the recordings. */
function findings(): Promise<SectionFindings> {
  return found ??= (async () => {
    const recordings = await Promise.all(RECORDINGS.map(recordingOf));
    return await withCapture(
      Buffer.concat(recordings.map(toPcapng)),
      (capture) => capture.lookBySection(FIELDS, ["tcp", 0], ["tcp", 1], ["tcp", 2], ["udp", 0]),
    );
  })();
}

/** Some fields of the packets of one of the recordings. */
function pick({ sections }: SectionFindings, index: number, ...names: string[]): string[][] {
  const at = names.map((name) => FIELDS.indexOf(name));
  return sections[index].packets.map((packet) => at.map((i) => packet[i]));
}

test("pcapng: tshark finds nothing wrong, and each direction has its bytes", async () => {
  const all = await findings();
  const [[up, down], ...others] = all.streams.slice(0, 3);
  assert.deepEqual(all.sections[0].complaints, []);
  assert.equal(up.toString(), GET);
  assert.ok(down.equals(Buffer.concat([Buffer.from(OK), BIG])));
  for (const [sent, received] of others) {
    assert.deepEqual([sent.toString(), [...received]], ["ping", [0, 0xff, 10]]);
  }
  const http = pick(all, 0, "frame.protocols", "http.request.uri", "http.response.code")
    .filter(([protocols]) => protocols.includes("http"));
  assert.deepEqual(http.map(([, uri, status]) => [uri, status]), [["/a", ""], ["", "200"]]);
  const checksums = pick(all, 0, "tcp.checksum.status", "ip.checksum.status");
  assert.ok(checksums.every(([tcp, ip]) => tcp === "1" && ip !== "0"), String(checksums));
  const sizes = pick(all, 0, "tcp.len").map(([size]) => Number(size)).filter((size) => size > 0);
  assert.ok(Math.max(...sizes) < 65_536 && sizes.length > 7, String(sizes));
}, ["tshark"]);

test("pcapng: datagrams are found with their bytes and right checksums", async () => {
  const all = await findings();
  const [up, down] = all.streams[3];
  assert.deepEqual([up.toString(), down.toString()], ["ask", "answer"]);
  const packets = pick(all, 1, "udp.checksum.status", "udp.dstport", "udp.length");
  assert.deepEqual(packets, [["1", "53", "11"], ["1", "5000", "14"], ["1", "53", "12"]]);
}, ["tshark"]);

test("pcapng: resets, attempts and TLS are comments, and names are resolved", async () => {
  const all = await findings();
  const packets = pick(all, 2, "tcp.flags.str", "frame.comment");
  const commentsOn = (flags: RegExp) =>
    packets.filter(([set]) => flags.test(set)).map(([, comment]) => comment);
  assert.deepEqual(commentsOn(/S/).slice(0, 3), [
    "attempt 1 of 3: refused",
    "attempt 2 of 3: too late",
    "attempt 3 of 3",
  ]);
  assert.deepEqual(
    commentsOn(/R/),
    ["attempt 1 of 3: refused", "reset by peer", "reset by this side"],
  );
  assert.equal(commentsOn(/./).filter((text) => text.includes("TLS handshake done")).length, 1);
  assert.deepEqual(all.sections[2].complaints, ["Connection reset (RST)"]);
  assert.match(all.hosts, /^10\.0\.0\.3\s+db\.example$/m);
  assert.match(all.hosts, /^fd00:0?:?.*\s+\/run\/other\.sock$/m);
}, ["tshark"]);

test("pcapng: what was not recorded keeps its size, and the sequence numbers fit", async () => {
  const all = await findings();
  assert.deepEqual(all.sections[3].complaints, []);
  const sizes = pick(all, 3, "tcp.seq", "tcp.len", "tcp.srcport")
    .filter(([, size]) => Number(size) > 0);
  const ofClient = sizes.filter(([, , port]) => port !== "80").map(([seq, size]) => [seq, size]);
  assert.deepEqual(ofClient, [["1", "1000"], ["1001", "5"]]);
  const total = sizes.filter(([, , port]) => port === "80")
    .reduce((sum, [, size]) => sum + Number(size), 0);
  assert.equal(total, 100_000);
}, ["tshark"]);

test("pcapng: data that was left out has packets up to a limit, and kept data does not count", async () => {
  const [accept] = accepted([]);
  const kept = await recordingOf([accept, { type: "recv", socket: 2, ...dataOf(BIG) }]);
  assert.ok(pcapngWithin(4096, kept).length > BIG.length);
  const leftOut = { type: "recv", socket: 2, size: 2 ** 23 } as const;
  const recording = await recordingOf([accept, leftOut, leftOut]);
  pcapngWithin(32 * 1024, recording);
  assert.throws(() => pcapngWithin(16 * 1024, recording), {
    name: "RangeError",
    message: "the packets take at most 16.0 KiB besides the recorded data",
  });
});

test("pcapng: tcpflow writes each direction into a file", async () => {
  await withFile(accepted([["client", GET], ["server", BIG]]), async ({ file }, folder) => {
    const out = join(folder, "out");
    const { code, stderr } = await runProgram(["tcpflow", "-a", "-r", file, "-o", out]);
    assert.equal(code, 0, String(stderr));
    const names = (await readdir(out)).filter((name) => /^127/.test(name)).sort();
    const contents = await Promise.all(names.map((name) => readFile(join(out, name))));
    assert.ok(contents.some((bytes) => bytes.equals(Buffer.from(GET))), String(names));
    assert.ok(contents.some((bytes) => bytes.equals(BIG)), String(names));
  });
}, ["tcpflow"]);

test(
  "pcapng: whatever recordings have, tshark reads the files, and every checksum is right",
  async () => {
    const recordings = fc.sample(anyRecording, { numRuns: 40, seed: 7 });
    for (const lines of recordings) toPcapng(await recordingOf(lines));
    // One file: the sockets of each recording are others, and so are its ports.
    const all = recordings.flatMap((lines, index) =>
      lines.map((line) => ({ ...line, time: index, socket: Number(line.socket) + 10 * index }))
    );
    await withFile(all, async (capture) => {
      const { packets } = await capture.look([
        ...["tcp.checksum.status", "ip.checksum.status", "_ws.malformed"],
        ...["frame.number", "_ws.col.Info"],
      ]);
      const bad = packets.filter(([tcp, ip, malformed]) =>
        `${tcp}~${ip}`.split("~").includes("0") || malformed !== ""
      );
      assert.deepEqual(bad, []);
      assert.ok(packets.length > 20);
    });
  },
  ["tshark"],
);
