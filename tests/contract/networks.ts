// The kinds of sockets that the contract suite runs over: how each makes connections, and its odd
// peers.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { CertificateStore } from "../../lib/net/tls/certificate_store.ts";
import type { SelfSigned } from "../../lib/net/tls/self_signed_certificate.ts";
import type { Addr, Endpoint, TcpAddr } from "../../lib/base/addr.ts";
import type { Conn, Transport } from "../../lib/net/transport.ts";
import { ownResetting } from "../../lib/testing/streams.ts";
import type { ResettingPeer, StreamTests, UnansweredPeer } from "../../lib/testing/stream_suite.ts";
import { bytes, OWN_HOST, type Pair, pairThrough, until } from "../support/helpers.ts";
import { isListening, keepsWaiting } from "../support/kernel.ts";
import { PYTHON, python, type PythonPeer } from "../support/peers.ts";
import { isHere, type OtherProgram } from "../support/programs.ts";
import { PythonHost } from "../support/python_host.ts";
import { runtime } from "../support/runner.deno.ts";

/** What forks the peers in Python, for all files of a process. */
let host: Promise<PythonHost> | undefined;

/** Starts what forks the peers in Python, where there is one: before the tests of a file that uses them. */
export async function startPeers(): Promise<void> {
  if (isHere("python3")) await (host ??= PythonHost.start("ssl"));
}

/** Ends it, after the tests of the file. */
export async function endPeers(): Promise<void> {
  const ending = host;
  host = undefined;
  await (await ending)?.[Symbol.asyncDispose]();
}

/** Starts a peer in Python: a fork, or a process of its own in files without {@linkcode startPeers}. */
async function startPeer(program: string, backlog?: number): Promise<PythonPeer> {
  if (host === undefined) return await python(program, backlog);
  return await (await host).run(program, backlog);
}

/** How one kind of socket makes connections. */
export interface Network extends Omit<StreamTests, "test"> {
  /** Makes both ends of a connection. */
  pair(): Promise<Pair>;
  /** The programs that `resetting` and `unanswered` run. */
  readonly peers: readonly OtherProgram[];
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
    (at) => transport.listen(at ?? { host: OWN_HOST }),
    (addr, signal) => transport.connect({ ...addr, signal }),
  );
}

/** TCP of the runtime. */
export function systemTcp(transport: Transport): Network {
  return {
    name: transport.name,
    ...onTcp(transport),
    peers: ["python3"],
    resetting: () => systemResetting(transport),
    unanswered: systemUnanswered,
    nobody: "ECONNREFUSED",
    brokenWrite: ["ECONNRESET"],
    leftWaiting: "ECONNRESET",
  };
}

/** What both ends of a connection in memory hold, and what wraps them, is well below it. */
export const MEMORY_UNREAD: number = 1024 * 1024;

/** Pipes in memory, by the names of TCP. */
export function memoryTcp(transport: Transport): Network {
  return {
    name: transport.name,
    ...onTcp(transport),
    peers: [],
    unanswered: () => memoryUnanswered(transport),
    nobody: "ECONNREFUSED",
    brokenWrite: ["ECONNRESET"],
    leftWaiting: "ECONNRESET",
    mostUnread: MEMORY_UNREAD,
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
    peers: ["python3"],
    resetting: () => unixResetting(transport),
    nobody: "ENOENT",
    // Linux tells it to a write(2) that waits; one that starts afterwards gets EPIPE.
    brokenWrite: ["ECONNRESET", "EPIPE"],
    // Node has accepted them, and there is no RST to send.
    leftWaiting: runtime === "Deno" ? "ECONNRESET" : null,
    // Linux holds 208 KiB of each direction, unless it was told to hold more.
    mostUnread: 4 * 1024 * 1024,
  };
}

/** Pipes in memory, by the names of Unix sockets. */
export function memoryUnix(transport: Transport): Network {
  return {
    name: `${transport.name}, Unix`,
    ...onUnix(transport),
    peers: [],
    nobody: "ENOENT",
    brokenWrite: ["ECONNRESET"],
    leftWaiting: "ECONNRESET",
    mostUnread: MEMORY_UNREAD,
  };
}

/** A hundred handshakes at once take some seconds, and more than the default on a busy machine. */
const handshakeTimeout = 60_000;

/** TLS on TCP of the runtime, with its certificate. Its peers end it by RST under TLS. */
export function systemTls(
  transport: Transport,
  { cert, key }: Pick<SelfSigned, "cert" | "key">,
): Network {
  const client = { caCerts: [cert], handshakeTimeout };
  // For all listeners: to read and check certificate and key takes longer than to listen.
  const certificates = new CertificateStore({ keyPairs: [{ cert, key }] });
  const tls = { certificates, handshakeTimeout };
  return {
    name: `${transport.name}, TLS`,
    ...making(
      (at) => transport.listen({ ...(at ?? { host: OWN_HOST }), tls }),
      async (addr, signal) => {
        const conn = await transport.connect({ ...addr, signal });
        return await transport.startTls(conn, { ...client, signal });
      },
    ),
    peers: ["python3"],
    resetting: () => tlsResetting(transport, { cert, key }),
    unanswered: systemUnanswered,
    nobody: "ECONNREFUSED",
    brokenWrite: ["ECONNRESET"],
    // Bun sends FIN to those whose handshake the listener has not noticed to be over.
    leftWaiting: runtime === "Deno" || runtime === "Bun" ? null : "ECONNRESET",
    // Deno frees a listener when its pending accept has noticed, and TLS always has one pending.
    untilFree: runtime === "Deno"
      ? (addr) => until(() => !isListening(addr as TcpAddr), "the listener to be gone")
      : undefined,
  };
}

/** A peer in Python that sends over TLS and then RST. */
async function tlsResetting(
  transport: Transport,
  { cert, key }: { cert: string; key: string },
): Promise<ResettingPeer> {
  const file = freshPath();
  writeFileSync(file, cert + key);
  const peer = await startPeer(`
import ssl
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(${JSON.stringify(file)})
context.num_tickets = 0
while True:
    s, _ = l.accept()
    s = context.wrap_socket(s, server_side=True)
    s.sendall(sys.stdin.readline().rstrip("\\n").encode())
    reset(s)
`);
  return await resettingBy(peer, async () => {
    const conn = await transport.connect(peer.endpoint);
    return await transport.startTls(conn, { caCerts: [cert] });
  });
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
async function unixResetting(transport: Transport): Promise<ResettingPeer> {
  const path = freshPath();
  const peer = await startPeer(`
u = socket.socket(socket.AF_UNIX)
u.bind(${JSON.stringify(path)})
u.listen()
say("ready")
while True:
    s, _ = u.accept()
    s.sendall(sys.stdin.readline().rstrip("\\n").encode())
    s.close()
`);
  await peer.hear();
  return await resettingBy(peer, async () => {
    const conn = await transport.connect({ path });
    await conn.write(bytes("?"));
    return conn;
  });
}

/** A peer in Python, which can send RST whatever the runtime under test can. */
export async function systemResetting(transport: Transport): Promise<ResettingPeer> {
  const peer = await startPeer(`
while True:
    s, _ = l.accept()
    s.sendall(sys.stdin.readline().rstrip("\\n").encode())
    reset(s)
`);
  return await resettingBy(peer, () => transport.connect(peer.endpoint));
}

/** Connects with Python and resets at once, before this process can do anything else. */
export function systemComeAndReset({ host, port }: TcpAddr): void {
  const program = `import socket, struct
s = socket.create_connection(("${host}", ${port}))
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
s.close()`;
  const [file, ...args] = [...PYTHON, "-c", program];
  execFileSync(file, args);
}

/** A peer in Python that sends the line that it is told, and breaks off. */
async function resettingBy(peer: PythonPeer, connect: () => Promise<Conn>): Promise<ResettingPeer> {
  const conns = [await connect()];
  return {
    conn: conns[0],
    reset: (data) => peer.say(data),
    async again() {
      conns.push(await connect());
      return conns.at(-1)!;
    },
    async [Symbol.asyncDispose]() {
      for (const conn of conns) conn.close();
      await peer[Symbol.asyncDispose]();
    },
  };
}

/** A socket with no room in its backlog: Linux drops further SYNs. */
export async function systemUnanswered(): Promise<UnansweredPeer> {
  const peer = await startPeer(
    `
filler = socket.socket()
filler.connect(l.getsockname())
say("full")
sys.stdin.read()
`,
    0,
  );
  await peer.hear();
  const { endpoint } = peer;
  return {
    endpoint,
    isAsked: () => keepsWaiting(endpoint, 0),
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  };
}

export function memoryResetting(transport: Transport): Promise<ResettingPeer> {
  return ownResetting({
    listen: () => transport.listen(),
    connect: (addr) => transport.connect(addr),
  });
}

export async function memoryUnanswered(transport: Transport): Promise<UnansweredPeer> {
  const listener = await transport.listen({ backlog: 1 });
  const waiting = await transport.connect(listener.addr);
  return {
    endpoint: listener.addr,
    // There is nothing between asking and being heard.
    isAsked: () => true,
    [Symbol.asyncDispose]() {
      waiting.close();
      listener.close();
      return Promise.resolve();
    },
  };
}
