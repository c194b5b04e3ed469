// Who may connect to the server scripts, by --allow, --deny, --max-per-address and SIGHUP.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Conn } from "../../lib/net/transport.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { bytes, readText } from "../support/helpers.ts";
import { runProgram } from "../support/peers.ts";
import { assertFailed, runServer, startServer, startWeb } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";

/** Calls `use` with the name of a file that is not there, in a folder of its own. */
async function withFile(use: (path: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "access-"));
  try {
    await use(join(folder, "networks.txt"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What the echo server answers to a caller from this address. */
async function callFrom(source: string, port: number): Promise<string> {
  const command = ["socat", "-t", "30", "-", `TCP4:127.0.0.1:${port},bind=${source}`];
  return (await runProgram(command, { stdin: "hello" })).stdout.toString();
}

test("server: a network that is none, or a file that is not there, exits 2 with what to write", async () => {
  const wrong: [args: string[], message: RegExp][] = [
    [
      ["--allow", "10.0.0.1/8"],
      /Option --allow takes networks: '10\.0\.0\.1\/8' has bits set after its first 8: write 10\.0\.0\.0\/8 for the network, or 10\.0\.0\.1 for the one address\. See/,
    ],
    [
      ["--deny", "10.0.0.0/8,fe80::/200"],
      /Option --deny takes networks: 'fe80::\/200': the slash of an IPv6 network takes a number from 0 to 128, not '200'/,
    ],
    [["--deny", "example.com"], /'example\.com' is neither an IP address nor a network/],
    [["web", "--allow", ""], /Option --allow takes networks: '' is neither/],
    [["--max-per-address", "-1"], /Option --max-per-address/],
    [
      ["--allow", "@/no/such/file"],
      /Option --allow cannot read '\/no\/such\/file': there is no such file\. See/,
    ],
    [
      ["--unix", "/tmp/never.sock", "--allow", "::1"],
      /about IP addresses; for --unix there is --unix-mode/,
    ],
  ];
  for (const [args, message] of wrong) assertFailed(await runServer(args), 2, message);
});

test("server: --allow and --deny decide who is served, and who is refused is told", async () => {
  const args = ["--host", "127.0.0.1", "--allow", "127.0.0.0/30,::1", "--deny", "127.0.0.2"];
  await using server = await startServer(args);
  assert.equal(await callFrom("127.0.0.1", server.port), "hello");
  assert.equal(await callFrom("127.0.0.2", server.port), "");
  assert.equal(await callFrom("127.0.0.3", server.port), "hello");
  assert.equal(await callFrom("127.0.0.4", server.port), "");
  const { code, stderr } = await server.program.stop();
  assert.equal(code, 0);
  const [first, second] = stderr.split("\n").filter((line) => line.startsWith("refused"));
  assert.match(first, /^refused 127\.0\.0\.2:\d+: its address is denied$/);
  assert.match(second, /^refused 127\.0\.0\.4:\d+: its address is not allowed$/);
  assert.match(stderr, /^stopped after 2 connections, 0 of them reset; 2 more refused$/m);
}, ["socat"]);

test(
  "server: SIGHUP reads the files again; who is connected stays",
  () =>
    withFile(async (path) => {
      writeFileSync(path, "\ufeff# friends\r\n\n  127.0.0.1 # me\n::1");
      await using server = await startServer(["--host", "127.0.0.1", "--allow", `@${path}`]);
      const { stderr } = server.program;
      using early = await systemTransport.connect({ host: "127.0.0.1", port: server.port });
      await early.write(bytes("early"));
      assert.equal(await readText(early, 5), "early");
      assert.equal(await callFrom("127.0.0.2", server.port), "");

      writeFileSync(path, "127.0.0.2\n");
      server.program.kill("SIGHUP");
      await stderr.until(/^read again who may connect: 1 network allowed, 0 networks denied$/m);
      assert.equal(await callFrom("127.0.0.2", server.port), "hello");
      assert.equal(await callFrom("127.0.0.1", server.port), "");
      await early.write(bytes("still"));
      assert.equal(await readText(early, 5), "still");

      writeFileSync(path, "# nobody\n");
      server.program.kill("SIGHUP");
      await stderr.until(/^read again who may connect: 0 networks allowed, 0 networks denied$/m);
      assert.equal(await callFrom("127.0.0.2", server.port), "");
      early.close();
      assert.equal((await server.program.stop()).code, 0);
    }),
  ["socat"],
);

test(
  "server: an invalid file at SIGHUP is logged in one line, and changes nothing",
  () =>
    withFile(async (path) => {
      writeFileSync(path, "127.0.0.2\n");
      await using server = await startServer(["-q", "--host", "127.0.0.1", "--deny", `@${path}`]);
      writeFileSync(path, "127.0.0.1\n127.0.0.3/8\n");
      server.program.kill("SIGHUP");
      await server.program.stderr.until(/\n/);
      rmSync(path);
      server.program.kill("SIGHUP");
      await server.program.stderr.until(/\n.*\n/);
      assert.deepEqual(server.program.stderr.lines, [
        `${path}:2: '127.0.0.3/8' has bits set after its first 8: write 127.0.0.0/8 for ` +
        "the network, or 127.0.0.3 for the one address. Who may connect stays as it was.",
        `Option --deny cannot read '${path}': there is no such file. ` +
        "Who may connect stays as it was.",
      ]);
      assert.equal(await callFrom("127.0.0.1", server.port), "hello");
      assert.equal(await callFrom("127.0.0.2", server.port), "");
    }),
  ["socat"],
);

test("server: a file that is not right when it starts exits 2, with the line", () =>
  withFile(async (path) => {
    writeFileSync(path, "127.0.0.1\n\nlocalhost\n");
    const exit = await runServer(["--deny", `10.0.0.0/8,@${path}`]);
    assertFailed(exit, 2, /networks\.txt:3: 'localhost' is neither an IP address nor a network/);
  }));

test("server: --max-per-address limits each address by itself", async () => {
  await using server = await startServer(["--host", "127.0.0.1", "--max-per-address", "1"]);
  using first = await systemTransport.connect({ host: "127.0.0.1", port: server.port });
  await first.write(bytes("x"));
  await readText(first, 1);
  assert.equal(await callFrom("127.0.0.1", server.port), "");
  assert.equal(await callFrom("127.0.0.2", server.port), "hello");
  await server.program.stderr.until(
    /refused 127\.0\.0\.1:\d+: its address has 1 connection already/,
  );
}, ["socat"]);

test("server: off loopback one address gets a quarter of the places, unless told otherwise", async () => {
  const most = ["--max-connections", "5"];
  const cases: [args: string[], places: number][] = [
    [["web", "--host", "", ...most], 2],
    [["web", "--lan", ...most], 2],
    [["web", "--lan", "--max-per-address", "3", ...most], 3],
    [["web", "--lan", "--max-per-address", "0", ...most], 5],
    [["web", "--host", "127.0.0.1", ...most], 5],
    [["web", ...most], 5],
    [["echo", "--host", "0.0.0.0", ...most], 2],
    [["chat", "--host", "0.0.0.0", ...most], 2],
    [["echo", ...most], 5],
  ];
  for (const [args, places] of cases) {
    await using server = await startServer(args);
    const conns: (Conn | undefined)[] = [];
    for (let i = 0; i < 5; i++) {
      const connecting = systemTransport.connect({ host: "127.0.0.1", port: server.port });
      // Who is refused may be reset before it knows that it is connected.
      conns.push(await connecting.catch(() => undefined));
    }
    if (places < 5) {
      const why = `its address has ${places} connections already`;
      await server.program.stderr.until(new RegExp(`(refused .*${why}\n[^]*){${5 - places}}`));
    }
    for (const conn of conns) conn?.close();
    const { stderr } = await server.program.stop();
    assert.equal(stderr.match(/^refused /gm)?.length ?? 0, 5 - places, args.join(" "));
  }
});

test("server web: keeps out whom the flags say, over TLS, too", async () => {
  for (const args of [[], ["--tls-self-signed"]]) {
    await using server = await startWeb(["--deny", "127.0.0.2", ...args]);
    const get = (source: string) =>
      runProgram(["curl", "-sk", "--noproxy", "*", "--interface", source, server.url]);
    assert.equal((await get("127.0.0.1")).code, 0);
    const { code, stdout } = await get("127.0.0.2");
    assert.ok(code !== 0 && stdout.length === 0);
    const { stderr } = await server.program.stop();
    assert.match(stderr, /^refused 127\.0\.0\.2:\d+: its address is denied$/m);
    assert.match(stderr, /^stopped after 1 connection, 0 of them reset; 1 more refused$/m);
  }
}, ["curl"]);
