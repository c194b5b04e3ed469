// What the scripts tell on stderr: the tutorial's lines with -v, notes without, JSON for programs.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { python, runProgram } from "../support/peers.ts";
import {
  hasIPv6,
  onTerminal,
  programCommand,
  runClient,
  type ServerScript,
  startServer,
} from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";

const MESSAGE = "This is the message.  It will be repeated.";

/** A server on 127.0.0.1, and the options that lead a client there. */
async function serverAt127(...args: string[]): Promise<[server: ServerScript, at: string[]]> {
  const server = await startServer(["--host", "127.0.0.1", ...args]);
  return [server, ["--host", "127.0.0.1", "--port", String(server.port)]];
}

/** Port numbers that differ from run to run, as PORT; the server's is S. */
function normalize(lines: readonly string[], port: number): string[] {
  return lines.map((line) => line.replaceAll(`:${port}`, ":S").replace(/:\d+/g, ":PORT"));
}

test("server: -v --recv-size 16 prints the tutorial's transcript, line by line", async () => {
  const [server, at] = await serverAt127("-v", "--recv-size", "16");
  await using _server = server;
  for (let i = 0; i < 2; i++) await runClient([...at, "-v", "--recv-size", "16"]);
  const exit = await server.program.stop();
  const conversation = [
    "connection from 127.0.0.1:PORT",
    'received "This is the mess"',
    "sending data back to the client",
    'received "age.  It will be"',
    "sending data back to the client",
    'received " repeated."',
    "sending data back to the client",
    'received ""',
    "no more data from 127.0.0.1:PORT",
    "closing the connection from 127.0.0.1:PORT",
    "waiting for a connection",
  ];
  assert.deepEqual(normalize(exit.stderr.trimEnd().split("\n"), server.port), [
    "starting up on 127.0.0.1 port 0",
    "waiting for a connection",
    ...conversation,
    ...conversation,
    "stopping: connections get 10 s to finish, Ctrl-C ends at once",
    "closing the listening socket",
    "stopped after 2 connections, 0 of them reset",
  ]);
});

test("client: -v --recv-size 16 prints the tutorial's transcript, line by line", async () => {
  const [server, at] = await serverAt127("--recv-size", "16");
  await using _server = server;
  const { code, stdout, stderr } = await runClient([...at, "-v", "--recv-size", "16"]);
  assert.deepEqual([code, stdout.toString()], [0, MESSAGE]);
  const lines = stderr.trimEnd().split("\n");
  // It sends and receives at the same time, so this one may come before or after what is received.
  const halfClosing = lines.indexOf("nothing more to send: half-closing");
  assert.ok(halfClosing > lines.indexOf(`sending "${MESSAGE}"`));
  lines.splice(halfClosing, 1);
  assert.deepEqual(normalize(lines, server.port), [
    `connecting to 127.0.0.1 port ${server.port}`,
    "candidate 1: 127.0.0.1:S",
    "  Family  : AF_INET",
    "  Type    : SOCK_STREAM",
    "  Protocol: IPPROTO_TCP",
    "trying 127.0.0.1:S",
    "connected to 127.0.0.1:S from 127.0.0.1:PORT",
    `sending "${MESSAGE}"`,
    'received "This is the mess"',
    'received "age.  It will be"',
    'received " repeated."',
    "no more data from the server",
    "closing socket",
    "sent 42 bytes and received the same; closed",
  ]);
});

test("client: -v shows the family of an IPv6 candidate, and which of several it tries", async () => {
  await using server = await startServer(["--host", ""]);
  const port = ["--port", String(server.port)];
  if (await hasIPv6()) {
    const { stderr } = await runClient(["--host", "::1", ...port, "-v"]);
    assert.match(stderr, /^candidate 1: \[::1\]:\d+\n {2}Family {2}: AF_INET6\n/m);
    assert.match(stderr, /^connected to \[::1\]:\d+ from \[::1\]:\d+$/m);
  }
  const { stderr } = await runClient(["--host", "localhost", ...port, "-v"]);
  const candidates = [...stderr.matchAll(/^candidate \d+: (.*)$/gm)].map(([, addr]) => addr);
  const [, tried] = /^trying (.*)$/m.exec(stderr)!;
  assert.equal(tried, candidates[0]);
});

test("client: -v closes its socket in the transcript whatever happened", async () => {
  for (const [misdeed, code] of [["reset(s)", 56], ["s.sendall(b'?'); s.recv(1)", 1]] as const) {
    await using peer = await python(`
s, _ = l.accept()
s.recv(1000)
${misdeed}
sys.stdin.read()
`);
    const { host, port } = peer.endpoint;
    const exit = await runClient(["--host", host, "--port", String(port), "-v"]);
    assert.equal(exit.code, code);
    assert.match(exit.stderr, /^closing socket\n[^]*^client\.ts: .*\n$/m);
  }
}, ["python3"]);

test("server: -v tells two conversations at once apart", async () => {
  const [server, at] = await serverAt127("-v");
  await using _server = server;
  const peer = await python(`
a = socket.create_connection(("127.0.0.1", ${server.port}))
a.sendall(b"one"); a.recv(3)
b = socket.create_connection(("127.0.0.1", ${server.port}))
b.sendall(b"two"); b.recv(3)
a.sendall(b"more"); a.recv(4)
b.close()
say(a.getsockname()[1])
`);
  await using _peer = peer;
  await peer.hear();
  await runClient(at);
  const { lines } = server.program.stderr;
  const said = (text: string) => lines.find((line) => line.endsWith(`received "${text}"`));
  assert.equal(said("one"), 'received "one"');
  const [, two] = /^(\[\d+\]) received "two"$/.exec(said("two")!)!;
  const [, more] = /^(\[\d+\]) received "more"$/.exec(said("more")!)!;
  assert.notEqual(two, more);
}, ["python3"]);

test("server and client: -v shows what is not text escaped, and what is long cut short", async () => {
  const [server, at] = await serverAt127("-v");
  await using _server = server;
  const shown = (stderr: string, verb: string) =>
    stderr.split("\n").find((line) => line.startsWith(`${verb} "`))!;
  const data = Buffer.from([0, 7, 27, 0x5b, 0x41, 0xff, 0x0a, 0x22, 0xc3, 0xa9]);
  const quoted = '"\\x00\\x07\\x1b[A\\xff\\n\\"é"';
  const odd = await runClient([...at, "-v"], { stdin: data });
  assert.equal(shown(odd.stderr, "sending"), `sending ${quoted}`);
  assert.equal(shown(odd.stderr, "received"), `received ${quoted}`);
  assert.equal(shown(server.program.stderr.text, "received"), `received ${quoted}`);
  assert.deepEqual(odd.stdout, data);

  const long = await runClient(["echo", "x".repeat(500), ...at, "-v"]);
  assert.equal(shown(long.stderr, "sending"), `sending "${"x".repeat(64)}…" (500 bytes)`);
  const { stderr } = await server.program.stop();
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(stderr + odd.stderr + long.stderr, /[\x00-\x09\x0b-\x1f\x7f]/);
});

test(
  "server and client: --log text has colour on a terminal, and nowhere else, and not with NO_COLOR",
  async () => {
    const [server, at] = await serverAt127();
    await using _server = server;
    const args = [...at, "-v", "--log", "text"];
    const command = onTerminal([...programCommand("client"), ...args]);
    const colored = await runProgram(command, { env: { NO_COLOR: undefined } });
    assert.ok(colored.stdout.includes("\n\x1b[2mclosing socket\x1b[0m\r\n"), `${colored.stdout}`);
    const others = [["stderr", "1"], [undefined, undefined], [undefined, "1"]] as const;
    for (const [terminal, NO_COLOR] of others) {
      const { stderr } = await runClient(args, { terminal, env: { NO_COLOR } });
      assert.match(stderr, /^closing socket$/m);
      assert.ok(!stderr.includes("\x1b"), stderr);
    }
  },
  ["python3"],
);

test(
  "client: on a terminal what comes back and what it tells stay on lines of their own",
  async () => {
    const [server, at] = await serverAt127();
    await using _server = server;
    const { stdout } = await runProgram(onTerminal([...programCommand("client"), ...at], true));
    assert.deepEqual(stdout.toString().split("\r\n"), [
      `connecting to 127.0.0.1 port ${server.port}`,
      MESSAGE,
      "sent 42 bytes and received the same; closed",
      "",
    ]);
  },
  ["python3"],
);
