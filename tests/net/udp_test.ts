// What is the system's of datagrams: permissions, the end of the process, broadcasts.

import assert from "node:assert/strict";
import process from "node:process";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { bytes, rejects } from "../support/helpers.ts";
import { runProgram } from "../support/peers.ts";
import { programCommand } from "../support/scripts.ts";
import { runtime, test } from "../support/runner.deno.ts";

/** What the probe prints with these permissions of Deno's; it must end by itself. */
async function probe(...permissions: string[]): Promise<string> {
  using receiver = await systemTransport.listenDatagram({ host: "127.0.0.1" });
  const [RUNTIME, ...args] = programCommand("tests/net/probe_datagram", permissions);
  // A Deno that sees its own path in the arguments of a child adds -A behind it.
  const command = ["sh", "-c", 'exec "$RUNTIME" "$@"', "sh", ...args, `${receiver.addr.port}`];
  const { code, stdout } = await runProgram(command, { env: { RUNTIME } });
  assert.equal(code, 0);
  return stdout.toString().replaceAll(`:${receiver.addr.port}`, ":PORT");
}

test("udp: a process ends when its sockets are closed, though a receive was waiting", async () => {
  assert.equal(await probe("-A"), "sent\n");
});

if (runtime === "Deno") {
  test("udp: what Deno's permissions forbid is ENOTCAPABLE, to bind and to send, with the flag", async () => {
    assert.match(
      await probe("--no-prompt"),
      /^Cannot listen on 127\.0\.0\.1:0: .* without --allow-net=127\.0\.0\.1:0 \(ENOTCAPABLE\)\. /,
    );
    assert.match(
      await probe("--no-prompt", "--allow-net=127.0.0.1:0"),
      /^Cannot send to 127\.0\.0\.1:PORT: .* without --allow-net=127\.0\.0\.1:PORT \(ENOTCAPABLE\)\. /,
    );
    assert.equal(await probe("--no-prompt", "--allow-net=127.0.0.1"), "sent\n");
  });
}

test("udp: a zone that this machine does not have is EINVAL, and one it has is not", async () => {
  using socket = await systemTransport.listenDatagram({ host: "::1" });
  // Deno sends into zones by their numbers only, and that of lo no address tells.
  const [zone, none] = runtime === "Deno" ? ["1", "lo"] : ["lo", "nosuch"];
  for (const host of [`fe80::1%${none}`, `::1%${none}`]) {
    const { message } = await rejects(socket.send(bytes("x"), { host, port: 9 }), "EINVAL");
    assert.match(message, new RegExp(`zone '${none}'`));
  }
  await socket.send(bytes("hello"), { host: `::1%${zone}`, port: socket.addr.port });
  assert.equal((await socket.receive(new Uint8Array(10))).size, 5);
});

test("udp: the answers of a peer in a zone are received, however its address is written", async () => {
  using server = await systemTransport.listenDatagram({ host: "::" });
  const { port } = server.addr;
  const p = new Uint8Array(10);
  const zone = runtime === "Deno" ? "1" : "lo";
  for (const host of [`::1%${zone}`, `0:0::1%${zone}`]) {
    using client = await systemTransport.listenDatagram({ remote: { host, port } });
    // Bun does not connect(2) a socket into a zone, and does not say so.
    if (runtime === "Bun") return void await rejects(client.send(bytes("question")), "EUNKNOWN");
    await client.send(bytes("question"));
    const { from } = await server.receive(p);
    await server.send(bytes("answer"), from);
    const answer = await client.receive(p);
    assert.deepEqual([answer.size, answer.from], [6, client.remoteAddr], host);
    await client.send(bytes("thanks"), answer.from);
    await server.receive(p);
  }
});

test("udp: a broadcast is refused, and so is what the kernel has no way for", async () => {
  using socket = await systemTransport.listenDatagram({ host: "0.0.0.0" });
  const { message } = await rejects(
    socket.send(bytes("x"), { host: "255.255.255.255", port: 9 }),
    "EACCES",
  );
  assert.match(message, /A broadcast address takes the option `broadcast`/);
  // Deno's node:dgram names no other failure of a send than EMSGSIZE.
  using local = await systemTransport.listenDatagram({ host: "127.0.0.1" });
  const noWay = local.send(bytes("x"), { host: "192.0.2.1", port: 9 });
  await rejects(noWay, runtime === "Deno" ? "EUNKNOWN" : "EINVAL");
});

test("udp: with `broadcast` a broadcast is sent, and without it the kernel forbids it", async () => {
  if (process.platform !== "linux") return; // whose loopback has a broadcast address
  using receiver = await systemTransport.listenDatagram({ host: "0.0.0.0" });
  const to = { host: "127.255.255.255", port: receiver.addr.port };
  using plain = await systemTransport.listenDatagram({ host: "127.0.0.1" });
  await rejects(plain.send(bytes("no"), to), "EACCES");
  using socket = await systemTransport.listenDatagram({ host: "127.0.0.1", broadcast: true });
  await socket.send(bytes("hello"), to);
  const p = new Uint8Array(10);
  const { size, from } = await receiver.receive(p);
  assert.deepEqual([size, from], [5, socket.addr]);
});
