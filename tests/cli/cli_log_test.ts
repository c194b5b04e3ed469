// --log json and -q: what the scripts tell other programs.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { bytes } from "../support/helpers.ts";
import { InProcess } from "../support/in_process.ts";
import { Program, PYTHON } from "../support/peers.ts";
import {
  listening,
  programCommand,
  runClient,
  runServer,
  startServer,
} from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";

type Line = Record<string, unknown>;

/** The keys of each kind of line, in their order. */
const KEYS: Record<string, string[]> = {
  note: ["time", "level", "message"],
  resolve: ["time", "event", "endpoint", "addrs"],
  bind: ["time", "event", "socket", "addr"],
  listen: ["time", "event", "socket", "addr"],
  connect: ["time", "event", "socket", "endpoint"],
  connected: ["time", "event", "socket", "localAddr", "remoteAddr"],
  accept: ["time", "event", "socket", "listener", "localAddr", "remoteAddr"],
  send: ["time", "event", "socket", "bytes", "data"],
  recv: ["time", "event", "socket", "bytes", "data"],
  eof: ["time", "event", "socket"],
  shutdown: ["time", "event", "socket"],
  close: ["time", "event", "socket", "bytesRead", "bytesWritten", "reset"],
  error: ["time", "event", "socket", "op", "code", "message"],
};

/** Parses what a script told, and checks that each line has the keys of its kind. */
function parse(stderr: string): Line[] {
  assert.ok(stderr.endsWith("\n"), stderr);
  return stderr.trimEnd().split("\n").map((text) => {
    const line = JSON.parse(text) as Line;
    const kind = String(line.event ?? "note");
    // Listening and resolving fail without a socket.
    const keys = KEYS[kind]?.filter((key) => key in line || key !== "socket");
    assert.deepEqual(Object.keys(line), keys, text);
    assert.equal(new Date(line.time as string).toISOString(), line.time);
    return line;
  });
}

function kinds(lines: readonly Line[]): unknown[] {
  return lines.map(({ event, level }) => event ?? level);
}

test("server and client: --log json -v prints an object a line, with known keys", async () => {
  await using server = await startServer(["--host", "127.0.0.1", "--log", "json", "-v"]);
  const { port } = server;
  const exit = await runClient([
    ...["echo", "hello\n", "--host", "127.0.0.1", "--port", String(port)],
    ...["--log", "json", "-v"],
  ]);
  assert.deepEqual([exit.code, exit.stdout.toString()], [0, "hello\n"]);
  const client = parse(exit.stderr);
  // Sending and receiving go on at the same time.
  const order = kinds(client).filter((kind) => kind !== "shutdown");
  assert.deepEqual(order, [
    ...["info", "resolve", "connect", "connected", "send", "recv", "eof", "close", "info"],
  ]);
  const find = (lines: Line[], event: string) => lines.find((line) => line.event === event)!;
  assert.deepEqual(find(client, "resolve").addrs, [`127.0.0.1:${port}`]);
  const { bytes, data } = find(client, "send");
  assert.deepEqual([bytes, data], [6, '"hello\\n"']);
  const { bytesRead, bytesWritten, reset } = find(client, "close");
  assert.deepEqual([bytesRead, bytesWritten, reset], [6, 6, false]);

  const lines = parse((await server.program.stop()).stderr);
  assert.deepEqual(kinds(lines), [
    ...["info", "bind", "listen", "accept", "recv", "send", "eof", "close"],
    ...["info", "close", "info"],
  ]);
  assert.equal(find(lines, "bind").addr, `127.0.0.1:${port}`);
  assert.equal(find(lines, "accept").remoteAddr, find(client, "connected").localAddr);
});

test("server and client: --log json prints errors as objects, too", async () => {
  for (const verbose of [[], ["-v"], ["-q"]]) {
    const args = ["--host", "192.0.2.1", "--port", "0", "--log", "json", ...verbose];
    const { code, stderr } = await runServer(args);
    assert.equal(code, 7);
    const last = parse(stderr).at(-1)!;
    assert.equal(last.level, "error");
    assert.match(String(last.message), /^server\.ts: Cannot listen on .*\(EADDRNOTAVAIL\)/);
  }
  const args = ["--host", "127.0.0.1", "--port", "1", "--log", "json", "-v"];
  const { code, stderr } = await runClient(args);
  assert.equal(code, 7);
  const lines = parse(stderr);
  assert.deepEqual(kinds(lines), ["info", "resolve", "connect", "error", "error"]);
  assert.equal(lines.at(-2)!.code, "ECONNREFUSED");
});

test("server and client: --log json has no colour, even on a terminal", async () => {
  await using server = await startServer(["--host", "127.0.0.1"]);
  const at = ["--host", "127.0.0.1", "--port", String(server.port)];
  const env = { NO_COLOR: undefined };
  const { stderr } = await runClient([...at, "-v", "--log", "json"], { terminal: "stderr", env });
  parse(stderr);
});

test("client: -q prints nothing when all goes well, not even with -v", async () => {
  await using server = await startServer(["--host", "127.0.0.1"]);
  const at = ["--host", "127.0.0.1", "--port", String(server.port)];
  for (const more of [[], ["-v"], ["--log", "json"]]) {
    const exit = await runClient([...at, "-q", ...more]);
    assert.deepEqual([exit.code, exit.stdout.length, exit.stderr], [0, 42, ""]);
  }
});

/** Asserts that a server answers to a new connection. */
async function assertAnswers(port: number, sent: string, answer: RegExp): Promise<void> {
  const conn = await systemTransport.connect({ host: "127.0.0.1", port });
  await conn.write(bytes(sent));
  const buffer = new Uint8Array(1000);
  const n = await conn.read(buffer);
  assert.match(Buffer.from(buffer.subarray(0, n ?? 0)).toString(), answer);
  conn.close();
}

test("server: goes on when the reader of its log goes away, and ends with 0", async () => {
  await using target = await startServer(["--host", "127.0.0.1"]);
  const process = (args: string[]) => new Program([...programCommand("server"), ...args]);
  const inProcess = (args: string[]) => new InProcess("server", args);
  // A stream of our own fails as a pipe does, which two show.
  const servers = [
    [process, ["web"], "GET /none HTTP/1.0\r\n\r\n", /^HTTP\/1\.1 404 /],
    [inProcess, ["web", "--log", "json"], "GET /none HTTP/1.0\r\n\r\n", /^HTTP\/1\.1 404 /],
    [inProcess, ["echo", "-v"], "hello", /^hello$/],
    [process, ["echo", "--workers", "1", "-v"], "hello", /^hello$/],
    [inProcess, ["relay", "--to", `127.0.0.1:${target.port}`], "hello", /^hello$/],
    [inProcess, ["chat"], "hello\n", /^\* /],
  ] as const;
  for (const [start, args, sent, answer] of servers) {
    const program: Program | InProcess = start([...args, "--host", "127.0.0.1", "--port", "0"]);
    await using server = await listening(program);
    program.closeOutput();
    // The second one comes when what is to be told of the first could not be written.
    await assertAnswers(server.port, sent, answer);
    await assertAnswers(server.port, sent, answer);
    assert.equal((await program.stop("SIGINT")).code, 0, args.join(" "));
  }
});

test("server: goes on when nobody reads its URL", async () => {
  // What is written to the pipe is EPIPE from the beginning.
  const program = "import os, sys\nr, w = os.pipe()\nos.close(r)\nos.dup2(w, 1)\n" +
    "os.execvp(sys.argv[1], sys.argv[1:])";
  const command = [...programCommand("server"), "--host", "127.0.0.1", "--port", "0"];
  await using server = new Program([...PYTHON, "-c", program, ...command, "-v", "--log", "json"]);
  const [, port] = await server.stderr.until(/"event":"listen".*:(\d+)"/);
  await assertAnswers(Number(port), "hello", /^hello$/);
  assert.equal((await server.stop("SIGINT")).code, 0);
}, ["python3"]);

test("client: --log json -v has all bytes of what is sent and received, text -v their beginning", async () => {
  await using server = await startServer(["--host", "127.0.0.1"]);
  const at = ["--host", "127.0.0.1", "--port", String(server.port)];
  const message = "x".repeat(1000) + "\n\u202e";
  const { stderr } = await runClient(["echo", message, ...at, "-v", "--log", "json"]);
  const all = (event: string) =>
    parse(stderr).filter((line) => line.event === event).map(({ data }) => data);
  const told = `"${"x".repeat(1000)}\\n\\u{202e}"`;
  assert.deepEqual(all("send"), [told]);
  assert.equal(all("recv").map((data) => String(data).slice(1, -1)).join(""), told.slice(1, -1));
  const { stderr: text } = await runClient(["echo", message, ...at, "-v"]);
  assert.match(text, /^sending "x{64}…" \(1004 bytes\)$/m);
});
