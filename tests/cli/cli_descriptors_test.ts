// Servers and clients that run out of file descriptors: what they tell, and how they go on.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { processIo } from "../../lib/cli/io/io.ts";
import { Log } from "../../lib/cli/io/log.ts";
import { Shortage } from "../../lib/cli/serving/resource_shortage.ts";
import { probe } from "../../lib/cli/commands/connect/probe.ts";
import { Session } from "../../lib/cli/session.ts";
import { dial } from "../../lib/dial.ts";
import { type SocketErrorCode } from "../../lib/base/error_codes.ts";
import { SocketError } from "../../lib/base/errors.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import type { TcpAddr } from "../../lib/base/addr.ts";
import type { Conn, TcpConnectOptions } from "../../lib/net/transport.ts";
import { bytes, OWN_HOST, readText, rejects } from "../support/helpers.ts";
import { Output, Program, runProgram } from "../support/peers.ts";
import { inShell, listening, programCommand, startServer } from "../support/scripts.ts";
import { runtime, test } from "../support/runner.deno.ts";
import { makeSite } from "../support/site_helpers.ts";

/** More than what the runtimes take for themselves, and less than what the tests open. */
const LIMIT = 80;

/** A program of ours that may have so many file descriptors. */
function limited(name: string, args: readonly string[], limit = LIMIT): string[] {
  return inShell(`ulimit -n ${limit} && exec "$@"`, [...programCommand(name), ...args]);
}

/** Connects so many clients, one after the other, that say nothing; some may be turned away. */
async function crowd(port: number, n: number): Promise<Conn[]> {
  const clients: Conn[] = [];
  for (let i = 0; i < n; i++) {
    try {
      clients.push(await systemTransport.connect({ host: "127.0.0.1", port }));
    } catch (error) {
      // It may be turned away before connect() has returned.
      if (!(error instanceof SocketError) || error.code !== "ECONNRESET") throw error;
    }
  }
  return clients;
}

const BEGIN =
  /^(worker \d: )?this process has too many open files \(EMFILE\): .* is (\d+): raise it/m;
const END = /^(worker \d: )?EMFILE is over: new clients are taken again$/m;

function count(output: Output, pattern: RegExp): number {
  return output.text.match(new RegExp(pattern, "gm"))?.length ?? 0;
}

for (
  const args of [
    ["echo", "--host", "127.0.0.1", "-q"],
    ["echo", "--host", "127.0.0.1", "--tls-self-signed"],
    ["echo", "--host", "127.0.0.1", "--workers", "1"],
    ["web"],
    ["chat", "--host", "127.0.0.1"],
    ["relay", "--host", "127.0.0.1", "--to", "TARGET"],
  ]
) {
  test(`${args.join(" ")}: that descriptors run out is one line, and that it is over another`, async () => {
    await using target = await startServer(["--host", "127.0.0.1", "-q"]);
    const all = args.map((arg) => arg === "TARGET" ? `127.0.0.1:${target.port}` : arg);
    const program = new Program(limited("server", [...all, "--port", "0"]));
    await using server = await listening(program);
    const { stderr } = server.program;
    const clients = await crowd(server.port, LIMIT);
    const [, , limit] = await stderr.until(BEGIN);
    assert.equal(limit, String(LIMIT));
    for (const client of clients) client.close();
    await stderr.until(END);
    // It serves on.
    using client = await systemTransport.connect({ host: "127.0.0.1", port: server.port });
    if (args[0] === "echo" && !args.includes("--tls-self-signed") || args[0] === "relay") {
      await client.write(bytes("hello"));
      assert.equal(await readText(client, 5), "hello");
    }
    assert.deepEqual([count(stderr, BEGIN), count(stderr, END)], [1, 1]);
    client.close();
    const exit = await server.program.stop();
    assert.equal(exit.code, 0, exit.stderr);
  });
}

test("web: that there are none left for files is a line, too, though clients are taken", async () => {
  await using site = await makeSite();
  writeFileSync(site.path("large.bin"), new Uint8Array(8 * 1024 * 1024));
  const args = ["web", "--port", "0", "--max-connections", "60", site.root];
  // Enough for what Node opens at once to start, and for the clients, but not for their files.
  const program = new Program(limited("server", args, runtime === "Deno" ? 102 : 88));
  await using server = await listening(program);
  const { stderr } = server.program;
  const clients = await crowd(server.port, 60);
  for (const client of clients) {
    await client.write(bytes("GET /large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  }
  await stderr.until(BEGIN);
  await stderr.until(/"GET \/large\.bin HTTP\/1\.1" 503 \d+$/m);
  for (const client of clients) client.close();
  await stderr.until(END);
  assert.deepEqual([count(stderr, BEGIN), count(stderr, END)], [1, 1]);
});

/** What a log tells of shortages, with time and descriptors in our hands. */
function watched() {
  const clock = new VirtualClock();
  const stderr = new Output();
  const io = {
    ...processIo,
    stderr: Object.assign(Object.create(processIo.stderr), {
      write: (text: string) => (stderr.add(new TextEncoder().encode(text) as never), true),
      isTTY: false,
    }),
  };
  const it = { none: false, clock, stderr };
  const log = new Log(io, { verbose: false, quiet: true, log: "text" });
  const shortage = new Shortage(log, clock, () => {
    if (it.none) throw Object.assign(new Error("none"), { code: "EMFILE" });
  });
  return { ...it, it, shortage };
}

test("a shortage is told once for as long as it lasts, and again when it comes again", async () => {
  const { it, shortage, clock, stderr } = watched();
  const met = (code: SocketErrorCode) => shortage.heed(new SocketError(code, "accept"));
  met("ECONNABORTED");
  shortage.heed(Object.assign(new Error("no such file"), { code: "ENOENT" }));
  assert.deepEqual(stderr.lines, []);
  it.none = true;
  for (let i = 0; i < 10; i++) {
    met("EMFILE");
    await clock.advance(1000);
  }
  // Nobody comes, and there are none all the same.
  await clock.advance(60_000);
  assert.equal(stderr.lines.length, 1);
  it.none = false;
  await clock.advance(4000);
  assert.match(stderr.lines[0], BEGIN);
  assert.deepEqual(stderr.lines.slice(1), ["EMFILE is over: new clients are taken again"]);
  met("ENFILE");
  await clock.advance(4000);
  met("ENOBUFS");
  assert.match(stderr.lines[2], /^the system has too many open files \(ENFILE\): new clients wait/);
  assert.match(stderr.lines[3], /^ENFILE is over/);
  assert.match(stderr.lines[4], /^the system is out of buffers \(ENOBUFS\): new clients wait/);
});

test("connect -z: with few descriptors it tries fewer at once, and finds what is open", async () => {
  const open = await Promise.all([1, 2, 3].map(() => systemTransport.listen({ host: OWN_HOST })));
  const ports = open.map(({ addr }) => addr.port).sort((a, b) => a - b);
  const first = Math.max(1, Math.min(ports[0], ports[2] - 1));
  const range = `${OWN_HOST}:${first}-${Math.min(65535, first + 400)}`;
  const expected = ports.filter((port) => port <= first + 400)
    .map((port) => `${OWN_HOST}:${port} open\n`).join("");
  const exit = await runProgram(limited("client", ["connect", "-z", range], 60));
  for (const listener of open) listener.close();
  assert.deepEqual([exit.code, exit.stdout.toString(), exit.stderr], [0, expected, ""]);
});

test("connect -z: only so many are under way as there are descriptors, and none is left out", async () => {
  const transport = new MemoryTransport();
  let underWay = 0;
  let most = 0;
  const connect = async ({ port }: TcpConnectOptions): Promise<Conn> => {
    most = Math.max(most, underWay);
    if (underWay >= 7) throw new SocketError("EMFILE", "connect");
    underWay++;
    await new Promise((resolve) => setTimeout(resolve));
    underWay--;
    const addr: TcpAddr = { transport: "tcp", host: "127.0.0.1", port: 0 };
    if (port % 50 === 0) {
      return { localAddr: addr, remoteAddr: { ...addr, port }, close() {} } as Conn;
    }
    throw new SocketError("ECONNREFUSED", "connect");
  };
  Object.assign(transport, { connect });
  const ports = Array.from({ length: 500 }, (_, i) => ({ host: "127.0.0.1", port: i + 1 }));
  const printed: string[] = [];
  const session = new Session(processIo);
  session.print = (data) => Promise.resolve(void printed.push(String(data)));
  assert.equal(await probe(transport, ports, {}, session), 0);
  assert.equal(most, 7);
  const open = Array.from({ length: 10 }, (_, i) => `127.0.0.1:${50 * (i + 1)} open\n`);
  assert.equal(printed.join(""), open.join(""));
});

test("connect -z: if there are none at all it is said in the end: EMFILE", async () => {
  const transport = new MemoryTransport();
  Object.assign(transport, {
    connect: () => Promise.reject(new SocketError("EMFILE", "connect")),
  });
  const clock = new VirtualClock();
  const ports = Array.from({ length: 200 }, (_, i) => ({ host: "127.0.0.1", port: i + 1 }));
  const limits = { clock, timeout: 0 };
  let failed = false;
  const failing = rejects(probe(transport, ports, limits, new Session(processIo)), "EMFILE")
    .finally(() => failed = true);
  while (!failed) await clock.advance(1000);
  await failing;
});

test("dial: what this machine is out of is told before what the other one says", async () => {
  const transport = new MemoryTransport();
  Object.assign(transport, {
    resolve: () =>
      Promise.resolve([
        { transport: "tcp", host: "::1", port: 1 },
        { transport: "tcp", host: "127.0.0.1", port: 1 },
      ]),
    connect: ({ host }: TcpConnectOptions) => {
      const code = host === "::1" ? "ECONNREFUSED" : "EMFILE";
      return Promise.reject(new SocketError(code, "connect", { addr: { host: host!, port: 1 } }));
    },
  });
  await rejects(dial(transport, { host: "both", port: 1 }), "EMFILE");
});
