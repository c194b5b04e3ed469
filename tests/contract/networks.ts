// The kinds of sockets that the contract suite runs over: how each makes connections, and its odd
// peers.

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import type { SocketErrorCode } from "../../lib/errors.ts";
import type { SelfSigned } from "../../lib/tls_cert.ts";
import type { Addr, Conn, Endpoint, Listener, Transport } from "../../lib/transport.ts";
import { bytes, type Pair, pairThrough } from "../helpers.ts";
import { python } from "../peers.ts";
import { runtime } from "../runner.deno.ts";

/** A connection, and a function that makes its peer send `data` and then break off. */
export type Resetting = AsyncDisposable & { conn: Conn; reset(data: string): void };

/** An endpoint whose backlog is full, so that connecting to it takes for ever. */
export type Unanswered = AsyncDisposable & { endpoint: Endpoint };

/** How one kind of socket makes connections. */
export interface Network {
  /** As the tests' names begin. */
  readonly name: string;
  /** Listens on an address of its own, or again on one that was had before. */
  listen(at?: Addr): Promise<Listener>;
  connect(addr: Addr | Endpoint, signal?: AbortSignal): Promise<Conn>;
  /** Makes both ends of a connection. */
  pair(): Promise<Pair>;
  resetting(): Promise<Resetting>;
  /** Undefined where the kernel refuses instead of keeping one waiting. */
  readonly unanswered?: () => Promise<Unanswered>;
  /** Waits, after a listener was closed, until its address is free; undefined where it is at once. */
  readonly untilFree?: () => Promise<void>;
  /** The code of connecting to an address whose listener is closed. */
  readonly nobody: SocketErrorCode;
  /** The codes of a write that waits while the peer resets. */
  readonly brokenWrite: readonly SocketErrorCode[];
  /** What those read who were not accepted when the listener closed. */
  readonly leftWaiting: "ECONNRESET" | null;
  /** Counts the open file descriptors, where there are any. */
  readonly countDescriptors?: () => number;
}

type Making = Pick<Network, "listen" | "connect" | "pair">;

function making(
  listen: Network["listen"],
  connect: Network["connect"],
): Making {
  return { listen, connect, pair: async () => await pairThrough(await listen(), connect) };
}

function onTcp(transport: Transport): Making {
  return making(
    (at) => transport.listen(at ?? { host: "127.0.0.1" }),
    (addr, signal) => transport.connect({ ...addr, signal }),
  );
}

/** TCP of the runtime. */
export function systemTcp(transport: Transport): Network {
  return {
    name: transport.name,
    ...onTcp(transport),
    resetting: () => systemResetting(transport),
    unanswered: systemUnanswered,
    nobody: "ECONNREFUSED",
    brokenWrite: ["ECONNRESET"],
    leftWaiting: "ECONNRESET",
    countDescriptors,
  };
}

/** Pipes in memory, by the names of TCP. */
export function memoryTcp(transport: Transport): Network {
  return {
    name: transport.name,
    ...onTcp(transport),
    resetting: () => memoryResetting(transport),
    unanswered: () => memoryUnanswered(transport),
    nobody: "ECONNREFUSED",
    brokenWrite: ["ECONNRESET"],
    leftWaiting: "ECONNRESET",
  };
}

function onUnix(transport: Transport): Making {
  return making(
    (at) => transport.listen({ path: at === undefined ? freshPath() : pathOf(at) }),
    (addr, signal) => transport.connect({ path: pathOf(addr), signal }),
  );
}

/** Unix sockets of the runtime. Linux does not let one wait for a place in their backlog. */
export function systemUnix(transport: Transport): Network {
  return {
    name: `${transport.name}, Unix`,
    ...onUnix(transport),
    resetting: () => unixResetting(transport),
    nobody: "ENOENT",
    // Linux tells it to a write(2) that waits; one that starts afterwards gets EPIPE.
    brokenWrite: ["ECONNRESET", "EPIPE"],
    // Node has accepted them, and there is no RST to send.
    leftWaiting: runtime === "Deno" ? "ECONNRESET" : null,
    countDescriptors,
  };
}

/** Pipes in memory, by the names of Unix sockets. */
export function memoryUnix(transport: Transport): Network {
  return {
    name: `${transport.name}, Unix`,
    ...onUnix(transport),
    resetting: () => memoryResetting(transport),
    nobody: "ENOENT",
    brokenWrite: ["ECONNRESET"],
    leftWaiting: "ECONNRESET",
  };
}

/** TLS on TCP of the runtime, with a certificate for 127.0.0.1. Its peers end it by RST under TLS. */
export function systemTls(transport: Transport, { cert, key }: SelfSigned): Network {
  const client = { caCerts: [cert] };
  return {
    name: `${transport.name}, TLS`,
    ...making(
      (at) => transport.listen({ ...(at ?? { host: "127.0.0.1" }), tls: { cert, key } }),
      async (addr, signal) => {
        const conn = await transport.connect({ ...addr, signal });
        return await transport.startTls(conn, { ...client, signal });
      },
    ),
    resetting: () => tlsResetting(transport, { cert, key }),
    unanswered: systemUnanswered,
    nobody: "ECONNREFUSED",
    brokenWrite: ["ECONNRESET"],
    leftWaiting: runtime === "Deno" ? null : "ECONNRESET",
    // Deno frees a listener when its pending accept has noticed, and TLS always has one pending.
    untilFree: runtime === "Deno" ? () => setTimeout(10) : undefined,
    countDescriptors,
  };
}

/** A peer in Python that sends over TLS and then RST. */
async function tlsResetting(
  transport: Transport,
  { cert, key }: { cert: string; key: string },
): Promise<Resetting> {
  const file = freshPath();
  writeFileSync(file, cert + key);
  const peer = await python(`
import ssl
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(${JSON.stringify(file)})
context.num_tickets = 0
s, _ = l.accept()
s = context.wrap_socket(s, server_side=True)
s.sendall(sys.stdin.readline().rstrip("\\n").encode())
reset(s)
sys.stdin.read()
`);
  const conn = await transport.startTls(await transport.connect(peer.endpoint), {
    caCerts: [cert],
  });
  return {
    conn,
    reset: (data) => peer.say(data),
    async [Symbol.asyncDispose]() {
      conn.close();
      await peer[Symbol.asyncDispose]();
    },
  };
}

const directory = mkdtempSync(join(tmpdir(), "plainsocket-"));
process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
let paths = 0;

/** A path that nothing is at. */
export function freshPath(): string {
  return join(directory, `${++paths}.sock`);
}

function pathOf(addr: Addr | Endpoint): string {
  assert.ok("path" in addr);
  return addr.path;
}

/**
 * A peer in Python that closes with a byte unread: what Linux has in place of RST on Unix sockets.
 */
async function unixResetting(transport: Transport): Promise<Resetting> {
  const path = freshPath();
  const peer = await python(`
u = socket.socket(socket.AF_UNIX)
u.bind(${JSON.stringify(path)})
u.listen()
say("ready")
s, _ = u.accept()
s.sendall(sys.stdin.readline().rstrip("\\n").encode())
s.close()
sys.stdin.read()
`);
  await peer.hear();
  const conn = await transport.connect({ path });
  await conn.write(bytes("?"));
  return {
    conn,
    reset: (data) => peer.say(data),
    async [Symbol.asyncDispose]() {
      conn.close();
      await peer[Symbol.asyncDispose]();
    },
  };
}

/** A peer in Python, which can send RST whatever the runtime under test can. */
export async function systemResetting(transport: Transport): Promise<Resetting> {
  const peer = await python(`
s, _ = l.accept()
s.sendall(sys.stdin.readline().rstrip("\\n").encode())
reset(s)
sys.stdin.read()
`);
  const conn = await transport.connect(peer.endpoint);
  return {
    conn,
    reset: (data) => peer.say(data),
    async [Symbol.asyncDispose]() {
      conn.close();
      await peer[Symbol.asyncDispose]();
    },
  };
}

/** A socket with no room in its backlog: Linux drops further SYNs. */
export async function systemUnanswered(): Promise<Unanswered> {
  const peer = await python(
    `
filler = socket.socket()
filler.connect(l.getsockname())
say("full")
sys.stdin.read()
`,
    0,
  );
  await peer.hear();
  return { endpoint: peer.endpoint, [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose]() };
}

function countDescriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

export async function memoryResetting(transport: Transport): Promise<Resetting> {
  const listener = await transport.listen();
  const [conn, peer] = await Promise.all([transport.connect(listener.addr), listener.accept()]);
  return {
    conn,
    async reset(data) {
      await peer.write(bytes(data));
      peer.reset();
    },
    [Symbol.asyncDispose]() {
      conn.close();
      listener.close();
      return Promise.resolve();
    },
  };
}

export async function memoryUnanswered(transport: Transport): Promise<Unanswered> {
  const listener = await transport.listen({ backlog: 1 });
  const waiting = await transport.connect(listener.addr);
  return {
    endpoint: listener.addr,
    [Symbol.asyncDispose]() {
      waiting.close();
      listener.close();
      return Promise.resolve();
    },
  };
}
