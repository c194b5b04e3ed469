// What each of the servers does at a limit of the machine, or at one of its own.

import assert from "node:assert/strict";
import type { Conn } from "../../lib/net/transport.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { bytes, readText } from "../support/helpers.ts";
import { Program } from "../support/peers.ts";
import { inShell, listening, programCommand, startServer } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";

/** What a client says to each server, and the beginning of what it then hears. */
const SERVERS: Readonly<Record<string, readonly [says: string, hears: string]>> = {
  echo: ["hello", "hello"],
  web: ["GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 200 OK\r\n"],
  relay: ["hello", "hello"],
  chat: ["", "* You are guest"],
};

/** Calls `use` for each of the servers, with its arguments. The relay has a target. */
async function forEach(
  names: readonly string[],
  use: (name: string, args: readonly string[]) => Promise<void>,
): Promise<void> {
  await using target = await startServer(["--host", "127.0.0.1"]);
  const to = { relay: ["--to", `127.0.0.1:${target.port}`] } as Record<string, readonly string[]>;
  await Promise.all(
    names.map((name) => use(name, [name, "--host", "127.0.0.1", ...to[name] ?? []])),
  );
}

function connect({ port }: { readonly port: number }): Promise<Conn> {
  return systemTransport.connect({ host: "127.0.0.1", port });
}

/** Says something, and hears what a client hears that is served. */
async function isServed(name: string, conn: Conn): Promise<void> {
  const [says, hears] = SERVERS[name];
  await conn.write(bytes(says));
  assert.equal(await readText(conn, hears.length), hears, name);
}

test("limits: when all places are taken, echo, relay and chat log a line, and who waits is served later", () =>
  forEach(["echo", "relay", "chat"], async (name, args) => {
    await using server = await startServer([...args, "--max-connections", "1"]);
    using first = await connect(server);
    await isServed(name, first);
    await server.program.stderr.until(/^The limit of 1 connection is reached: new clients wait/m);
    using second = await connect(server);
    first.close();
    await isServed(name, second);
    second.close();
    assert.equal((await server.program.stop()).code, 0, name);
  }));

test("limits: each server refuses what one address has beyond --max-per-address, with a line", () =>
  forEach(Object.keys(SERVERS), async (name, args) => {
    await using server = await startServer([...args, "--max-per-address", "1"]);
    using first = await connect(server);
    await isServed(name, first);
    // It may be reset before it is seen to be connected.
    const second = await connect(server).catch(() => undefined);
    await server.program.stderr.until(/refused 127\.0\.0\.1:\d+: its address has 1 connection/);
    for (const conn of [first, second]) conn?.close();
    const { stderr } = await server.program.stop();
    assert.match(stderr, /^stopped after 1 connection, 0 of them reset; 1 more refused$/m, name);
  }));

test("limits: when the disk is full each server ends its recording, and goes on", () =>
  forEach(Object.keys(SERVERS), async (name, args) => {
    await using server = await startServer([...args, "--record", "/dev/full"]);
    using first = await connect(server);
    await isServed(name, first);
    await server.program.stderr.until(/no space left on the device \(ENOSPC\)\. It ends here/);
    using second = await connect(server);
    await isServed(name, second);
    for (const conn of [first, second]) conn.close();
    assert.equal((await server.program.stop()).code, 23, name);
  }));

test("limits: when the disk of the log is full each server goes on without it", () =>
  forEach(Object.keys(SERVERS), async (name, args) => {
    const command = [...programCommand("server"), ...args, "--port", "0", "-v"];
    await using server = await listening(new Program(inShell('exec "$@" 2>/dev/full', command)));
    for (let i = 0; i < 3; i++) {
      using conn = await connect(server);
      await isServed(name, conn);
    }
    assert.equal((await server.program.stop()).code, 0, name);
  }));
