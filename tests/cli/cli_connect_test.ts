// client.ts connect, with other people's programs at the other end.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import process from "node:process";
import { selfSigned } from "../../lib/net/tls/self_signed.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { freshPath } from "../contract/networks.ts";
import {
  bytes,
  feedUntilStill,
  freePort,
  OWN_HOST,
  randomBytes,
  readAll,
  until,
  untilStill,
} from "../support/helpers.ts";
import { holdsBytes } from "../support/kernel.ts";
import { Program, python } from "../support/peers.ts";
import {
  assertFailed,
  inShell,
  inTerminal,
  programCommand,
  runClient,
  startClient,
  startClientProcess,
  startServer,
} from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";
import { TestClock } from "../support/test_clock.ts";

const MIB = 1024 * 1024;
const own = await selfSigned(["localhost", "127.0.0.1", OWN_HOST]);

/** Starts ncat, which listens, and waits until it does. */
async function startNcat(...args: string[]): Promise<Program> {
  const ncat = new Program(["ncat", "-v", "--listen", ...args], { pipe: true });
  await ncat.stderr.until(/Listening on/);
  return ncat;
}

/** A conversation in which each end says something and hears what the other has said. */
async function talk(peer: Program, args: string[]): Promise<void> {
  await using client = startClient(["connect", "-q", ...args], { pipe: true });
  client.stdin.write("from the client\n");
  await peer.stdout.until(/from the client\n/);
  peer.stdin.end("from the peer\n");
  // The peer has ended, and nothing is in stdin.
  const { code, stdout, stderr } = await client.exit();
  assert.deepEqual([code, stdout.toString(), stderr], [0, "from the peer\n", ""]);
}

test("connect: talks to ncat over TCP", async () => {
  const port = await freePort();
  await using ncat = await startNcat(OWN_HOST, port);
  await talk(ncat, [`${OWN_HOST}:${port}`]);
}, ["ncat"]);

test("connect: talks to ncat over a Unix socket", async () => {
  const path = freshPath();
  await using ncat = await startNcat("-U", path);
  await talk(ncat, ["--unix", path]);
}, ["ncat"]);

test("connect: talks to socat over TCP and over a Unix socket", async () => {
  await using tcp = new Program(["socat", "-dd", "-t", "30", "TCP-LISTEN:0,bind=127.0.0.1", "-"], {
    pipe: true,
  });
  const [, port] = await tcp.stderr.until(/listening on .*:(\d+)/);
  await talk(tcp, [`localhost:${port}`]);
  const path = freshPath();
  await using unix = new Program(["socat", "-dd", "-t", "30", `UNIX-LISTEN:${path}`, "-"], {
    pipe: true,
  });
  await unix.stderr.until(/listening on/);
  await talk(unix, ["--unix", path]);
}, ["socat"]);

/** Starts openssl s_server, and returns its port. */
async function startOpenssl(...args: string[]): Promise<[openssl: Program, port: string]> {
  const key = freshPath();
  writeFileSync(key, own.key + own.cert);
  const command = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", key, "-key", key];
  const openssl = new Program([...command, ...args], { pipe: true });
  const [, port] = await openssl.stdout.until(/^ACCEPT .*:(\d+)$/m);
  return [openssl, port];
}

function trusted(): string[] {
  const cert = freshPath();
  writeFileSync(cert, own.cert);
  return ["--tls", "--cacert", cert];
}

test("connect --tls: talks to openssl s_server, and offers what --alpn says", async () => {
  const [openssl, port] = await startOpenssl("-alpn", "echo");
  await using _openssl = openssl;
  const args = [`localhost:${port}`, ...trusted(), "--alpn", "other,echo", "-v"];
  await using client = startClient(["connect", ...args], { pipe: true });
  client.stdin.write("from the client\n");
  await openssl.stdout.until(/from the client\n/);
  openssl.stdin.write("from the peer\n");
  await client.stdout.until(/^from the peer\n$/);
  client.stdin.end();
  const { code, stderr } = await client.exit();
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^shook hands: TLSv1\.3, to speak echo$/m);
}, ["openssl"]);

test("connect --tls: a certificate that is not trusted is exit 60, and -k takes it", async () => {
  const [openssl, port] = await startOpenssl();
  await using _openssl = openssl;
  const refused = await runClient(["connect", "--tls", `localhost:${port}`]);
  assertFailed(refused, 60, /not trusted: it is self-signed \(ECERT\)/);
  const taken = await runClient(["connect", "-qk", "--tls", `localhost:${port}`], {
    stdin: "taken\n",
  });
  assert.deepEqual([taken.code, taken.stderr], [0, ""]);
  await openssl.stdout.until(/^taken$/m);
}, ["openssl"]);

test("connect --tls: who does not speak it is exit 35", async () => {
  await using peer = await python(`
s, _ = l.accept()
s.sendall(b"220 mail.example ESMTP\\r\\n")
sys.stdin.read()
`);
  const exit = await runClient(["connect", "--tls", `127.0.0.1:${peer.endpoint.port}`]);
  assertFailed(exit, 35, /the peer does not speak TLS \(ETLS\)/);
}, ["python3"]);

test("connect --tls: talks to ncat --ssl", async () => {
  const key = freshPath();
  writeFileSync(key, own.key + own.cert);
  const port = await freePort();
  const ssl = ["--ssl", "--ssl-cert", key, "--ssl-key", key];
  await using ncat = await startNcat(...ssl, OWN_HOST, port);
  await talk(ncat, [`${OWN_HOST}:${port}`, ...trusted()]);
}, ["ncat"]);

test("connect --tls: FIN goes behind close_notify, and the answer comes after it", async () => {
  using listener = await systemTransport.listen({ host: "127.0.0.1", tls: own });
  await using client = startClient(
    ["connect", "-q", `localhost:${listener.addr.port}`, ...trusted()],
    { pipe: true },
  );
  client.stdin.end("question");
  using conn = await listener.accept();
  assert.equal(Buffer.from(await readAll(conn)).toString(), "question");
  await conn.write(bytes("answer"));
  await conn.closeWrite();
  const { code, stdout, stderr } = await client.exit();
  assert.deepEqual([code, stdout.toString(), stderr], [0, "answer", ""]);
});

test("connect: 64 MiB go there and come back, whole", async () => {
  await using server = await startServer(["--host", "127.0.0.1"]);
  const [sent, received] = [createHash("sha256"), createHash("sha256")];
  await using client = startClientProcess(["connect", "-q", `127.0.0.1:${server.port}`], {
    pipe: true,
    onStdout: (chunk) => void received.update(chunk),
  });
  const chunk = randomBytes(MIB);
  for (let i = 0; i < 64; i++) {
    new DataView(chunk.buffer).setUint32(0, i); // so that no two are alike
    sent.update(chunk);
    await new Promise((resolve) => client.stdin.write(chunk, resolve));
  }
  client.stdin.end();
  const { code, stderr } = await client.exit();
  assert.deepEqual([code, stderr], [0, ""]);
  assert.equal(received.digest("hex"), sent.digest("hex"));
});

test("connect: takes no more of stdin than the peer does", async () => {
  await using peer = await python("s, _ = l.accept()\nsys.stdin.read()");
  const args = ["connect", `127.0.0.1:${peer.endpoint.port}`, "-q"];
  await using client = startClientProcess(args, { pipe: true });
  const taken = await feedUntilStill(client, peer, 256 * MIB);
  assert.ok(taken > 0 && taken <= 32 * MIB, `It took ${taken / MIB} MiB`);
  assert.equal((await client.stop()).code, 143);
}, ["python3"]);

test(
  "connect: gives up a peer that takes nothing when nothing has moved for --idle-timeout",
  async () => {
    await using peer = await python("s, _ = l.accept()\nsys.stdin.read()");
    const args = ["connect", `127.0.0.1:${peer.endpoint.port}`, "--idle-timeout", "20", "-q"];
    const clock = new TestClock();
    await using client = startClient(args, { pipe: true, clock });
    client.stdin.end(new Uint8Array(64 * MIB));
    await until(() => holdsBytes(peer.endpoint), "bytes to wait at the peer");
    await untilStill(peer);
    const exit = client.exit();
    await clock.passUntil(exit, 22_000);
    assertFailed(await exit, 28, /nothing moved for 20 s/);
  },
  ["python3"],
);

test("connect: takes no more of the peer than the reader of stdout does", async () => {
  await using peer = await python(`
import select
s, _ = l.accept()
s.setblocking(False)
sent = 0
while sent < 256 << 20 and sys.stdin not in select.select([sys.stdin], [s], [])[0]:
    try: sent += s.send(bytes(1 << 20))
    except BlockingIOError: pass
sys.stdin.readline()
say(sent)
sys.stdin.read()
`);
  const [file, ...args] = programCommand("client");
  const at = ["connect", `127.0.0.1:${peer.endpoint.port}`, "-q"];
  // Nobody reads its stdout.
  const client = spawn(file, [...args, ...at], { stdio: ["pipe", "pipe", "inherit"] });
  try {
    await untilStill(peer, client);
    peer.say("tell");
    const sent = Number(await peer.hear());
    assert.ok(sent > 0 && sent <= 32 * MIB, `It took ${sent / MIB} MiB`);
  } finally {
    process.kill(client.pid!, "SIGKILL");
    client.stdin.destroy();
    client.stdout.destroy();
    await once(client, "close");
  }
}, ["python3"]);

test("connect: a reader of stdout that goes away ends it quietly", async () => {
  await using peer = await python(`
s, _ = l.accept()
try:
    while True: s.sendall(bytes(1 << 16))
except OSError: pass
`);
  const client = [...programCommand("client"), "connect", `127.0.0.1:${peer.endpoint.port}`, "-q"];
  const line = `{ "$@"; echo "code $?" >&2; } | head -c 100000 | wc -c`;
  await using program = new Program(inShell(line, client), { pipe: true });
  await program.stderr.until(/^code 0\n$/);
  await program.stdout.until(/^100000\n$/);
}, ["python3"]);

test("connect: binary data comes as it is, and is there at once", async () => {
  await using server = await startServer(["--host", "127.0.0.1"]);
  await using client = startClient(["connect", "-q", `127.0.0.1:${server.port}`], { pipe: true });
  const everyByte = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  client.stdin.write(everyByte);
  await client.stdout.untilLength(256);
  client.stdin.end();
  const { code, stdout } = await client.exit();
  assert.equal(code, 0);
  assert.deepEqual(stdout, everyByte);
});

test(
  "connect: on a terminal lines go when Enter is pressed, and Ctrl-D and Ctrl-C end it",
  async () => {
    await using server = await startServer(["--host", "127.0.0.1"]);
    for (const [key, code] of [["\x04", 0], ["\x03", 130]] as const) {
      const client = [...programCommand("client"), "connect", `127.0.0.1:${server.port}`];
      await using terminal = new Program(inTerminal(client), { pipe: true });
      await terminal.stdout.until(/^connecting to 127\.0\.0\.1 port \d+\r\n/);
      terminal.stdin.write("typed\n");
      // What is typed, and what comes back.
      await terminal.stdout.until(/typed\r\ntyped\r\n/);
      terminal.stdin.write(key);
      const exit = await terminal.exit();
      assert.equal(exit.code, code, exit.stdout.toString());
    }
  },
  ["python3"],
);
