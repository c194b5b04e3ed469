// Attacks on a web server, each until it is over, with a probe that asks all the while.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { connect as connectTls } from "node:tls";
import type { Conn } from "../../lib/net/transport.ts";
import type { Program } from "../support/peers.ts";
import { runProgram } from "../support/peers.ts";
import type { ServerScript } from "../support/scripts.ts";
import { makeSite } from "../support/site_helpers.ts";
import { type Probed, probeDuring } from "./probe.ts";
import { ask, connect, contentOf, ended, hear, startSubject, type Subject } from "./subject.ts";

/** How hard an attack is. */
export interface Force {
  readonly connections: number;
  readonly seconds: number;
}

type Server = ServerScript<Program>;

const MIB = 1024 * 1024;

/** The modes of slowhttptest, with their arguments and what they ask for. */
export const SLOW_MODES: Readonly<Record<string, readonly string[]>> = {
  headers: ["-H", "-i", "2"],
  body: ["-B", "-i", "2", "-s", "8192", "-t", "PUT"],
  range: ["-R", "-a", "10", "-b", "3000"],
  read: ["-X", "-w", "512", "-y", "1024", "-n", "2", "-z", "32"],
};

/** Holds connections open with slowhttptest in some of its modes at once. */
export async function slow(
  subject: Subject,
  modes: readonly string[],
  { connections, seconds }: Force,
  args: readonly string[] = [],
): Promise<Probed> {
  const big = contentOf("big.bin", 1, 16 * MIB);
  await using site = await makeSite({ "big.bin": big, "index.html": "hello" });
  await using server = await startSubject(subject, ["web", "--upload", ...args, site.root]);
  const attack = Promise.all(modes.map((mode) =>
    runProgram([
      ...["slowhttptest", ...SLOW_MODES[mode], "-c", String(connections)],
      // All of them come within a quarter of a second.
      ...["-r", String(4 * connections), "-l", String(seconds), "-u"],
      `${server.url}${mode === "body" ? "new.bin" : "big.bin"}`,
    ])
  ));
  return await probeDuring(server, attack);
}

/** Does something `total` times, so many at once. */
async function flood(total: number, atOnce: number, one: () => Promise<void>): Promise<void> {
  let left = total;
  await Promise.all(Array.from({ length: atOnce }, async () => {
    while (left-- > 0) await one();
  }));
}

/** The first bytes of a ClientHello, which promise 512 bytes of it. */
const HALF_HELLO = Buffer.from("160301020001000", "hex");

function shakeHands({ port }: Server): Promise<void> {
  return new Promise((resolve) => {
    const socket = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false });
    socket.on("secureConnect", () => socket.destroy());
    socket.on("error", () => {});
    socket.on("close", () => resolve());
  });
}

/**
 * Connects to TLS and closes: at once, within the handshake, and behind it. One address cannot take all
 * the places for handshakes: else the oldest of them would make room.
 */
export async function floodTls(subject: Subject, { connections }: Force): Promise<Probed> {
  await using site = await makeSite({ "index.html": "hello" });
  const args = ["web", "--tls-self-signed", "--max-per-address", "64", site.root];
  await using server = await startSubject(subject, args);
  const half = async (bytes?: Uint8Array) => {
    // It may be refused at any moment.
    using conn = await connect(server).catch(() => undefined);
    if (bytes !== undefined) await conn?.write(bytes).catch(() => {});
  };
  const attack = Promise.all([
    flood(connections, 50, () => half()),
    flood(connections, 50, () => half(HALF_HELLO)),
    flood(connections / 10, 10, () => shakeHands(server)),
  ]);
  return await probeDuring(server, attack);
}

/** Asks for much on each connection, and reads nothing of it. */
export async function neverRead(subject: Subject, { connections }: Force): Promise<Probed> {
  const big = contentOf("big.bin", 1, 16 * MIB);
  await using site = await makeSite({ "big.bin": big, "index.html": "hello" });
  await using server = await startSubject(subject, ["web", site.root]);
  const conns: Conn[] = [];
  const attack = flood(connections, 50, async () => {
    const conn = await connect(server);
    conns.push(conn);
    await ask(conn, "GET /big.bin");
    // Its response has begun.
    await conn.read(new Uint8Array(1));
  });
  try {
    return await probeDuring(server, attack);
  } finally {
    for (const conn of conns) conn.close();
  }
}

/** A message that is to cost the server much, and the status that refuses it. */
interface Bomb {
  readonly head: readonly string[];
  /** Sent until the server has had enough. */
  readonly body?: string;
  readonly statuses: readonly number[];
}

const RANGES = Array.from({ length: 1200 }, (_, i) => `${2 * i}-${2 * i}`).join();

const BOMBS: readonly Bomb[] = [
  { head: [`GET /${"a".repeat(100_000)}`], statuses: [414] },
  { head: ["GET /", `X: ${"a".repeat(100_000)}`], statuses: [431] },
  { head: ["GET /", ...Array.from({ length: 5000 }, (_, i) => `X-${i}: y`)], statuses: [431] },
  { head: ["GET /big.bin", `Range: bytes=${RANGES}`], statuses: [200, 206, 416] },
  { head: ["GET /big.bin", "Range: bytes=0-,0-,0-,0-,0-,0-,0-,0-"], statuses: [200, 206, 416] },
  { head: ["GET /", `Accept-Encoding: ${"gzip;q=0.1,".repeat(1200)}`], statuses: [200] },
  {
    head: ["PUT /new.bin", "Transfer-Encoding: chunked"],
    body: `1;${"a".repeat(200_000)}\r\nx\r\n`,
    statuses: [400],
  },
  {
    head: ["PUT /new.bin", "Transfer-Encoding: chunked"],
    body: "1;a=b\r\nx\r\n".repeat(40_000),
    statuses: [400, 413],
  },
  {
    head: ["PUT /new.bin", "Transfer-Encoding: chunked"],
    body: "fffffffffffffff\r\n",
    statuses: [400, 413],
  },
  { head: ["PUT /new.bin", "Content-Length: 99999999999999"], statuses: [413] },
  {
    head: ["PUT /new.bin", "Transfer-Encoding: chunked"],
    body: `0\r\n${"X: y\r\n".repeat(20_000)}`,
    statuses: [400, 431],
  },
];

/** Sends messages that are to cost much: each is refused, or costs no more than others. */
export async function dropBombs(subject: Subject, { connections }: Force): Promise<Probed> {
  const big = contentOf("big.bin", 1, MIB);
  await using site = await makeSite({ "big.bin": big, "index.html": "hello" });
  const args = ["web", "--upload", "--max-upload", "10000", site.root];
  await using server = await startSubject(subject, args);
  let next = 0;
  const attack = flood(connections, 20, async () => {
    const { head, body = "", statuses } = BOMBS[next++ % BOMBS.length];
    using conn = await connect(server);
    const answer = hear(conn);
    const [line, ...fields] = head;
    // It may have had enough before all is sent.
    await ask(conn, line, ...fields).then(() => conn.write(Buffer.from(body))).catch(() => {});
    const { status, body: content } = await answer;
    assert.ok(
      statuses.includes(status),
      `${line.slice(0, 40)} ${fields[0]?.slice(0, 40)}: ${status}`,
    );
    assert.ok(content.length < 2 * MIB, "The response to ranges is larger than the file");
  });
  return await probeDuring(server, attack);
}

/** Has the server list a large directory and compress large texts, for many at once. */
export async function overwork(
  subject: Subject,
  { connections, seconds }: Force,
): Promise<Probed> {
  const texts = Array.from({ length: 10 }, (_, i) => [`${i}.txt`, contentOf(`${i}.txt`, 1, MIB)]);
  const names = Array.from({ length: 1000 }, (_, i) => [`list/file number ${i}`, "x"]);
  await using site = await makeSite(
    Object.fromEntries([...texts, ...names, ["index.html", "hello"]]),
  );
  await using server = await startSubject(subject, ["web", site.root]);
  const end = performance.now() + 1000 * seconds;
  let next = 0;
  const attack = Promise.all(Array.from({ length: connections }, async () => {
    do {
      using conn = await connect(server);
      const target = next++ % 2 === 0 ? `/list/?${next}` : `/${next % 10}.txt`;
      await ask(conn, `GET ${target}`, "Accept-Encoding: br, gzip", "Connection: close");
      await ended(conn);
    } while (performance.now() < end);
  }));
  return await probeDuring(server, attack);
}
