// `server.ts relay`: with the programs of others on both sides.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { selfSigned } from "../../lib/net/tls/self_signed.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import type { Conn } from "../../lib/net/transport.ts";
import {
  bytes,
  freePort,
  OWN_HOST,
  randomBytes,
  readAll,
  readExactly,
  rejects,
  untilAsync,
} from "../support/helpers.ts";
import { InProcess } from "../support/in_process.ts";
import { Program, PYTHON, python, runProgram } from "../support/peers.ts";
import {
  listening,
  runServer,
  type ServerScript,
  startServer,
  startServerProcess,
} from "../support/scripts.ts";
import { runtime, test } from "../support/runner.deno.ts";

const MIB = 1024 * 1024;

/** Starts `server.ts relay` on a free port of 127.0.0.1, and waits until it listens. */
function startRelay(to: string, args: readonly string[] = []): Promise<ServerScript> {
  return startServer(["relay", "--to", to, "--host", "127.0.0.1", ...args]);
}

/** A folder that is gone afterwards. */
function folder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "plainsocket-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

/** Python's web server, with a page of 3 MiB. */
async function startWebServer(dir: string) {
  const page = randomBytes(3 * MIB);
  writeFileSync(join(dir, "page"), page);
  const program = new Program(
    [...PYTHON, "-u", "-m", "http.server", "--bind", "127.0.0.1", "-d", dir, "0"],
  );
  const [, port] = await program.stdout.until(/port (\d+)/);
  return { page, port, [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
}

test("cli relay: curl gets a page through it from python's http.server", async () => {
  using dir = folder();
  await using web = await startWebServer(dir.path);
  const { page, port } = web;
  await using relay = await startRelay(`127.0.0.1:${port}`);
  const url = `http://127.0.0.1:${relay.port}/page`;
  const { code, stdout } = await runProgram(["curl", "-sS", "--max-time", "30", url]);
  assert.equal(code, 0);
  assert.ok(stdout.equals(Buffer.from(page)));
  const { lines } = relay.program.stderr;
  const line = await relay.program.stderr.until(
    /^127\.0\.0\.1:\d+ to 127\.0\.0\.1:(\d+): (\d+) bytes there, (\d+) back, \d+\.\d{3} s$/m,
  );
  assert.deepEqual([line[1], Number(line[3]) > page.length], [port, true]);
  assert.match(lines[0], /^starting up on 127\.0\.0\.1 port 0$/);
  const exit = await relay.program.stop();
  assert.equal(exit.code, 0);
  assert.equal(exit.stdout.toString(), `tcp://127.0.0.1:${relay.port}\n`);
}, ["curl", "python3"]);

test("cli relay: openssl s_client and curl reach plain servers through TLS", async () => {
  await using echo = await startServer(["--host", "127.0.0.1"]);
  await using relay = await startRelay(`127.0.0.1:${echo.port}`, ["--tls-self-signed"]);
  assert.match(relay.url, /^tls:\/\/127\.0\.0\.1:\d+$/);
  await using client = new Program(
    ["openssl", "s_client", "-quiet", "-no_ign_eof", "-connect", `127.0.0.1:${relay.port}`],
    { pipe: true },
  );
  client.stdin.write("through TLS\n");
  await client.stdout.until(/through TLS\n/);
  client.stdin.end();
  await relay.program.stderr.until(/: 12 bytes there, 12 back, /);
  using dir = folder();
  await using web = await startWebServer(dir.path);
  await using secured = await startRelay(`127.0.0.1:${web.port}`, ["--tls-self-signed"]);
  const url = `https://localhost:${secured.port}/page`;
  const { stdout } = await runProgram(["curl", "-sS", "-4", "-k", "--max-time", "30", url]);
  assert.ok(stdout.equals(Buffer.from(web.page)));
}, ["curl", "openssl", "python3"]);

test(
  "cli relay: a plain client reaches a target with TLS, whose certificate is verified",
  async () => {
    using dir = folder();
    const { cert, key } = await selfSigned(["127.0.0.1"]);
    const [certFile, keyFile] = [join(dir.path, "cert.pem"), join(dir.path, "key.pem")];
    writeFileSync(certFile, cert);
    writeFileSync(keyFile, key);
    await using echo = await startServer(
      ["--host", "127.0.0.1", "--tls-cert", certFile, "--tls-key", keyFile],
    );
    // The URL that the server prints is a target, too.
    await using trusting = await startRelay(echo.url, ["--cacert", certFile]);
    const port = String(trusting.port);
    const { stdout } = await runProgram(["socat", "-t10", "-", `TCP4:127.0.0.1:${port}`], {
      stdin: "all the way",
    });
    assert.equal(stdout.toString(), "all the way");
    await using distrusting = await startRelay(`tls:127.0.0.1:${echo.port}`);
    using conn = await systemTransport.connect({ host: "127.0.0.1", port: distrusting.port });
    await assertReset(conn);
    await distrusting.program.stderr.until(
      /^127\.0\.0\.1:\d+ to 127\.0\.0\.1:\d+: 0 bytes there, 0 back, .* \(ECERT\)/m,
    );
  },
  ["socat"],
);

/** Asserts that the relay has reset the connection; on Deno it cannot, and closes. */
async function assertReset(conn: Conn): Promise<void> {
  const reading = conn.read(new Uint8Array(1));
  if (runtime === "Deno") assert.equal(await reading, null);
  else await rejects(reading, "ECONNRESET");
}

test("cli relay: socat's Unix sockets on either side", async () => {
  using dir = folder();
  const [target, front] = [join(dir.path, "target.sock"), join(dir.path, "front.sock")];
  await using peer = new Program(["socat", `UNIX-LISTEN:${target},fork`, "EXEC:'tr a-z A-Z'"]);
  await using toUnix = await startRelay(`unix:${target}`);
  const client = async () =>
    await runProgram(["socat", "-t10", "-", `UNIX-CONNECT:${front}`], { stdin: "to and fro\n" });
  await using toTcp = await listening(
    new InProcess("server", ["relay", "--to", toUnix.url, "--unix", front]),
    /^unix:\S*()\n/,
  );
  assert.equal(toTcp.url, `unix:${front}`);
  // It may not listen yet: what it is reached through says so, and the client tries again.
  let got = "";
  const isAnswered = async () => (got = (await client()).stdout.toString()) !== "";
  await untilAsync(isAnswered, "an answer of socat's");
  assert.equal(got, "TO AND FRO\n");
  await toTcp.program.stderr.until(/^\(unnamed\) to 127\.0\.0\.1:\d+: 11 bytes there, 11 back/m);
  await toUnix.program.stderr.until(/^127\.0\.0\.1:\d+ to \S+\/target\.sock: 11 bytes there/m);
  peer.kill("SIGTERM");
}, ["socat"]);

test("cli relay: ncat half-closes, and the answer still comes", async () => {
  await using peer = await python(`
c, _ = l.accept()
data = b""
while True:
    p = c.recv(4096)
    if not p: break
    data += p
c.sendall(b"got %d bytes" % len(data))
c.close()
sys.stdin.readline()
`);
  await using relay = await startRelay(`127.0.0.1:${peer.endpoint.port}`);
  const { code, stdout } = await runProgram(["ncat", "127.0.0.1", String(relay.port)], {
    stdin: randomBytes(100_000),
  });
  assert.deepEqual([code, stdout.toString()], [0, "got 100000 bytes"]);
  await relay.program.stderr.until(/: 100000 bytes there, 16 back, /);
}, ["ncat", "python3"]);

test("cli relay: a target that resets resets the client, and the line says so", async () => {
  await using peer = await python(`
c, _ = l.accept()
c.recv(1)
reset(c)
sys.stdin.readline()
`);
  await using relay = await startRelay(`127.0.0.1:${peer.endpoint.port}`);
  using conn = await systemTransport.connect({ host: "127.0.0.1", port: relay.port });
  await conn.write(bytes("x"));
  await assertReset(conn);
  await relay.program.stderr.until(/: 1 byte there, 0 back, [\d.]+ s: Cannot .* \(ECONNRESET\)/);
}, ["python3"]);

test("cli relay: a client that resets has the target reset", async () => {
  await using peer = await python(`
c, _ = l.accept()
say(c.recv(1).decode())
try:
    say("eof" if c.recv(1) == b"" else "data")
except ConnectionResetError:
    say("reset")
`);
  await using relay = await startRelay(`127.0.0.1:${peer.endpoint.port}`);
  await using client = await python(`
c = socket.create_connection(("127.0.0.1", int(sys.stdin.readline())))
c.sendall(b"x")
sys.stdin.readline()
reset(c)
`);
  client.say(String(relay.port));
  assert.equal(await peer.hear(), "x");
  client.say("now");
  assert.equal(await peer.hear(), runtime === "Deno" ? "eof" : "reset");
  await relay.program.stderr.until(/: 1 byte there, 0 back, [\d.]+ s: Cannot .* \(ECONNRESET\)/);
}, ["python3"]);

test("cli relay: a target that refuses is told in one line, and the client is reset", async () => {
  const target = `${OWN_HOST}:${await freePort()}`;
  for (const json of [false, true]) {
    await using relay = await startRelay(target, json ? ["--log", "json"] : []);
    using conn = await systemTransport.connect({ host: "127.0.0.1", port: relay.port });
    await assertReset(conn);
    if (!json) {
      const [line] = await relay.program.stderr.until(/^.* \(ECONNREFUSED\)\. .*[Cc]heck .*$/m);
      assert.match(line, new RegExp(`to ${target}: 0 bytes there, 0 back, [\\d.]+ s: Cannot `));
      continue;
    }
    const [line] = await relay.program.stderr.until(/^.*"relayed".*$/m);
    const { time, client, seconds, message, ...rest } = JSON.parse(line);
    assert.ok(!Number.isNaN(Date.parse(time)));
    assert.equal(client, `127.0.0.1:${conn.localAddr.port}`);
    assert.equal(typeof seconds, "number");
    assert.match(message, /^Cannot connect to /);
    assert.deepEqual(rest, {
      event: "relayed",
      target,
      toTarget: 0,
      toClient: 0,
      code: "ECONNREFUSED",
    });
  }
}, ["python3"]);

test("cli relay: -v shows the sockets of both sides, and -q no conversation", async () => {
  await using echo = await startServer(["--host", "127.0.0.1"]);
  const target = `127.0.0.1:${echo.port}`;
  const converse = async (args: readonly string[]) => {
    await using relay = await startRelay(target, args);
    using conn = await systemTransport.connect({ host: "127.0.0.1", port: relay.port });
    await conn.write(bytes("hello"));
    await conn.closeWrite();
    assert.equal((await readAll(conn)).length, 5);
    const { stderr } = await relay.program.stop();
    return stderr.replaceAll(`:${conn.localAddr.port}`, ":CLIENT");
  };
  assert.equal(await converse(["-q"]), "");
  const told = await converse(["-v"]);
  for (
    const line of [
      "waiting for connections",
      "[2] connection from 127.0.0.1:CLIENT",
      `[3] trying ${target}`,
      `[3] connected to ${target} from `,
      '[2] received "hello"',
      '[3] sending "hello"',
      "[2] no more data from 127.0.0.1:CLIENT",
      `[3] no more data for ${target}: half-closing`,
      '[2] sending "hello"',
      `[3] closing the connection with ${target}`,
      "[2] closing the connection with 127.0.0.1:CLIENT",
      `127.0.0.1:CLIENT to ${target}: 5 bytes there, 5 back, `,
      "[1] closing the listening socket",
    ]
  ) assert.ok(told.includes(line), `${line} in:\n${told}`);
});

test("cli relay: 100 MiB both ways at once pass unchanged, in bounded memory", async () => {
  await using echo = await startServer(["--host", "127.0.0.1"]);
  const args = ["relay", "--to", `127.0.0.1:${echo.port}`, "--host", "127.0.0.1", "--port", "0"];
  await using relay = await startServerProcess(args);
  const { pid } = relay.program;
  using conn = await systemTransport.connect({ host: "127.0.0.1", port: relay.port });
  const piece = randomBytes(MIB);
  const pass = async (pieces: number) => {
    const [same] = await Promise.all([
      (async () => {
        for (let i = 0; i < pieces; i++) {
          if (!Buffer.from(piece).equals(await readExactly(conn, MIB))) return false;
        }
        return true;
      })(),
      (async () => {
        for (let i = 0; i < pieces; i++) await conn.write(piece);
      })(),
    ]);
    assert.ok(same);
  };
  await pass(5);
  const before = mostMemory(pid);
  await pass(100);
  const grown = (mostMemory(pid) - before) / MIB;
  assert.ok(grown < 60, `it grew by ${grown.toFixed(1)} MiB`);
  await conn.closeWrite();
  assert.equal(await conn.read(new Uint8Array(1)), null);
  await relay.program.stderr.until(/: 110100480 bytes there, 110100480 back, /);
});

/** The most bytes that a process has had in memory. */
function mostMemory(pid: number): number {
  return Number(/^VmHWM:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) * 1024;
}

test("cli relay: what is not right on the command line is one line with the next step", async () => {
  for (
    const [args, pattern] of [
      [[], /relay needs a target: --to HOST:PORT/],
      [["--to", "localhost"], /Option --to: 'localhost' has no port: write localhost:PORT/],
      [["--to", "::1:80"], /Option --to: '::1:80': .* write \[::1\]:80/],
      [["--to", "http://a/"], /Option --to: 'http:\/\/a\/' is a URL: write a:80/],
      [
        ["--to", "unix:"],
        /Option --to unix: takes the path of a socket, not '': a path is not empty/,
      ],
      [["--to", "tls:a"], /Option --to: 'a' has no port: write a:PORT/],
      [["--to", "a:1", "--insecure"], /Option --insecure is for a target with TLS/],
      [["--to", "tls:a:1", "--cacert", "/none"], /Option --cacert cannot read '\/none'/],
      [
        ["--to", "a:1", "b:2"],
        /Too many arguments, from 'b:2' on; for one more target say --to b:2/,
      ],
      [["b:2"], /Too many arguments, from 'b:2' on; say --to b:2/],
      [["--to", "a:1", "--unix", "x", "--port", "1"], /--unix cannot be used with --port/],
    ] as const
  ) {
    const { code, stdout, stderr } = await runServer(["relay", ...args]);
    assert.deepEqual([code, stdout.toString()], [2, ""]);
    assert.match(stderr, pattern);
    assert.match(stderr, /^server\.ts: .*\. See 'server\.ts relay --help'\.\n$/);
  }
});
