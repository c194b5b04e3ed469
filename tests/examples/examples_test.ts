// The programs in examples/, as the README tells to run them.

import assert from "node:assert/strict";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { Program, runProgram } from "../support/peers.ts";
import { programCommand } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";

const SEED_SERVER = [
  'received "This is the mess"',
  "sending data back to the client",
  'received "age.  It will be"',
  "sending data back to the client",
  'received " repeated."',
  "sending data back to the client",
  'received ""',
];

/** Starts the example server on a free port of `host`. */
async function startExample(host: string): Promise<{ server: Program; port: string }> {
  const server = new Program([...programCommand("examples/echo_server"), host, "0"]);
  const [, port] = await server.stdout.until(/:(\d+)\n/);
  return { server, port };
}

for (const host of ["localhost", "127.0.0.1", "::1", ""]) {
  test(`examples: the server on ${host || "any address"} and the client speak as in the tutorial`, async () => {
    const { server, port } = await startExample(host);
    try {
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
    } finally {
      await server[Symbol.asyncDispose]();
    }
  });
}

test("examples: a peer steers the terminal of neither the server nor the client", async () => {
  const { server, port } = await startExample("127.0.0.1");
  try {
    using conn = await systemTransport.connect({ host: "127.0.0.1", port: Number(port) });
    await conn.write(new TextEncoder().encode("\x1b[2J\u202e\x9bA"));
    await server.stderr.until(/^received "\\x1b\[2J\\u\{202e\}\\x9bA"$/m);
  } finally {
    await server[Symbol.asyncDispose]();
  }
});

test("examples: the easy client tells family, type and protocol, and prints the echo", async () => {
  const { server, port } = await startExample("localhost");
  try {
    const client = await runProgram([...programCommand("examples/easy_client"), "localhost", port]);
    assert.equal(client.code, 0, client.stderr);
    assert.match(
      client.stderr,
      /Family {2}: AF_INET\nType {4}: SOCK_STREAM\nProtocol: IPPROTO_TCP\n/,
    );
    assert.equal(client.stdout.toString(), "This is the message.  It will be repeated.");
  } finally {
    await server[Symbol.asyncDispose]();
  }
});
