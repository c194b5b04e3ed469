// server.ts echo --udp and client.ts echo --udp, with each other and with programs of others.

import assert from "node:assert/strict";
import dgram from "node:dgram";
import { once } from "node:events";
import { freeUdpPort, OWN_HOST, randomBytes } from "../support/helpers.ts";
import { type Exit, Program, python } from "../support/peers.ts";
import {
  assertFailed,
  runClient,
  runServer,
  type ServerScript,
  startClient,
  startServer,
  startService,
} from "../support/scripts.ts";
import { runtime, test } from "../support/runner.deno.ts";
import { TestClock } from "../support/test_clock.ts";

/** A server on 127.0.0.1, and the options that lead a client there. */
async function udpServer(...args: string[]): Promise<[server: ServerScript, at: string[]]> {
  const server = await startServer(["echo", "--udp", "--host", "127.0.0.1", ...args]);
  return [server, ["--udp", "--host", "127.0.0.1", "--port", String(server.port)]];
}

/**
 * A peer in Python with a socket for datagrams `u`, and the options that lead a client there. `each`
 * is done for each datagram `data` from `peer`, the `n`-th, from 1.
 */
async function udpPeer(each: string): Promise<[peer: AsyncDisposable, at: string[]]> {
  const peer = await python(`
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.bind(("127.0.0.1", 0))
say(u.getsockname()[1])
n = 0
while True:
    data, peer = u.recvfrom(65535)
    n += 1
    ${each}
`);
  return [peer, ["--udp", "--host", "127.0.0.1", "--port", await peer.hear()]];
}

/** Runs the client to its end, on a clock that stands still until it waits so long for an echo. */
async function late(args: readonly string[], ms: number): Promise<Exit> {
  const clock = new TestClock();
  await using client = startClient(args, { clock });
  await clock.pass(ms);
  return await client.exit();
}

/** Waits until the server has answered a datagram from 127.0.0.2: it has read all that came before. */
async function answered(server: ServerScript): Promise<void> {
  const socket = dgram.createSocket("udp4");
  socket.bind(0, "127.0.0.2");
  try {
    await once(socket, "listening");
    const answer = once(socket, "message");
    socket.send("hello", server.port, "127.0.0.1");
    await answer;
  } finally {
    socket.close();
  }
}

test("echo --udp: the server's URL is udp://, and the client gets its message back", async () => {
  const [server, at] = await udpServer();
  await using _server = server;
  assert.match(server.url, /^udp:\/\/127\.0\.0\.1:\d+$/);
  const { code, stdout, stderr } = await runClient(["echo", "hello", ...at]);
  assert.deepEqual([code, stdout.toString()], [0, "hello"]);
  assert.deepEqual(stderr.split("\n"), [
    `sending to 127.0.0.1 port ${server.port}`,
    "sent 1 datagram and received the same; 0 sent again, 0 came twice or late",
    "",
  ]);
  const exit = await server.program.stop();
  assert.equal(exit.code, 0);
  assert.match(exit.stderr, /^stopped after 1 datagram: 1 sent back, 0 more dropped$/m);
});

test("echo --udp: stdin is cut into datagrams, and comes back whole", async () => {
  const [server, at] = await udpServer();
  await using _server = server;
  const data = randomBytes(100_000);
  for (const size of [[], ["--datagram-size", "65507"]]) {
    const { code, stdout, stderr } = await runClient(["echo", ...at, ...size], { stdin: data });
    assert.deepEqual([code, stdout.equals(data)], [0, true], stderr);
  }
  const empty = await runClient(["echo", "", ...at]);
  assert.match(empty.stderr, /^sent 1 datagram and received the same/m);
  const nothing = await runClient(["echo", ...at], { stdin: "" });
  assert.match(nothing.stderr, /^sent 0 datagrams and received the same/m);
});

test("echo --udp: -v shows whom each datagram is from and for, on both sides, and JSON too", async () => {
  const [server, at] = await udpServer("-v");
  await using _server = server;
  const client = await runClient(["echo", "hello", ...at, "-v"]);
  const [, from] = /connected to \S+ from 127\.0\.0\.1:(\d+)/.exec(client.stderr)!;
  assert.deepEqual(client.stderr.trimEnd().split("\n"), [
    `sending to 127.0.0.1 port ${server.port}`,
    `trying 127.0.0.1:${server.port}`,
    `connected to 127.0.0.1:${server.port} from 127.0.0.1:${from}`,
    'sending "hello"',
    'received "hello"',
    "closing socket",
    "sent 1 datagram and received the same; 0 sent again, 0 came twice or late",
  ]);
  const exit = await server.program.stop();
  assert.deepEqual(exit.stderr.trimEnd().split("\n"), [
    "starting up on 127.0.0.1 port 0",
    "waiting for datagrams",
    `received "hello" from 127.0.0.1:${from}`,
    `sending data back to 127.0.0.1:${from}`,
    "closing the socket",
    "stopped after 1 datagram: 1 sent back, 0 more dropped",
  ]);

  const [other, there] = await udpServer("-v", "--log", "json");
  await using _other = other;
  await runClient(["echo", "hello", ...there]);
  const { stderr } = await other.program.stop();
  const events = stderr.trimEnd().split("\n").map((line) => JSON.parse(line));
  const recv = events.find(({ event }) => event === "recv");
  assert.deepEqual([recv.data, recv.bytes], ['"hello"', 5]);
  assert.match(recv.from, /^127\.0\.0\.1:\d+$/);
  assert.equal(events.find(({ event }) => event === "send").to, recv.from);
});

test("echo --udp: ncat, socat and python get back what they send to the server", async () => {
  const [server] = await udpServer();
  await using _server = server;
  const { port } = server;
  for (
    const command of [["ncat", "-u", "127.0.0.1", `${port}`], [
      "socat",
      "-",
      `UDP:127.0.0.1:${port}`,
    ]]
  ) {
    await using peer = new Program(command, { pipe: true });
    peer.stdin.write("hello\n");
    await peer.stdout.until(/^hello\n$/);
  }
  await using peer = await python(`
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.connect(("127.0.0.1", ${port}))
for size in (0, 1, 65507):
    u.send(b"x" * size)
    say(len(u.recv(65535)))
`);
  for (const size of ["0", "1", "65507"]) assert.equal(await peer.hear(), size);
}, ["ncat", "python3", "socat"]);

test("echo --udp: ncat and socat as echo servers give the client its message back", async () => {
  for (
    const command of [
      ["ncat", "-u", "-l", "-v", "-e", "/bin/cat", OWN_HOST, "PORT"],
      ["socat", "-d", "-d", `UDP-RECVFROM:PORT,bind=${OWN_HOST},fork`, "PIPE"],
    ]
  ) {
    const port = await freeUdpPort();
    await using server = new Program(command.map((part) => part.replace("PORT", port)));
    await server.stderr.until(/Listening on \S+:|starting accept loop|receiving on/i);
    const { code, stdout, stderr } = await runClient([
      "echo",
      "hello",
      ...["--udp", "--host", OWN_HOST, "--port", port],
    ]);
    assert.deepEqual([code, stdout.toString()], [0, "hello"], stderr);
  }
}, ["ncat", "python3", "socat"]);

test("echo --udp: what got lost is sent again, and what comes twice is printed once", async () => {
  // The second copy of each is the one answered, and it is answered twice.
  const [peer, at] = await udpPeer("n % 2 == 0 and (u.sendto(data, peer), u.sendto(data, peer))");
  await using _peer = peer;
  const clock = new TestClock();
  await using client = startClient(["echo", ...at, "--datagram-size", "5"], { pipe: true, clock });
  client.stdin.end("firstother");
  await clock.pass(1000);
  await client.stdout.until(/^first$/);
  // It has learnt that an answer may take longer.
  await clock.pass(2000);
  const { code, stdout, stderr } = await client.exit();
  assert.deepEqual([code, stdout.toString()], [0, "firstother"], stderr);
  assert.match(
    stderr,
    /^sent 2 datagrams and received the same; 2 sent again, [12] came twice or/m,
  );
}, ["python3"]);

test(
  "echo --udp: some datagrams lost is exit code 18, with the counts and what to try",
  async () => {
    const [peer, at] = await udpPeer("len(data) < 6 and u.sendto(data, peer)");
    await using _peer = peer;
    const args = ["echo", ...at, "--datagram-size", "6", "--retries", "0"];
    const clock = new TestClock();
    await using client = startClient(args, { pipe: true, clock });
    client.stdin.end("123456789");
    await clock.pass(1000);
    const exit = await client.exit();
    assertFailed(
      exit,
      18,
      /^client\.ts: 1 of 2 datagrams lost, though sent once; 0 sent again, .*Try /m,
    );
    assert.equal(exit.stdout.toString(), "789");
  },
  ["python3"],
);

test("echo --udp: an echo that differs is exit code 1, and no echo at all 28", async () => {
  const [shouting, at] = await udpPeer("u.sendto(data.upper(), peer)");
  await using _shouting = shouting;
  const differs = await runClient(["echo", "hello", ...at]);
  assertFailed(differs, 1, /^client\.ts: The echo differs from what was sent, in datagram 1\.$/m);
  assert.equal(differs.stdout.toString(), "HELLO");

  const { service, port } = await startService("discard");
  await using _service = service;
  const there = ["--udp", "--host", "127.0.0.1", "--port", port];
  const lost = await late(["echo", "hello", ...there, "--retries", "0"], 1000);
  assertFailed(
    lost,
    28,
    /^client\.ts: No echo came from 127\.0\.0\.1:\d+, to which 1 datagram went once\. /m,
  );
  const timedOut = await late(["echo", "hello", ...there, "--timeout", "0.5"], 500);
  assertFailed(
    timedOut,
    28,
    /: no echo came from \S+ within 0\.5 s, after 0 of 1 datagram \(ETIMEDOUT\)/m,
  );
}, ["python3"]);

test(
  "echo --udp: where nobody listens is exit code 7; on Deno, which is not told, 28",
  async () => {
    const at = ["--udp", "--host", OWN_HOST, "--port", await freeUdpPort()];
    const args = ["echo", "hello", ...at, "--retries", "0"];
    if (runtime === "Deno") {
      assertFailed(
        await late(args, 1000),
        28,
        /: No echo came from .* went once\. .*[Cc]heck .*$/m,
      );
    } else {
      const told = /: nobody listens on 127[\d.]+:\d+, says its host \(ECONNREFUSED\)\. /m;
      assertFailed(await runClient(args), 7, told);
    }
  },
  ["python3"],
);

test("echo --udp: a datagram too large, and flags that do not go together, are exit code 2", async () => {
  const [server, at] = await udpServer();
  await using _server = server;
  const large = await runClient(["echo", "x".repeat(65_508), ...at]);
  assertFailed(large, 2, /: the datagram is too large \(EMSGSIZE\)\. Send at most 65,507 bytes /m);
  const size = await runClient(["echo", ...at, "--datagram-size", "65508"]);
  assertFailed(size, 2, /--datagram-size takes a whole number from 1 to 65507/);
  assertFailed(
    await runServer(["--udp", "--unix", "/tmp/x"]),
    2,
    /--udp cannot be used with --unix/,
  );
  assertFailed(await runServer(["--udp", "--tls-self-signed"]), 2, /--udp cannot be used with TLS/);
  const taken = await runServer(["--udp", "--host", "127.0.0.1", "--port", String(server.port)]);
  assertFailed(
    taken,
    7,
    /Cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE.* Stop the program that has it/,
  );
});

test("echo --udp: a flag that is about connections is exit code 2, on the server and the client", async () => {
  const ofServer = [
    ["--backlog", "1"],
    ["--max-connections", "1"],
    ["--max-per-address", "1"],
    ["--idle-timeout", "0.5"],
    ["--grace", "0"],
    ["--recv-size", "1"],
  ];
  for (const [flag, value] of ofServer) {
    const exit = await runServer(["--udp", "--host", "127.0.0.1", "--port", "0", flag, value]);
    assertFailed(exit, 2, new RegExp(`Option --udp cannot be used with ${flag}\\.`));
  }
  const exit = await runClient(["echo", "--udp", "hello", "--recv-size", "1"]);
  assertFailed(exit, 2, /Option --udp cannot be used with --recv-size\./);
});

test("echo --udp: whose address --deny has gets no answer, and is counted, with no line for each", async () => {
  const [server, at] = await udpServer("--deny", "127.0.0.1");
  await using _server = server;
  const exit = await late(["echo", "hello", ...at, "--retries", "0"], 1000);
  assert.equal(exit.code, 28, exit.stderr);
  await answered(server);
  const { stderr } = await server.program.stop();
  // Where a datagram comes from is easily forged: anybody could fill the log.
  assert.doesNotMatch(stderr, /^refused /m);
  assert.match(stderr, /^stopped after 2 datagrams: 1 sent back, 1 refused, 0 more dropped$/m);
});

test("echo --udp: Ctrl-C ends the client while it waits, and the server at once", async () => {
  const [peer, at] = await udpPeer("say('came')");
  await using _peer = peer;
  await using client = startClient(["echo", "hello", ...at, "-v"]);
  await client.stderr.until(/sending "hello"/);
  assert.equal((await client.stop("SIGINT")).code, 130);
  const [server] = await udpServer();
  await using _server = server;
  assert.equal((await server.program.stop("SIGINT")).code, 0);
}, ["python3"]);
