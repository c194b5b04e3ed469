// The programs in examples/, as the README tells to run them.

import assert from "node:assert/strict";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { Program, runProgram } from "../support/peers.ts";
import { programCommand } from "../support/scripts.ts";
import { afterAll, beforeAll, test } from "../support/runner.deno.ts";

const SEED_SERVER = [
  'received "This is the mess"',
  "sending data back to the client",
  'received "age.  It will be"',
  "sending data back to the client",
  'received " repeated."',
  "sending data back to the client",
  'received ""',
];

const HOSTS = ["localhost", "127.0.0.1", "::1", ""];

/** The example server on a free port of each host, for all tests. */
const servers = new Map<string, { server: Program; port: string }>();

beforeAll(async () => {
  for (const host of HOSTS) {
    const server = new Program([...programCommand("examples/echo_server"), host, "0"]);
    const [, port] = await server.stdout.until(/:(\d+)\n/);
    servers.set(host, { server, port });
  }
});

afterAll(async () => {
  for (const { server } of servers.values()) await server[Symbol.asyncDispose]();
});

for (const host of HOSTS) {
  test(`examples: the server on ${host || "any address"} and the client speak as in the tutorial`, async () => {
    const { server, port } = servers.get(host)!;
    const client = await runProgram([
      ...programCommand("examples/echo_client"),
      host || "127.0.0.1",
      port,
    ]);
    assert.equal(client.code, 0, client.stderr);
    assert.deepEqual(client.stderr.trimEnd().split("\n").slice(1), [
      'sending "This is the message.  It will be repeated."',
      'received "This is the mess"',
      'received "age.  It will be"',
      'received " repeated."',
      "closing socket",
    ]);
    await server.stderr.until(/no more data/);
    const lines = server.stderr.text.split("\n");
    const first = lines.findIndex((line) => line.startsWith("connection from "));
    assert.deepEqual(lines.slice(first + 1, first + 8), SEED_SERVER);
  });
}

test("examples: a peer steers the terminal of neither the server nor the client", async () => {
  const { server, port } = servers.get("127.0.0.1")!;
  using conn = await systemTransport.connect({ host: "127.0.0.1", port: Number(port) });
  await conn.write(new TextEncoder().encode("\x1b[2J\u202e\x9bA"));
  await server.stderr.until(/^received "\\x1b\[2J\\u\{202e\}\\x9bA"$/m);
});

test("examples: the easy client tells family, type and protocol, and prints the echo", async () => {
  const { port } = servers.get("localhost")!;
  const client = await runProgram([...programCommand("examples/easy_client"), "localhost", port]);
  assert.equal(client.code, 0, client.stderr);
  assert.match(
    client.stderr,
    /Family {2}: AF_INET\nType {4}: SOCK_STREAM\nProtocol: IPPROTO_TCP\n/,
  );
  assert.equal(client.stdout.toString(), "This is the message.  It will be repeated.");
});
