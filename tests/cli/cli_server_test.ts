// What server.ts prints, where it listens, and whom it serves.

import assert from "node:assert/strict";
import type { TcpAddr } from "../../lib/base/addr.ts";
import type { Conn } from "../../lib/net/transport.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { bytes, readText, until } from "../support/helpers.ts";
import { Program, PYTHON } from "../support/peers.ts";
import { hasIPv6, runClient, type ServerScript, startServer } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";
import { makeSite } from "../support/site_helpers.ts";
import { TestClock } from "../support/test_clock.ts";

/** Sends a message and waits for its echo. */
async function sayAndHear(conn: Conn, message: string): Promise<void> {
  await conn.write(bytes(message));
  assert.equal(await readText(conn, message.length), message);
}

function connect({ port }: ServerScript, host = "127.0.0.1"): Promise<Conn<TcpAddr>> {
  return systemTransport.connect({ host, port });
}

test("server: port 0 prints the real port on stdout, and nothing else", async () => {
  for (const host of ["127.0.0.1", "::1", "localhost"]) {
    if (host === "::1" && !await hasIPv6()) continue;
    await using server = await startServer(["--host", host]);
    assert.match(
      server.url,
      { "127.0.0.1": /^tcp:\/\/127\.0\.0\.1:\d+$/, "::1": /^tcp:\/\/\[::1\]:\d+$/ }[host] ??
        /^tcp:\/\/(127\.0\.0\.1|\[::1\]):\d+$/,
    );
    assert.ok(server.port > 0);
    const { hostname } = new URL(server.url.replace("tcp:", "http:"));
    using conn = await connect(server, hostname.replace(/[[\]]/g, ""));
    await sayAndHear(conn, "Are you there?");
    conn.close();
    const { code, stdout } = await server.program.stop();
    assert.equal(stdout.toString(), `${server.url}\n`);
    assert.equal(code, 0);
  }
});

test("server: a port that is given is the one it listens on", async () => {
  let port: number;
  {
    using listener = await systemTransport.listen({ host: "127.0.0.1" });
    port = listener.addr.port;
  }
  await using server = await startServer(["--host", "127.0.0.1", "--port", String(port)]);
  assert.equal(server.url, `tcp://127.0.0.1:${port}`);
  await server.program.stderr.until(new RegExp(`^starting up on 127.0.0.1 port ${port}\n`));
});

for (const host of ["", "::", "0.0.0.0"]) {
  test(`server: --host '${host}' lets IPv4 and IPv6 clients through`, async () => {
    const ipv6 = await hasIPv6();
    await using server = await startServer(["--host", host]);
    assert.match(server.url, ipv6 ? /^tcp:\/\/\[::\]:\d+$/ : /^tcp:\/\/(\[::\]|0\.0\.0\.0):\d+$/);
    await server.program.stderr.until(/^starting up on any address port 0\n/);
    for (const address of ipv6 ? ["127.0.0.1", "::1"] : ["127.0.0.1"]) {
      const port = String(server.port);
      const exit = await runClient(["echo", address, "-q", "--host", address, "--port", port]);
      assert.deepEqual([exit.code, exit.stdout.toString(), exit.stderr], [0, address, ""]);
    }
  });
}

test("server: an IPv4 client of a dual-stack server is shown as IPv4", async () => {
  await using server = await startServer(["--host", "", "-v"]);
  using conn = await connect(server);
  await server.program.stderr.until(/^connection from 127\.0\.0\.1:\d+$/m);
  conn.close();
});

test("server: many conversations go on at once", async () => {
  await using server = await startServer(["--host", "127.0.0.1"]);
  const conns = await Promise.all(Array.from({ length: 50 }, () => connect(server)));
  for (const [i, conn] of conns.entries()) await sayAndHear(conn, `I am number ${i}`);
  await Promise.all(conns.map((conn, i) => sayAndHear(conn, `I am still number ${i}`)));
  for (const conn of conns) conn.close();
  const { stderr } = await server.program.stop();
  assert.match(stderr, /^stopped after 50 connections, 0 of them reset$/m);
});

test("server: with --max-connections 1 the second client waits for the first to leave", async () => {
  await using server = await startServer(["--host", "127.0.0.1", "--max-connections", "1", "-v"]);
  using first = await connect(server);
  await sayAndHear(first, "first");
  using second = await connect(server);
  const secondServed = sayAndHear(second, "second");
  await sayAndHear(first, "first again");
  await sayAndHear(first, "and again");
  first.close();
  await secondServed;
  second.close();
  await server.program.stderr.until(/(waiting for a connection\n[^]*){3}/);
  const told = server.program.stderr.lines.filter((line) => /connection from/.test(line));
  const [a, b] = [first.localAddr.port, second.localAddr.port];
  assert.deepEqual(told, [
    `connection from 127.0.0.1:${a}`,
    `closing the connection from 127.0.0.1:${a}`,
    `connection from 127.0.0.1:${b}`,
    `closing the connection from 127.0.0.1:${b}`,
  ]);
});

const FULL =
  /^The limit of 1 connection is reached: new clients wait\. Raise it with --max-connections N\./;

test("server: that all places are taken is a line in the log, once a minute", async () => {
  const clock = new TestClock();
  const args = ["--host", "127.0.0.1", "--max-connections", "1"];
  await using server = await startServer(args, { clock });
  const { stderr } = server.program;
  const count = () => stderr.lines.filter((line) => FULL.test(line)).length;
  for (const lines of [1, 1, 2]) {
    using conn = await connect(server);
    await sayAndHear(conn, "hello");
    await until(() => count() === lines, "the line");
    conn.close();
    if (lines === 1) await clock.advance(30_000);
  }
});

test("web: that all places are taken by clients that are at it is a line in the log", async () => {
  await using site = await makeSite();
  const clock = new TestClock();
  const args = ["web", "--upload", "--max-connections", "1", site.root];
  await using server = await startServer(args, { clock });
  using first = await connect(server);
  await first.write(bytes("PUT /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx"));
  using _second = await connect(server);
  await server.program.stderr.until(new RegExp(FULL, "m"));
});

test("server: --idle-timeout closes a connection that stays silent, and no other", async () => {
  const clock = new TestClock();
  const args = ["--host", "127.0.0.1", "--idle-timeout", "60"];
  await using server = await startServer(args, { clock });
  using silent = await connect(server);
  await sayAndHear(silent, "I shall say no more");
  using other = await connect(server);
  for (let i = 0; i < 4; i++) {
    await sayAndHear(other, "I shall");
    await clock.advance(20_000);
  }
  assert.equal(await silent.read(new Uint8Array(1)), null);
  await server.program.stderr.until(/^Cannot .*: nothing moved for 60 s \(ETIMEDOUT\)/m);
  await sayAndHear(other, "I shall");
  other.close();
  assert.equal((await server.program.stop()).code, 0);
});

test("server: a client that resets hurts no other client", async () => {
  await using server = await startServer(["--host", "127.0.0.1"]);
  using other = await connect(server);
  await sayAndHear(other, "before");
  await using rude = new Program([
    ...PYTHON,
    "-c",
    `
import socket, struct
s = socket.create_connection(("127.0.0.1", ${server.port}))
s.sendall(b"x")
s.recv(1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
s.close()
`,
  ]);
  await rude.exit();
  await server.program.stderr.until(/^Cannot read from .*\(ECONNRESET\)/m);
  await sayAndHear(other, "after");
  other.close();
  const { code, stderr } = await server.program.stop();
  assert.equal(code, 0);
  assert.doesNotMatch(stderr, /^\s+at /m);
}, ["python3"]);

test("server: -q prints the URL and nothing more", async () => {
  await using server = await startServer(["--host", "127.0.0.1", "-q"]);
  using conn = await connect(server);
  await sayAndHear(conn, "Hush!");
  conn.close();
  const { code, stdout, stderr } = await server.program.stop("SIGINT");
  assert.deepEqual([code, stdout.toString(), stderr], [0, `${server.url}\n`, ""]);
});
