// The solutions of the exercises in docs/tutorial/, with peers in Python.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemTransport } from "../../lib/net/system.deno.ts";
import type { Conn } from "../../lib/net/transport.ts";
import { bytes, freePort, OWN_HOST } from "../support/helpers.ts";
import { python } from "../support/peers.ts";
import { startServer } from "../support/scripts.ts";
import { heardBy, makeCertificate, startTutorial } from "./tutorial_programs.ts";
import { test } from "../support/runner.deno.ts";

const HOST = "127.0.0.1";

/** Connects to a server of these tests. */
const connect = (port: number): Promise<Conn> => systemTransport.connect({ host: HOST, port });

/** The next bytes that come, as text; null at the end. */
async function hear(conn: Conn): Promise<string | null> {
  const p = new Uint8Array(4096);
  const n = await conn.read(p);
  return n === null ? null : new TextDecoder().decode(p.subarray(0, n));
}

test("tutorial: solution 1 tells the ports where somebody listens from those where nobody does", async () => {
  const listener = await systemTransport.listen({ host: OWN_HOST });
  const { port } = listener.addr;
  try {
    const free = await freePort();
    const heard = await heardBy("ours", "knock", [OWN_HOST, port, free]);
    assert.equal(heard, `${port} open\n${free} ECONNREFUSED\n`);
  } finally {
    listener.close();
  }
});

test("tutorial: solution 2 says what it is told to say", async () => {
  await using server = await startTutorial("Python's", "hello_server", [HOST, "0"]);
  assert.equal(await heardBy("ours", "say", [HOST, server.port, "good day"]), "good day\n");
}, ["python3"]);

test("tutorial: solution 3 counts its guests", async () => {
  await using server = await startTutorial("ours", "guests", [HOST, "0"]);
  for (const guest of [1, 2, 3]) {
    const heard = await heardBy("Python's", "hello_client", [HOST, server.port]);
    assert.equal(heard, `You are guest ${guest}.\n\n`);
  }
}, ["python3"]);

test("tutorial: solution 4 gets ten million bytes back from a server that reads them in small pieces", async () => {
  await using server = await startServer(["--recv-size", "4096"]);
  assert.match(await heardBy("ours", "echo_check", [HOST, server.port]), /^10000000 bytes came/);
});

test("tutorial: solution 5 turns a text round when its end has come, and drops one that is too long", async () => {
  await using server = await startTutorial("ours", "reverse_server", [HOST, "0"]);
  using conn = await connect(server.port);
  await conn.write(bytes("sock"));
  await conn.write(bytes("ets"));
  await conn.closeWrite();
  assert.equal(await hear(conn), "stekcos");
  using long = await connect(server.port);
  await long.write(new Uint8Array(1_100_000)).catch(() => {});
  assert.equal(await hear(long).catch(() => null), null);
});

test("tutorial: solution 6 tries each address of a name", async () => {
  await using server = await startTutorial("Python's", "echo_server", [HOST, "0"]);
  const heard = await heardBy("ours", "every_address", ["localhost", server.port]);
  assert.match(heard, new RegExp(`^127\\.0\\.0\\.1:${server.port} connected$`, "m"));
}, ["python3"]);

test("tutorial: solution 7 passes on to all others what one says", async () => {
  await using server = await startTutorial("ours", "together", [HOST, "0"]);
  const [one, two, three] = await Promise.all([1, 2, 3].map(() => connect(server.port)));
  try {
    await server.program.stdout.until(/^3 here$/m);
    await one.write(bytes("hello"));
    assert.deepEqual([await hear(two), await hear(three)], ["hello", "hello"]);
    await three.write(bytes("good day"));
    assert.deepEqual([await hear(one), await hear(two)], ["good day", "good day"]);
  } finally {
    for (const conn of [one, two, three]) conn.close();
  }
});

test("tutorial: solution 8 adds up each line, however the lines come", async () => {
  await using server = await startTutorial("ours", "sum_server", [HOST, "0"]);
  await using peer = await python(`
s = socket.create_connection(("127.0.0.1", ${server.port}))
s.sendall(b"1 2 3\\n10 ")
s.sendall(b"20\\n0.5 0.25\\n")
s.shutdown(socket.SHUT_WR)
for line in s.makefile(): say(line.strip())
`);
  assert.deepEqual([await peer.hear(), await peer.hear(), await peer.hear()], ["6", "30", "0.75"]);
}, ["python3"]);

test("tutorial: solution 9 shows the head of a page and no body", async () => {
  const directory = mkdtempSync(join(tmpdir(), "plainsocket-"));
  try {
    writeFileSync(join(directory, "a.txt"), "text\n");
    await using server = await startServer(["web", directory]);
    const heard = await heardBy("ours", "web_head", [`${server.url}a.txt`]);
    assert.match(heard, /^HTTP\/1\.1 200 OK\n[^]*^content-length: 5\n/im);
    assert.doesNotMatch(heard, /^text$/m);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test(
  "tutorial: solution 10 asks again when an answer does not come, and gives up after three",
  async () => {
    await using peer = await python(`
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.bind(("127.0.0.1", 0))
say(u.getsockname()[1])
u.recvfrom(100)
data, client = u.recvfrom(100)
u.sendto(b"the second time", client)
for _ in range(3): u.recvfrom(100)
say("three more")
`);
    const port = await peer.hear();
    const heard = await heardBy("ours", "udp_retry", [HOST, port, "0.3"]);
    assert.equal(heard, "the second time\n");
    await assert.rejects(heardBy("ours", "udp_retry", [HOST, port, "0.3"]), /no answer/);
    assert.equal(await peer.hear(), "three more");
  },
  ["python3"],
);

test("tutorial: solution 11 says for whom a certificate is, and until when", async () => {
  const directory = mkdtempSync(join(tmpdir(), "plainsocket-"));
  try {
    await makeCertificate(directory);
    await using server = await startTutorial("Python's", "tls_server", [
      "localhost",
      "0",
      directory,
    ]);
    const heard = await heardBy("ours", "certificate_of", ["localhost", server.port, directory]);
    assert.match(heard, /^names: DNS:localhost, IP Address:127\.0\.0\.1.*\nuntil: .*20\d\d GMT\n$/);
  } finally {
    rmSync(directory, { recursive: true });
  }
}, ["python3"]);

test(
  "tutorial: solution 12 refuses the third connection of an address, and takes the next when one is over",
  async () => {
    await using server = await startTutorial("ours", "limited_server", [HOST, "0"]);
    const [one, two] = [await connect(server.port), await connect(server.port)];
    using _two = two;
    for (const conn of [one, two]) {
      await conn.write(bytes("?"));
      assert.equal(await hear(conn), "?");
    }
    // It is reset, perhaps before this side has noticed that it is connected.
    const heard = connect(server.port).then(async (three) => {
      using refused = three;
      return await hear(refused);
    });
    assert.equal(await heard.catch(() => null), null);
    await server.program.stdout.until(/^refused 127\.0\.0\.1/m);
    await one.closeWrite();
    assert.equal(await hear(one), null);
    one.close();
    const after = await heardBy("Python's", "hello_client", [HOST, server.port]);
    assert.equal(after, "hello, sockets\n");
  },
  ["python3"],
);

test("tutorial: solution 13 measures five Pings", async () => {
  await using server = await startTutorial("Python's", "websocket_server", [HOST, "0"]);
  const heard = await heardBy("ours", "ws_ping", [HOST, server.port]);
  assert.match(heard, /^(Pong \d after [\d.]+ ms\n){5}$/);
}, ["python3"]);
