// How server.ts stops: the first signal asks, the second insists.

import assert from "node:assert/strict";
import { SocketError } from "../../lib/base/errors.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import type { Conn } from "../../lib/net/transport.ts";
import { bytes, OWN_HOST, readText, untilAsync } from "../support/helpers.ts";
import type { InProcessOptions } from "../support/in_process.ts";
import { type ServerScript, startServer } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";
import { TestClock } from "../support/test_clock.ts";

const SIGNALS = [["SIGINT", 130], ["SIGTERM", 143]] as const;

/** Starts a server and a conversation with it. */
async function start(
  args: string[],
  options?: InProcessOptions,
): Promise<[server: ServerScript, conn: Conn]> {
  const server = await startServer(["--host", OWN_HOST, ...args], options);
  try {
    const conn = await systemTransport.connect({ host: OWN_HOST, port: server.port });
    await echoes(conn);
    return [server, conn];
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

async function echoes(conn: Conn): Promise<void> {
  await conn.write(bytes("hello"));
  assert.equal(await readText(conn, 5), "hello");
}

/** Reads until the connection has ended, and tells how: FIN or an error. */
async function ending(conn: Conn): Promise<string> {
  try {
    while (await conn.read(new Uint8Array(1)) !== null);
    return "FIN";
  } catch (error) {
    assert.ok(error instanceof SocketError);
    return error.code;
  }
}

for (const [signal, code] of SIGNALS) {
  test(`server: ${signal} without a conversation exits 0 at once`, async () => {
    await using server = await startServer(["--grace", "1000"]);
    const exit = await server.program.stop(signal);
    assert.equal(exit.code, 0);
    assert.match(exit.stderr, /^stopped after 0 connections, 0 of them reset\n$/m);
  });

  test(`server: ${signal} lets a conversation finish, and exits 0`, async () => {
    const [server, conn] = await start(["--grace", "1000"]);
    await using _server = server;
    using _conn = conn;
    server.program.kill(signal);
    await server.program.stderr.until(/^stopping: connections get 1000 s to finish/m);
    await conn.write(bytes("and goodbye"));
    assert.equal(await readText(conn, 11), "and goodbye");
    await conn.closeWrite();
    assert.equal(await ending(conn), "FIN");
    const exit = await server.program.exit();
    assert.equal(exit.code, 0);
    assert.match(exit.stderr, /^stopped after 1 connection, 0 of them reset\n$/m);
  });

  test(`server: ${signal} resets a silent conversation after --grace: exit ${code}`, async () => {
    const clock = new TestClock();
    const [server, conn] = await start(["--grace", "30"], { clock });
    await using _server = server;
    using _conn = conn;
    server.program.kill(signal);
    await clock.asked(30_000);
    await clock.advance(29_999);
    // It waits for the grace time.
    await conn.write(bytes("still here"));
    assert.equal(await readText(conn, 10), "still here");
    await clock.advance(1);
    // Deno cannot send RST.
    const expected = systemTransport.name === "deno" ? "FIN" : "ECONNRESET";
    assert.equal(await ending(conn), expected);
    const exit = await server.program.exit();
    assert.equal(exit.code, code);
    assert.match(exit.stderr, /^stopped after 1 connection, 1 of them reset\n$/m);
  });

  test(`server: a second ${signal} ends it at once: exit ${code}`, async () => {
    const [server, conn] = await start(["--grace", "1000"]);
    await using _server = server;
    using _conn = conn;
    server.program.kill(signal);
    await server.program.stderr.until(/^stopping/m);
    assert.equal((await server.program.stop(signal)).code, code);
  });
}

test("server: refuses new connections while it drains", async () => {
  const [server, conn] = await start(["--grace", "1000", "-v"]);
  await using _server = server;
  using _conn = conn;
  server.program.kill("SIGTERM");
  await server.program.stderr.until(/^closing the listening socket$/m);
  // The line comes just before the deed.
  await untilAsync(async () => {
    try {
      (await systemTransport.connect({ host: OWN_HOST, port: server.port })).close();
      return false;
    } catch (error) {
      assert.ok(error instanceof SocketError);
      return error.code === "ECONNREFUSED";
    }
  }, "a connection to be refused");
  await conn.write(bytes("still here"));
  assert.equal(await readText(conn, 10), "still here");
});

test("server: a client that waits at --max-connections when the server stops is served, or reset on Deno", async () => {
  const [server, conn] = await start(["--max-connections", "1", "--grace", "1000"]);
  await using _server = server;
  using _conn = conn;
  using waiting = await systemTransport.connect({ host: OWN_HOST, port: server.port });
  await echoes(conn);
  server.program.kill("SIGTERM");
  // Node has accepted it by now, while Deno leaves it to the kernel.
  const isAccepted = systemTransport.name !== "deno";
  if (!isAccepted) assert.equal(await ending(waiting), "ECONNRESET");
  await conn.closeWrite();
  assert.equal(await ending(conn), "FIN");
  if (isAccepted) {
    await echoes(waiting);
    await waiting.closeWrite();
    assert.equal(await ending(waiting), "FIN");
  }
  assert.equal((await server.program.exit()).code, 0);
});

test("server: with --grace 0 resets at once", async () => {
  const [server, conn] = await start(["--grace", "0"]);
  await using _server = server;
  using _conn = conn;
  assert.equal((await server.program.stop("SIGINT")).code, 130);
});
