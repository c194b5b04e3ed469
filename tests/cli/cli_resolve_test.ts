// `client.ts resolve`: what it prints, and how it ends.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SocketError } from "../../lib/base/errors.ts";
import { formatAddr } from "../../lib/base/addr.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { python, type PythonPeer } from "../support/peers.ts";
import { folder } from "../support/replay_helpers.ts";
import { assertFailed, hasIPv6, runClient, startClient } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";
import { TestClock } from "../support/test_clock.ts";

const resolve = (...args: string[]) => runClient(["resolve", ...args]);

test("client resolve: a table of the addresses, with family, type and protocol", async () => {
  const v4 = await resolve("127.0.0.1:80");
  assert.deepEqual([v4.code, v4.stderr, v4.stdout.toString()], [
    0,
    "",
    "order  family   type         protocol     address\n" +
    "1      AF_INET  SOCK_STREAM  IPPROTO_TCP  127.0.0.1:80\n",
  ]);
  const v6 = await resolve("[::1]:65535");
  assert.match(v6.stdout.toString(), /^1 +AF_INET6 +SOCK_STREAM +IPPROTO_TCP +\[::1\]:65535$/m);
});

test("client resolve: the addresses of a name are those that getaddrinfo(3) has", async () => {
  await using peer = await python(`
found = socket.getaddrinfo("localhost", 7, type=socket.SOCK_STREAM)
say(" ".join(sorted({("[%s]:%d" if ":" in a[0] else "%s:%d") % a[:2] for *_, a in found})))
`);
  const { code, stdout } = await resolve("localhost:7");
  assert.equal(code, 0);
  const rows = stdout.toString().trimEnd().split("\n").slice(1);
  assert.equal(rows.map((row) => row.split(/ +/)[4]).sort().join(" "), await peer.hear());
}, ["python3"]);

test("client resolve: --log json prints one object", async () => {
  const { code, stdout, stderr } = await resolve("--log", "json", "127.0.0.1:80");
  assert.deepEqual([code, stderr, JSON.parse(stdout.toString())], [0, "", {
    endpoint: "127.0.0.1:80",
    candidates: [{
      order: 1,
      family: "AF_INET",
      type: "SOCK_STREAM",
      protocol: "IPPROTO_TCP",
      address: "127.0.0.1",
      port: 80,
    }],
  }]);
});

test("client resolve: --connect tells which address wins, and why", async () => {
  for (const host of await hasIPv6() ? ["127.0.0.1", "::1"] : ["127.0.0.1"]) {
    using listener = await systemTransport.listen({ host });
    const at = formatAddr(listener.addr);
    const accepted = listener.accept();
    const { code, stdout, stderr } = await resolve("--connect", at);
    assert.deepEqual([code, stderr], [0, ""]);
    const [head, row, empty, why] = stdout.toString().split("\n");
    assert.match(head, /^order +family +type +protocol +address +began +ended +result$/);
    assert.match(row, /^1 +AF_INET6? +SOCK_STREAM +IPPROTO_TCP +\S+ +[\d.]+ ms +[\d.]+ ms +won$/);
    assert.equal(empty, "");
    assert.ok(why.startsWith(`${at} won: it answered within `), why);
    using conn = await accepted;
    assert.equal(await conn.read(new Uint8Array(1)), null, "and it is closed");
  }
});

test("client resolve: --fault breaks the attempts of --connect, and the recording has it", async () => {
  using dir = folder();
  const file = join(dir.path, "x.jsonl");
  using listener = await systemTransport.listen({ host: "127.0.0.1" });
  const at = formatAddr(listener.addr);
  const broken = ["--fault", "refuse", "--record", file];
  const run = await resolve("--connect", at, ...broken);
  assert.equal(run.code, 7);
  assert.match(run.stderr, /a fault refused it \(ECONNREFUSED\)/);
  assert.match(run.stdout.toString(), /^1 .*ECONNREFUSED/m);
  assert.match(readFileSync(file, "utf8"), /"type":"fault","fault":"refuse","detail":"of a conn/);
  const alone = await resolve(at, ...broken);
  assertFailed(alone, 2, /Options --record, --fault and --watch go with --connect/);
});

test(
  "client resolve: when nobody answers the table says why for each, and the exit code is 7",
  async () => {
    // Bound and not listening: nobody else gets the port, and it refuses.
    await using peer = await python(`
bound = socket.socket()
bound.bind(("127.0.0.1", 0))
say(bound.getsockname()[1])
sys.stdin.read()
`);
    const port = await peer.hear();
    const text = await resolve("--connect", `127.0.0.1:${port}`);
    assert.match(text.stdout.toString(), /^1 .* ms +ECONNREFUSED: the connection was refused\n$/m);
    assertFailed(text, 7, /Cannot connect to 127\.0\.0\.1:\d+: the connection was refused/);
    const json = await resolve("-q", "--connect", "--log", "json", `127.0.0.1:${port}`);
    const { candidates, why } = JSON.parse(json.stdout.toString());
    assert.deepEqual([json.code, candidates[0].outcome, candidates[0].code, why], [
      7,
      "failed",
      "ECONNREFUSED",
      undefined,
    ]);
  },
  ["python3"],
);

/** A server whose backlog is full: connecting to it waits. */
async function fullServer(): Promise<PythonPeer> {
  const peer = await python(
    `
full = [socket.socket() for _ in range(3)]
for s in full:
    s.setblocking(False)
    s.connect_ex(l.getsockname())
say("full")
sys.stdin.read()
`,
    0,
  );
  assert.equal(await peer.hear(), "full");
  return peer;
}

test("client resolve: when nobody answers in time the exit code is 28", async () => {
  await using peer = await fullServer();
  const at = `127.0.0.1:${peer.endpoint.port}`;
  const clock = new TestClock();
  const args = ["resolve", "-v", "--connect", "--connect-timeout", "20", at];
  await using client = startClient(args, { clock });
  await client.stderr.until(/^trying /m);
  await clock.pass(20_000);
  const exit = await client.exit();
  assert.match(exit.stdout.toString(), /^1 .* 0 ms +20000 ms +no answer$/m);
  assert.match(exit.stderr, /^client\.ts: .*no answer within 20 s/m);
  assert.equal(exit.code, 28);
}, ["python3"]);

test("client resolve: Ctrl-C tells what there is to tell, and the exit code is 130", async () => {
  await using peer = await fullServer();
  const args = ["resolve", "-v", "--connect", `127.0.0.1:${peer.endpoint.port}`];
  await using program = startClient(args);
  await program.stderr.until(/^trying /m);
  const { code, stdout } = await program.stop("SIGINT");
  assert.match(stdout.toString(), /^1 .* ms +no answer$/m);
  assert.equal(code, 130);
}, ["python3"]);

test("client resolve: a name that does not resolve is 6, with nothing on stdout", async () => {
  for (const args of [[], ["--connect"]]) {
    const exit = await resolve(...args, "no-such-name.invalid:80");
    assert.equal(exit.stdout.length, 0);
    assertFailed(exit, 6, /Cannot resolve no-such-name\.invalid:80: the name/);
  }
});

test("client resolve: what is no HOST:PORT exits 2, with what to write", async () => {
  const wrong: [args: string[], message: RegExp][] = [
    [
      [],
      /resolve needs HOST or HOST:PORT, as in localhost:80\. See 'client\.ts resolve --help'\.$/,
    ],
    [["80"], /'80' is a port without a host: write localhost:80/],
    [["--connect", "localhost"], /'localhost' has no port: write localhost:PORT/],
    [["localhost:http"], /a port is a whole number from 1 to 65535, not 'http'/],
    [["http://localhost/"], /is a URL: write localhost:80/],
    [["::1:80"], /an IPv6 address stands in brackets: write \[::1\]:80/],
    [["localhost", "80"], /The port goes with the host: write localhost:80/],
    [["a:1", "b:2"], /Too many arguments, from 'b:2' on; resolve takes one HOST:PORT/],
    [["--connect=yes", "a:1"], /Option --connect takes no value/],
  ];
  for (const [args, message] of wrong) assertFailed(await resolve(...args), 2, message);
});

test("client resolve: --help tells its flags and exit codes", async () => {
  const { code, stdout } = await resolve("--help");
  const help = stdout.toString();
  assert.equal(code, 0);
  for (const flag of ["--connect  ", "--connect-timeout SECONDS  ", "--log text|json  "]) {
    assert.ok(help.includes(flag), help);
  }
  for (const exitCode of [0, 2, 6, 7, 28, 130]) {
    assert.match(help, new RegExp(`^  ${exitCode} `, "m"));
  }
  for (const line of help.split("\n")) assert.ok(line.length <= 100, `Too long: ${line}`);
});

test("resolve: a host without a port is enough, and then no port is shown", async () => {
  for (const host of ["127.0.0.1", "[::1]", "::1", "localhost"]) {
    const bare = host.replace(/[[\]]/g, "");
    const { code, stdout, stderr } = await runClient(["resolve", host]);
    assert.equal(code, 0, stderr);
    const addresses = stdout.toString().trimEnd().split("\n").slice(1)
      .map((line) => line.split(/ +/).at(-1)!);
    assert.ok(addresses.length > 0);
    for (const address of addresses) assert.ok(["127.0.0.1", "::1"].includes(address), address);
    const json = JSON.parse(
      (await runClient(["resolve", "--log", "json", host])).stdout.toString(),
    );
    assert.equal(json.endpoint, bare);
    assert.deepEqual(json.candidates.map(({ address }: { address: string }) => address), addresses);
    assert.equal("port" in json.candidates[0], false);
  }
});

test("resolve: a host without a port that does not resolve is told without one, too", () => {
  const { message } = new SocketError("ENOTFOUND", "resolve", { addr: { host: "a", port: 0 } });
  assert.match(message, /^Cannot resolve a: /);
});
