// Recordings that are written by hand, and clients of those who play them.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Buffer } from "node:buffer";
import type { Conn } from "../../lib/net/transport.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { serve } from "../../lib/serve/serve.ts";

/** A folder that is gone afterwards. */
export function folder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "plainsocket-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

/** What is said on a connection, in order; the client closes it then. */
export type Said = readonly (readonly ["client" | "server", string])[];

const HEAD = {
  format: "plainsocket-recording",
  version: 1,
  program: "by hand",
  runtime: "none",
  arguments: [],
  started: "2026-11-26T22:00:00.000Z",
  redaction: "none",
  limits: { connection: 0, total: 0 },
};

/** A recording of connections one after the other, by their servers; bytes as in latin1. */
export function recordingOf(...connections: Said[]): string {
  let time = 0;
  const events = connections.flatMap((said, i) => {
    const socket = i + 2;
    const addr = (port: number) => ({ transport: "tcp", host: "127.0.0.1", port });
    return [
      { type: "accept", socket, listener: 1, localAddr: addr(7), remoteAddr: addr(1000 + i) },
      ...said.map(([who, text]) => ({
        type: who === "client" ? "recv" : "send",
        socket,
        b64: Buffer.from(text, "latin1").toString("base64"),
      })),
      { type: "eof", socket },
      { type: "close", socket, bytesRead: 0, bytesWritten: 0, reset: false },
    ];
  });
  return [HEAD, ...events.map((event) => ({ time: ++time, ...event }))]
    .map((line) => `${JSON.stringify(line)}\n`).join("");
}

/** Reads one piece; "" is the end, and a reset. */
export async function readText(conn: Conn): Promise<string> {
  const buffer = new Uint8Array(1000);
  const n = await conn.read(buffer).catch(() => null);
  return Buffer.from(buffer.subarray(0, n ?? 0)).toString("latin1");
}

/** Sends pieces to a port of this machine, and returns all that comes back up to the end. */
export async function connectClient(port: number | string, pieces: string[]): Promise<string> {
  using conn = await systemTransport.connect({ host: "127.0.0.1", port: Number(port) });
  for (const piece of pieces) await conn.write(Buffer.from(piece, "latin1"));
  await conn.closeWrite().catch(() => {});
  let all = "";
  for (let text; (text = await readText(conn)) !== "";) all += text;
  return all;
}

/** Sends text. */
export async function say(conn: Conn, text: string): Promise<void> {
  await conn.write(Buffer.from(text, "latin1"));
}

/** A server that others are to reach. */
export interface TargetServer extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly address: string;
  /** What came on all of its connections, piece by piece. */
  readonly said: readonly string[];
}

/** Starts a server on a free port of this machine. */
export async function startTarget(converse: (conn: Conn) => Promise<void>): Promise<TargetServer> {
  const listener = await systemTransport.listen({ host: "127.0.0.1" });
  const said: string[] = [];
  const server = serve(listener, async (conn) => {
    const read = conn.read.bind(conn);
    conn.read = async (p) => {
      const n = await read(p);
      if (n !== null) said.push(Buffer.from(p.subarray(0, n)).toString("latin1"));
      return n;
    };
    await converse(conn);
  });
  return {
    address: `127.0.0.1:${listener.addr.port}`,
    said,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
