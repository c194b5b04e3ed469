// What users can run into: one line that says what, why and what next, and the exit code.

import assert from "node:assert/strict";
import type { Log } from "../../lib/cli/io/log.ts";
import { logOutcome } from "../../lib/cli/commands/echo/outcome.ts";
import process from "node:process";
import { systemUnanswered } from "../contract/networks.ts";
import { until } from "../support/helpers.ts";
import { Program, python, runProgram } from "../support/peers.ts";
import { privilegedPort, withoutRightToPorts } from "../support/privileges.ts";
import {
  assertFailed,
  inShell,
  InTurn,
  inTurnCommand,
  programCommand,
  runClient,
  runServer,
  startClient,
  startServer,
} from "../support/scripts.ts";
import { runtime, test } from "../support/runner.deno.ts";
import { TestClock } from "../support/test_clock.ts";

/** A name server that cannot be reached is not waited for. */
const IMPATIENT = { RES_OPTIONS: "timeout:1 attempts:1" };

/** The address of a Python peer as options of client.ts. */
function at({ endpoint }: { endpoint: { host: string; port: number } }): string[] {
  return ["--host", endpoint.host, "--port", String(endpoint.port)];
}

test("server: a port that is taken: exit 7", async () => {
  await using first = await startServer(["--host", "127.0.0.1"]);
  const port = String(first.port);
  for (const quiet of [[], ["-q"]]) {
    const exit = await runServer(["--host", "127.0.0.1", "--port", port, ...quiet]);
    assertFailed(
      exit,
      7,
      new RegExp(`^server\\.ts: Cannot listen on 127\\.0\\.0\\.1:${port}: `),
      /already in use \(EADDRINUSE\)\. .*Stop the program .* or choose another address or port\.$/,
    );
    assert.equal(exit.stdout.length, 0);
  }
});

test("server: a privileged port without the right to it: exit 7", async () => {
  const port = privilegedPort();
  if (port === 0) {
    console.log("Skipped: this system has no privileged ports (ip_unprivileged_port_start is 0)");
    return;
  }
  const server = [...programCommand("server"), "--host", "127.0.0.1", "--port", String(port)];
  const exit = await runProgram(withoutRightToPorts(server));
  assertFailed(exit, 7, /permission denied \(EACCES\)\. Ports below 1024 are privileged: .*\.$/);
});

test("server: an address that is not this machine's: exit 7", async () => {
  assertFailed(
    await runServer(["--host", "192.0.2.1", "--port", "0"]),
    7,
    /^server\.ts: Cannot listen on 192\.0\.2\.1:0: .*\(EADDRNOTAVAIL\)\. Choose one of its own /,
  );
});

test("server and client: a name that does not resolve: exit 6", async () => {
  const message =
    /: Cannot resolve nowhere\.invalid:10000: .* \((ENOTFOUND|EAI_AGAIN)\)\. .*Check /;
  const args = ["--host", "nowhere.invalid", "--port", "10000"];
  const command = inTurnCommand([["server", ...args], ["client", ...args]]);
  await using scripts = new InTurn(new Program(command, { env: IMPATIENT }));
  for (const exit of await scripts.exits()) assertFailed(exit, 6, message);
});

if (runtime === "Deno") {
  // A Deno that sees its own path in the arguments of a child adds -A behind it.
  const env = { RUNTIME: process.execPath };
  const withPermissions = (script: "server" | "client", permissions: string[]) =>
    inShell('exec "$RUNTIME" "$@"', programCommand(script, permissions).slice(1));

  test("server and client: a Deno permission that is missing: exit 7", async () => {
    for (const script of ["server", "client"] as const) {
      for (const host of ["localhost", "127.0.0.1", ...(script === "server" ? [""] : [])]) {
        const args = ["--host", host, "--port", "10000"];
        const exit = await runProgram([...withPermissions(script, []), ...args], { env });
        assertFailed(exit, 7, /Deno's permissions forbid it.*\(ENOTCAPABLE\)\. .*--allow-net/);
      }
    }
  });

  test("server and client: --allow-net is permission enough", async () => {
    const allowed = ["--allow-net=127.0.0.1"];
    const host = ["--host", "127.0.0.1"];
    await using server = new Program(
      [...withPermissions("server", allowed), ...host, "--port", "0", "-v"],
      { env },
    );
    const [, port] = await server.stdout.until(/:(\d+)\n/);
    const { code, stdout, stderr } = await runProgram(
      [...withPermissions("client", allowed), ...host, "--port", port, "-q"],
      { env },
    );
    assert.deepEqual([code, stdout.length, stderr], [0, 42, ""]);
    assert.equal((await server.stop()).code, 0);
  });
}

test("client: nobody listens: exit 7", async () => {
  // Bound and not listening: nobody else can get the port.
  await using peer = await python(`
s = socket.socket()
s.bind(("127.0.0.1", 0))
say(s.getsockname()[1])
sys.stdin.read()
`);
  const port = await peer.hear();
  const exit = await runClient(["--host", "127.0.0.1", "--port", port]);
  assertFailed(
    exit,
    7,
    new RegExp(`^client\\.ts: Cannot connect to 127\\.0\\.0\\.1:${port}: `),
    /refused \(ECONNREFUSED\)\. (Nothing listens at port|Check that a server is listening)/,
  );
  assert.equal(exit.stdout.length, 0);
}, ["python3"]);

test("client: no answer within --connect-timeout: exit 28", async () => {
  await using peer = await systemUnanswered();
  const clock = new TestClock();
  await using client = startClient([...at(peer), "--connect-timeout", "20"], { clock });
  await until(() => peer.isAsked(), "the client to be kept waiting");
  await clock.pass(20_000);
  const exit = await client.exit();
  assertFailed(
    exit,
    28,
    /Cannot connect to .*: no answer within 20 s \(ETIMEDOUT\)\. (A server listens there .*accepts nobody|Check )/,
  );
}, ["python3"]);

test("client: a peer that stays silent for --timeout: exit 28", async () => {
  await using peer = await python(`
s, _ = l.accept()
while s.recv(1000): pass
say("That was all")
sys.stdin.read()
`);
  const clock = new TestClock();
  await using client = startClient([...at(peer), "--timeout", "20"], { clock });
  assert.equal(await peer.hear(), "That was all");
  await clock.advance(22_000);
  const exit = await client.exit();
  assertFailed(exit, 28, /Cannot read from .*: nothing moved for 20 s \(ETIMEDOUT\)\. Check /);
}, ["python3"]);

test("client: a peer that echoes something else: exit 1, and where it differs", async () => {
  for (const [changed, at_] of [["upper()", 1], ["replace(b'd.', b'd!')", 41]] as const) {
    await using peer = await python(`
s, _ = l.accept()
message = b""
while data := s.recv(1000): message += data
s.sendall(message.${changed})
s.close()
`);
    const exit = await runClient(at(peer));
    assertFailed(exit, 1, new RegExp(`differs from what was sent, from byte ${at_} on\\.$`));
    // What came is shown all the same.
    assert.equal(exit.stdout.length, 42);
  }
}, ["python3"]);

test("client: a peer that echoes more than was sent: exit 1", async () => {
  await using peer = await python(`
s, _ = l.accept()
message = b""
while data := s.recv(1000): message += data
s.sendall(message + b"!")
s.close()
`);
  assertFailed(await runClient(at(peer)), 1, /from byte 42 on\.$/);
}, ["python3"]);

test("client: a peer that closes early: exit 18", async () => {
  await using peer = await python(`
s, _ = l.accept()
message = b""
while data := s.recv(1000): message += data
s.sendall(message[:10])
s.close()
`);
  const exit = await runClient(at(peer));
  assertFailed(exit, 18, /The server closed after echoing 10 of 42 bytes\./);
  assert.equal(exit.stdout.toString(), "This is th");
}, ["python3"]);

test("client: of how many bytes an echo is short, is told exactly where that is known", () => {
  const outcome = { sent: 10, received: 3, differsAt: undefined, complete: false };
  const tells = (total: number | undefined, says: RegExp) =>
    assert.throws(() => logOutcome(outcome, {} as Log, total), says);
  tells(42, /after echoing 3 of 42 bytes\.$/);
  tells(10, /after echoing 3 of 10 bytes\.$/);
  tells(undefined, /after echoing 3 of 10 bytes or more\.$/);
});

test("client: a peer that resets: exit 56", async () => {
  await using peer = await python(`
s, _ = l.accept()
s.recv(1)
reset(s)
`);
  assertFailed(await runClient(at(peer)), 56, /Cannot read from .*reset.*\(ECONNRESET\)\. /);
}, ["python3"]);

for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  test(`client: ${signal} during the conversation: exit ${code}`, async () => {
    await using peer = await python(`
s, _ = l.accept()
s.sendall(s.recv(4))
say("served")
try:
    while s.recv(1000): pass
    say("closed")
except ConnectionResetError:
    say("reset")
`);
    await using client = startClient([...at(peer), "-q"], { pipe: true });
    client.stdin.write("ping");
    await client.stdout.until(/ping/);
    const exit = await client.stop(signal);
    assert.deepEqual([exit.code, exit.stderr], [code, ""]);
    assert.equal(await peer.hear(), "served");
    // Deno cannot send RST.
    assert.equal(await peer.hear(), runtime === "Deno" ? "closed" : "reset");
  }, ["python3"]);

  test(`client: ${signal} while connecting: exit ${code}`, async () => {
    await using peer = await systemUnanswered();
    await using client = startClient([...at(peer), "-v"]);
    await client.stderr.until(/^trying /m);
    const exit = await client.stop(signal);
    assert.equal(exit.code, code);
    assert.doesNotMatch(exit.stderr, /^\s+at /m);
  }, ["python3"]);
}

test("client: ends quietly with 141 when the reader of their stderr has gone", async () => {
  await using server = await startServer(["--host", "127.0.0.1"]);
  const line = '{ "$@" 2>&1 >/dev/null; echo "exit $?" >&2; } | head -n 1';
  const port = String(server.port);
  const client = [...programCommand("client"), "-v", "--host", "127.0.0.1", "--port", port];
  const told = await runProgram(inShell(`head -c 4000000 /dev/zero | ${line}`, client));
  const first = `connecting to 127.0.0.1 port ${port}\n`;
  assert.deepEqual([told.stdout.toString(), told.stderr], [first, "exit 141\n"]);
});

test("client: what cannot be written to stdout is one line, and exit 23", async () => {
  await using server = await startServer(["--host", "127.0.0.1"]);
  const at = `127.0.0.1:${server.port}`;
  for (const args of [["--port", String(server.port), "--host", "127.0.0.1", "hi"], ["--help"]]) {
    const command = [...programCommand("client"), "echo", ...args];
    const exit = await runProgram(inShell('"$@" > /dev/full', command));
    assertFailed(exit, 23, /^client\.ts: Cannot write to stdout: .*no space left on device/i);
  }
  const connect = [...programCommand("client"), "connect", at];
  const exit = await runProgram(inShell('echo hi | "$@" -q > /dev/full', connect));
  assertFailed(exit, 23, /^client\.ts: Cannot write to stdout: /);
});

test("client: a log that cannot be written ends nothing", async () => {
  await using server = await startServer(["--host", "127.0.0.1"]);
  const client = [...programCommand("client"), "echo", "hi", "-v", "--port", String(server.port)];
  const exit = await runProgram(inShell('"$@" --host 127.0.0.1 2> /dev/full', client));
  assert.deepEqual([exit.code, exit.stdout.toString()], [0, "hi"]);
});

test("client: ends quietly when the reader of its stdout has gone", async () => {
  await using server = await startServer(["--host", "127.0.0.1"]);
  const client = [...programCommand("client"), "-q", "--port", String(server.port)];
  const line = 'head -c 4000000 /dev/zero | { "$@"; echo "exit $?" >&2; } | head -c 1';
  const exit = await runProgram(inShell(line, [...client, "--host", "127.0.0.1"]));
  assert.deepEqual([exit.stdout.length, exit.stderr], [1, "exit 0\n"]);
});
