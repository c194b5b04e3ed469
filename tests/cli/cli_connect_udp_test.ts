// client.ts connect --udp.

import assert from "node:assert/strict";
import process from "node:process";
import { freeUdpPort, OWN_HOST } from "../support/helpers.ts";
import { Program, python } from "../support/peers.ts";
import {
  assertFailed,
  inTerminal,
  programCommand,
  runClient,
  startClient,
} from "../support/scripts.ts";
import { runtime, test } from "../support/runner.deno.ts";
import { TestClock } from "../support/test_clock.ts";

/** Starts a peer in Python with a UDP socket `u`; resolves to its HOST:PORT, too. */
async function udpPeer(
  program: string,
): Promise<[peer: Awaited<ReturnType<typeof python>>, at: string]> {
  const peer = await python(`
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.bind(("127.0.0.1", 0))
say(u.getsockname()[1])
${program}
`);
  return [peer, `127.0.0.1:${await peer.hear()}`];
}

const ECHO = `
while True:
    data, client = u.recvfrom(70000)
    say(len(data))
    u.sendto(data, client)
`;

test(
  "connect --udp: what is asked is answered, and it is over when nothing more comes",
  async () => {
    const [peer, at] = await udpPeer(ECHO);
    await using _peer = peer;
    const clock = new TestClock();
    const args = ["connect", "--udp", at, "--idle-timeout", "20", "-q"];
    await using client = startClient(args, { pipe: true, clock });
    client.stdin.end("question");
    await client.stdout.until(/^question$/);
    await clock.advance(22_000);
    const exit = await client.exit();
    assert.deepEqual([exit.code, exit.stdout.toString(), exit.stderr], [0, "question", ""]);
    assert.equal(await peer.hear(), "8");
  },
  ["python3"],
);

test("connect --udp: no answer: exit 28", async () => {
  const [peer, at] = await udpPeer("say(u.recv(100).decode())\nsys.stdin.read()");
  await using _peer = peer;
  const clock = new TestClock();
  const args = ["connect", "-u", at, "--idle-timeout", "20", "-q"];
  await using client = startClient(args, { pipe: true, clock });
  client.stdin.end("question");
  assert.equal(await peer.hear(), "question");
  await clock.advance(22_000);
  assertFailed(await client.exit(), 28, /nothing moved for 20 s/);
}, ["python3"]);

test(
  "connect --udp --on-eof close: over when all is sent, in datagrams of 65,507 bytes",
  async () => {
    const [peer, at] = await udpPeer(ECHO);
    await using _peer = peer;
    const exit = await runClient(["connect", "-u", at, "--on-eof", "close", "-q"], {
      stdin: new Uint8Array(65_536),
    });
    assert.deepEqual([exit.code, exit.stderr], [0, ""]);
    assert.deepEqual([await peer.hear(), await peer.hear()], ["65507", "29"]);
  },
  ["python3"],
);

test("connect --udp: a line on a terminal is a datagram, and Ctrl-C ends it", async () => {
  const [peer, at] = await udpPeer(ECHO);
  await using _peer = peer;
  const client = [...programCommand("client"), "connect", "--udp", at];
  await using terminal = new Program(inTerminal(client), { pipe: true });
  await terminal.stdout.until(/^sending to 127\.0\.0\.1 port \d+\r\n/);
  for (const line of ["one", "three"]) {
    terminal.stdin.write(`${line}\n`);
    assert.equal(await peer.hear(), String(line.length + 1));
    await terminal.stdout.until(new RegExp(`${line}\r\n${line}\r\n`));
  }
  terminal.stdin.write("\x03");
  assert.equal((await terminal.exit()).code, 130);
}, ["python3"]);

test("connect --udp --hex: each datagram is shown, and an empty one ends nothing", async () => {
  const [peer, at] = await udpPeer(`
_, client = u.recvfrom(100)
for answer in b"one", b"", b"two": u.sendto(answer, client)
sys.stdin.read()
`);
  await using _peer = peer;
  await using client = startClient(["connect", "--udp", at, "--hex", "-q"], { pipe: true });
  client.stdin.write("?");
  await client.stdout.until(/^< 00000003 {2}74 77 6f /m);
  assert.match(client.stdout.text, /^> 00000000 {2}3f .*\n< 00000000 {2}6f 6e 65 /);
  assert.equal((await client.stop("SIGTERM")).code, 143);
}, ["python3"]);

// Deno does not tell.
if (runtime !== "Deno") {
  test("connect --udp: nobody listens there: exit 7", async () => {
    const at = `${OWN_HOST}:${await freeUdpPort()}`;
    const exit = await runClient(["connect", "-q", "--udp", at], { stdin: "anybody?" });
    assertFailed(exit, 7, /nobody listens on 127[\d.]+:\d+, says its host \(ECONNREFUSED\)/);
  });
}

test("connect --udp: what makes no sense with it exits 2", async () => {
  for (
    const [args, message] of [
      [["--tls"], /Options --udp and --tls exclude each other/],
      [["-z"], /Options --probe and --udp exclude each other/],
      [["--on-eof", "wait"], /--on-eof cannot be wait over UDP/],
    ] as const
  ) assertFailed(await runClient(["connect", "--udp", "localhost:7", ...args]), 2, message);
  const exit = await runClient(["connect", "--udp", "-q", "nowhere.invalid:7"]);
  assertFailed(exit, 6, /nowhere\.invalid/);
});

test("connect --udp --broadcast: reaches all in the network, and hears who answers", async () => {
  if (process.platform !== "linux") return; // whose loopback has a broadcast address
  await using peer = await python(`
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.bind(("0.0.0.0", 0))
say(u.getsockname()[1])
data, client = u.recvfrom(100)
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"here, " + data, client)
sys.stdin.read()
`);
  const at = `127.255.255.255:${await peer.hear()}`;
  const refused = await runClient(["connect", "--udp", "-q", at], { stdin: "who?" });
  assertFailed(
    refused,
    7,
    /Cannot (send|connect) to .*\(EACCES\)\. A broadcast address takes .*--broadcast/,
  );
  await using client = startClient(["connect", "--udp", "--broadcast", "-q", at], { pipe: true });
  client.stdin.write("who?");
  await client.stdout.until(/^here, who\?$/);
  assert.equal((await client.stop("SIGINT")).code, 130);
  const alone = await runClient(["connect", "--broadcast", "localhost:1"]);
  assertFailed(alone, 2, /Option --broadcast needs --udp/);
}, ["python3"]);
