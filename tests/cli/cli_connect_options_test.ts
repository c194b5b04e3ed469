// client.ts connect: its command line, what its options do to the bytes, and how it fails.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { withCrlf } from "../../lib/cli/commands/connect/crlf.ts";
import { HexDump } from "../../lib/cli/commands/connect/hex.ts";
import { probe } from "../../lib/cli/commands/connect/probe.ts";
import { processIo } from "../../lib/cli/io/io.ts";
import { Session } from "../../lib/cli/session.ts";
import { SocketError } from "../../lib/base/errors.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import type { TcpConnectOptions } from "../../lib/net/transport.ts";
import { systemUnanswered } from "../contract/networks.ts";
import { bytes, freePort, OWN_HOST, rejects, until } from "../support/helpers.ts";
import { python, runProgram } from "../support/peers.ts";
import {
  assertFailed,
  programCommand,
  runClient,
  startClient,
  startServer,
} from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";
import { TestClock } from "../support/test_clock.ts";

test("connect: --help shows examples, all flags and the exit codes", async () => {
  const { code, stdout, stderr } = await runClient(["connect", "--help"]);
  const help = stdout.toString();
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(
    help,
    /^Joins stdin and stdout to a socket\.\n\n {2}deno run -A client\.ts connect /,
  );
  for (
    const flag of [
      "--on-eof half-close|close|wait",
      "--unix PATH",
      "--tls",
      "--servername NAME",
      "-u, --udp",
      "-C, --crlf",
      "-x, --hex",
      "-z, --probe",
      "--idle-timeout SECONDS",
      "-v, --verbose",
    ]
  ) assert.ok(help.includes(`${flag}  `), `${flag} is not in the help:\n${help}`);
  for (const exitCode of [0, 2, 6, 7, 28, 35, 56, 60, 130]) {
    assert.match(help, new RegExp(`^  ${exitCode} +\\w`, "m"));
  }
  for (const line of help.split("\n")) assert.ok(line.length <= 100, `Too long: ${line}`);
  assert.match((await runClient(["--help"])).stdout.toString(), /client\.ts connect HOST:PORT/);
});

test("connect: the usual mistakes exit 2, with one line that says what to write", async () => {
  const wrong: [args: string[], message: RegExp][] = [
    [[], /connect needs HOST:PORT, or --unix PATH/],
    [["localhost", "80"], /The port goes with the host: write localhost:80/],
    [["::1", "80"], /write \[::1\]:80/],
    [["80"], /'80' is a port without a host: write localhost:80/],
    [["localhost"], /'localhost' has no port: write localhost:PORT/],
    [["::1:80"], /write \[::1\]:80/],
    [["localhost:http"], /a port is a whole number from 1 to 65535, not 'http'/],
    [["http://localhost/"], /'http:\/\/localhost\/' is a URL: write localhost:80/],
    [["localhost:80", "hello"], /Too many arguments, from 'hello' on; what is sent comes on stdin/],
    [["localhost:80-90"], /'localhost:80-90': only --probe \(-z\) takes a range of ports/],
    [["-z", "localhost:90-80"], /'localhost:90-80' is not a range: write the lower port first/],
    [["-z", "localhost:1-65536"], /not '65536'/],
    [["--unix", "/s", "localhost:80"], /--unix says where to connect to: leave 'localhost:80' out/],
    [["--unix", "/s", "--tls"], /Options --unix and --tls exclude each other/],
    [["--alpn", "h2", "localhost:80"], /Option --alpn needs --tls/],
    [["-k", "localhost:80"], /Option --insecure needs --tls/],
    [["--tls", "--cacert", "/nowhere", "localhost:80"], /--cacert cannot read '\/nowhere'/],
    [["--on-eof", "stop", "localhost:80"], /takes half-close or close or wait, not 'stop'/],
    [["-z", "--frame", "u8", "localhost:80"], /Options --probe and --frame exclude each other/],
    [["--udp", "--frame", "u8", "localhost:80"], /Options --udp and --frame exclude each other/],
    [["-z", "--hex", "localhost:80"], /Options --probe and --hex exclude each other/],
  ];
  for (const [args, message] of wrong) {
    const exit = await runClient(["connect", ...args]);
    assertFailed(exit, 2, message, /See 'client\.ts connect --help'\.$/);
    assert.equal(exit.stderr.split("\n").length, 2, exit.stderr);
  }
});

test("connect: what cannot be connected to: exit 7, 6 and 28", async () => {
  const nobody = `${OWN_HOST}:${await freePort()}`;
  assertFailed(await runClient(["connect", nobody]), 7, /refused \(ECONNREFUSED\)/);
  assertFailed(
    await runClient(["connect", "-q", "--unix", "/nowhere/a.sock"]),
    7,
    /Cannot connect to \/nowhere\/a\.sock: there is no such file or folder \(ENOENT\)/,
  );
  assertFailed(await runClient(["connect", "nowhere.invalid:80"]), 6, /\(ENOTFOUND|EAI_AGAIN\)/);
  await using unanswered = await systemUnanswered();
  const { host, port: silent } = unanswered.endpoint;
  const clock = new TestClock();
  const args = ["connect", "--connect-timeout", "20", `${host}:${silent}`];
  await using client = startClient(args, { clock });
  await until(() => unanswered.isAsked(), "the client to be kept waiting");
  await clock.pass(20_000);
  assertFailed(await client.exit(), 28, /no answer within 20 s \(ETIMEDOUT\)/);
}, ["python3"]);

test("connect -z: a port that takes connections is printed: exit 0; one that does not: exit 7", async () => {
  using listener = await systemTransport.listen({ host: "127.0.0.1" });
  const open = await runClient(["connect", "-z", `localhost:${listener.addr.port}`]);
  assert.deepEqual(
    [open.code, open.stdout.toString(), open.stderr],
    [0, `localhost:${listener.addr.port} open\n`, ""],
  );
  const closed = await runClient(["connect", "-z", `${OWN_HOST}:${await freePort()}`]);
  assertFailed(closed, 7, /refused \(ECONNREFUSED\)/);
  assert.equal(closed.stdout.length, 0);
});

/** Two listeners with a port between theirs that nobody listens on. */
async function apart(): Promise<Disposable & { first: number }> {
  for (;;) {
    const lower = await systemTransport.listen({ host: OWN_HOST });
    const first = lower.addr.port;
    try {
      (await systemTransport.listen({ host: OWN_HOST, port: first + 1 })).close();
      const upper = await systemTransport.listen({ host: OWN_HOST, port: first + 2 });
      const dispose = () => [lower, upper].forEach((listener) => listener.close());
      return { first, [Symbol.dispose]: dispose };
    } catch {
      lower.close(); // Somebody else has one of them.
    }
  }
}

test("connect -z: of a range, those that are open are printed in order: exit 0", async () => {
  using ports = await apart();
  const { first } = ports;
  const { code, stdout, stderr } = await runClient([
    "connect",
    "-z",
    `${OWN_HOST}:${first}-${first + 2}`,
  ]);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.equal(stdout.toString(), `${OWN_HOST}:${first} open\n${OWN_HOST}:${first + 2} open\n`);
});

test("connect -z: of a range in which none is open the counts are told: exit 7", async () => {
  // Nothing listens on the first ports of an address of its own.
  const exit = await runClient(["connect", "-z", "127.9.8.7:1-200"]);
  assertFailed(
    exit,
    7,
    /None of the 200 ports from 127\.9\.8\.7:1 to 127\.9\.8\.7:200 takes connections: 200 ECONNREFUSED/,
  );
  // As a process, since look-ups go on that are given up.
  const nowhere = [...programCommand("client"), "connect", "-z", "nowhere.invalid:1-3"];
  assertFailed(await runProgram(nowhere), 6, /nowhere\.invalid/);
});

test("connect -z: when one fails for good, those under way are given up, and no more are tried", async () => {
  const transport = new MemoryTransport();
  let tried = 0;
  let givenUp = 0;
  const connect = async ({ port, signal }: TcpConnectOptions) => {
    tried++;
    if (port === 100) throw new SocketError("ENETUNREACH", "connect");
    await new Promise((resolve) => signal!.addEventListener("abort", resolve));
    givenUp++;
    throw new SocketError("ECANCELED", "connect");
  };
  Object.assign(transport, { connect });
  const ports = Array.from({ length: 200 }, (_, i) => ({ host: "127.0.0.1", port: i + 1 }));
  const limits = { clock: new VirtualClock() };
  await rejects(probe(transport, ports, limits, new Session(processIo)), "ENETUNREACH");
  assert.deepEqual([tried, givenUp], [100, 99]);
});

/** What a source with these chunks is sent as. */
async function crlf(...chunks: string[]): Promise<string> {
  const sent: Uint8Array[] = [];
  const source = (async function* () {
    for (const chunk of chunks) yield bytes(chunk);
  })();
  for await (const chunk of withCrlf(source)) sent.push(chunk);
  return Buffer.concat(sent).toString();
}

test("connect --crlf: LF becomes CRLF, and CRLF and CR stay as they are", async () => {
  assert.equal(await crlf("a\nb\r\nc\rd\n\n"), "a\r\nb\r\nc\rd\r\n\r\n");
  assert.equal(await crlf("a\r", "\nb", "", "\n", "\n"), "a\r\nb\r\n\r\n");
  assert.equal(await crlf("\n"), "\r\n");
  assert.equal(await crlf("a\r", "", "\n"), "a\r\n");
});

test("connect --crlf: however the bytes are cut, the same is sent", async () => {
  const text = fc.array(fc.constantFrom("\r", "\n", "x"), { maxLength: 30 });
  await fc.assert(fc.asyncProperty(fc.array(text), async (pieces) => {
    const chunks = pieces.map((piece) => piece.join(""));
    const whole = chunks.join("");
    assert.equal(await crlf(...chunks), whole.replace(/(?<!\r)\n/g, "\r\n"));
  }));
});

test("connect --hex: offset, bytes and text, each direction counted by itself", () => {
  const dump = new HexDump();
  const seventeen = bytes("GET / HTTP/1.1\r\n\x7f");
  assert.equal(
    dump.lines(">", seventeen),
    "> 00000000  47 45 54 20 2f 20 48 54  54 50 2f 31 2e 31 0d 0a  |GET / HTTP/1.1..|\n" +
      "> 00000010  7f                                                |.|\n",
  );
  assert.equal(
    dump.lines("<", bytes("été")),
    "< 00000000  c3 a9 74 c3 a9                                    |..t..|\n",
  );
  assert.equal(
    dump.lines(">", bytes("12345678")),
    "> 00000011  31 32 33 34 35 36 37 38                           |12345678|\n",
  );
  assert.equal(dump.lines("<", new Uint8Array(0)), "");
});

test("connect --hex --crlf: what is shown is what is sent", async () => {
  await using server = await startServer(["--host", "127.0.0.1"]);
  const args = ["connect", `127.0.0.1:${server.port}`, "--hex", "--crlf", "-q"];
  const { code, stdout, stderr } = await runClient(args, { stdin: "a\n" });
  assert.deepEqual([code, stderr], [0, ""]);
  const columns = "00000000  61 0d 0a                                          |a..|";
  assert.equal(stdout.toString(), `> ${columns}\n< ${columns}\n`);
});

test("connect -v: every step is told on stderr, and -q tells none", async () => {
  await using server = await startServer(["--host", "127.0.0.1"]);
  const args = ["connect", `127.0.0.1:${server.port}`];
  const verbose = await runClient([...args, "-v"], { stdin: "hello" });
  assert.deepEqual([verbose.code, verbose.stdout.toString()], [0, "hello"]);
  for (
    const line of [
      /^connecting to 127\.0\.0\.1 port \d+$/m,
      /^connected to 127\.0\.0\.1:\d+ from 127\.0\.0\.1:\d+$/m,
      /^sending "hello"$/m,
      /^nothing more to send: half-closing$/m,
      /^received "hello"$/m,
      /^no more data from the server$/m,
      /^sent 5 bytes and received 5; closed$/m,
    ]
  ) assert.match(verbose.stderr, line);
  const quiet = await runClient([...args, "-q"], { stdin: "hello" });
  assert.deepEqual([quiet.code, quiet.stdout.toString(), quiet.stderr], [0, "hello", ""]);
});

test("connect --log json -v: every step is a JSON object on a line of stderr", async () => {
  await using server = await startServer(["--host", "127.0.0.1"]);
  const args = ["connect", `127.0.0.1:${server.port}`, "-v", "--log", "json"];
  const { code, stdout, stderr } = await runClient(args, { stdin: "hello" });
  assert.deepEqual([code, stdout.toString()], [0, "hello"]);
  const events = stderr.trimEnd().split("\n").map((line) => JSON.parse(line).event);
  for (const event of ["connected", "send", "shutdown", "recv", "eof", "close"]) {
    assert.ok(events.includes(event), stderr);
  }
});

test(
  "connect: a peer that resets is told in one line, behind what it has sent: exit 56",
  async () => {
    await using peer = await python(`
s, _ = l.accept()
s.recv(100)
s.sendall(b"so far")
reset(s)
sys.stdin.read()
`);
    const exit = await runClient(
      ["connect", `127.0.0.1:${peer.endpoint.port}`, "--on-eof", "wait"],
      { stdin: "hello" },
    );
    assertFailed(exit, 56, /^client\.ts: Cannot read from .*: the peer reset .*\(ECONNRESET\)/);
    assert.equal(exit.stdout.toString(), "so far");
  },
  ["python3"],
);
