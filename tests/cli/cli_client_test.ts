// What client.ts sends, and what comes back.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Writable } from "node:stream";
import { feedUntilStill, randomBytes, untilStill } from "../support/helpers.ts";
import { python, runProgram } from "../support/peers.ts";
import {
  assertFailed,
  inShell,
  onTerminal,
  programCommand,
  runClient,
  startClient,
  startClientProcess,
  startServer,
} from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";
import { TestClock } from "../support/test_clock.ts";

const MESSAGE = "This is the message.  It will be repeated.";
const MIB = 1024 * 1024;

/** Runs `fn` with the options that lead to a server, and stops that in the end. */
async function withServer(fn: (at: string[]) => Promise<void>): Promise<void> {
  await using server = await startServer(["--host", "127.0.0.1"]);
  await fn(["--host", "127.0.0.1", "--port", String(server.port)]);
}

/** Writes and waits until the pipe has taken it; false once nobody reads any more. */
function feed(stdin: Writable, chunk: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => stdin.write(chunk, (error) => resolve(!error)));
}

test("client: sends the tutorial's message, prints what comes back, and sums up", () =>
  withServer(async (at) => {
    const { code, stdout, stderr } = await runClient(at);
    assert.deepEqual([code, stdout.toString()], [0, MESSAGE]);
    assert.deepEqual(stderr.split("\n"), [
      `connecting to 127.0.0.1 port ${at[3]}`,
      "sent 42 bytes and received the same; closed",
      "",
    ]);
  }));

test("client: the protocol is named once, in front or behind options; then comes the MESSAGE", () =>
  withServer(async (at) => {
    for (
      const args of [["echo", "echo", ...at], [...at, "echo", "echo"], ["echo", ...at, "echo"]]
    ) {
      const { code, stdout } = await runClient(args);
      assert.deepEqual([code, stdout.toString()], [0, "echo"]);
    }
  }));

test("client: sends the MESSAGE given, whatever it looks like", () =>
  withServer(async (at) => {
    for (const message of ["hello", "", "two\nlines", "Grüße, 世界 🌍", "--verbose"]) {
      const exit = await runClient(["-q", ...at, "--", "echo", message], { stdin: "not this" });
      assert.deepEqual([exit.code, exit.stdout.toString(), exit.stderr], [0, message, ""]);
    }
  }));

test("client: sends stdin for -, and without MESSAGE when that is a pipe or a file", () =>
  withServer(async (at) => {
    const data = "line one\nline two, and no newline after it";
    for (const args of [["echo", "-"], ["echo"], []]) {
      const exit = await runClient([...args, ...at, "-q"], { stdin: data });
      assert.deepEqual([exit.code, exit.stdout.toString(), exit.stderr], [0, data, ""]);
    }
    const client = [...programCommand("client"), ...at, "-q"];
    const piped = await runProgram(inShell(`printf 'from a pipe' | "$@"`, client));
    assert.equal(piped.stdout.toString(), "from a pipe");
    const empty = await runProgram(inShell(`"$@" </dev/null`, [...client, "echo", "-"]));
    assert.deepEqual([empty.code, empty.stdout.length], [0, 0]);
    const dir = mkdtempSync(join(tmpdir(), "plainsocket-"));
    try {
      writeFileSync(join(dir, "file"), data);
      const file = await runProgram(inShell(`"$@" < '${join(dir, "file")}'`, client));
      assert.equal(file.stdout.toString(), data);
    } finally {
      rmSync(dir, { recursive: true });
    }
  }));

test("client: does not wait for what a person might type", () =>
  withServer(async (at) => {
    const { code, stdout } = await runProgram(
      onTerminal([...programCommand("client"), ...at, "-q"], true),
    );
    assert.deepEqual([code, stdout.toString()], [0, MESSAGE]);
  }), ["python3"]);

test("client: binary stdin comes back byte for byte", () =>
  withServer(async (at) => {
    const everyByte = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const data = Buffer.concat([everyByte, randomBytes(MIB), everyByte]);
    for (const args of [[], ["-v"], ["--recv-size", "1000"]]) {
      const exit = await runClient([...at, ...args], { stdin: data });
      assert.equal(exit.code, 0);
      assert.ok(exit.stdout.equals(data));
    }
  }));

test("client: what comes back is there at once, and not only when stdin ends", () =>
  withServer(async (at) => {
    await using client = startClient([...at, "-q"], { pipe: true });
    for (const line of ["one\n", "two\n", "three\n"]) {
      client.stdin.write(line);
      await client.stdout.until(new RegExp(`${line}$`));
    }
    client.stdin.end();
    const { code, stdout, stderr } = await client.exit();
    assert.deepEqual([code, stdout.toString(), stderr], [0, "one\ntwo\nthree\n", ""]);
  }));

/** Sends `mebibytes` through client.ts and back, and compares. */
async function through(at: string[], mebibytes: number): Promise<void> {
  const received = createHash("sha256");
  const sent = createHash("sha256");
  await using client = startClientProcess([...at, "-q"], {
    pipe: true,
    onStdout: (chunk) => void received.update(chunk),
  });
  const chunk = randomBytes(MIB);
  for (let i = 0; i < mebibytes; i++) {
    new DataView(chunk.buffer).setUint32(0, i); // so that no two are alike
    sent.update(chunk);
    assert.ok(await feed(client.stdin, chunk), client.stderr.text);
  }
  client.stdin.end();
  const { code, stderr } = await client.exit();
  assert.deepEqual([code, stderr], [0, ""]);
  assert.equal(received.digest("hex"), sent.digest("hex"));
}

test("client: 64 MiB of stdin come back without a deadlock", () =>
  withServer((at) => through(at, 64)));

// Takes some ten seconds.
if (process.env.PLAINSOCKET_TEST_GIB) {
  test("client: 1 GiB of stdin comes back without a deadlock", () =>
    withServer((at) => through(at, 1024)));
}

const STINGY = {
  "never reads": "",
  "reads and never echoes": "while s.recv(1 << 20): pass",
};
for (const [habit, program] of Object.entries(STINGY)) {
  test(`client: takes no more of stdin than it can hold when the peer ${habit}`, async () => {
    await using peer = await python(`
s, _ = l.accept()
${program}
sys.stdin.read()
`);
    const { host, port } = peer.endpoint;
    const args = ["--host", host, "--port", String(port), "--timeout", "0", "-q"];
    await using client = startClientProcess(args, { pipe: true });
    const taken = await feedUntilStill(client, peer, 256 * MIB);
    assert.ok(taken > 0 && taken <= 32 * MIB, `It took ${taken / MIB} MiB`);
    assert.equal((await client.stop()).code, 143);
  }, ["python3"]);

  test(`client: gives up a peer that ${habit} when nothing has moved for --timeout`, async () => {
    await using peer = await python(`
s, _ = l.accept()
${program}
sys.stdin.read()
`);
    const { host, port } = peer.endpoint;
    const args = ["--host", host, "--port", String(port), "--timeout", "20", "-q"];
    const clock = new TestClock();
    await using client = startClient(args, { pipe: true, clock });
    client.stdin.end(new Uint8Array(64 * MIB));
    // From then on it is connected, and looks each second whether something has moved.
    await clock.asked(1000);
    await untilStill(peer);
    const exit = client.exit();
    await clock.passUntil(exit, 22_000);
    assertFailed(await exit, 28, /nothing moved for 20 s/);
  }, ["python3"]);
}

test("client: goes on when a peer that held back starts to echo", async () => {
  await using peer = await python(`
s, _ = l.accept()
sys.stdin.readline()
while data := s.recv(1 << 16): s.sendall(data)
s.close()
`);
  const { host, port } = peer.endpoint;
  const data = Buffer.from(randomBytes(20 * MIB));
  await using client = startClient(["--host", host, "--port", String(port), "-v"], { pipe: true });
  client.stdin.end(data);
  await client.stderr.until(/^sending/m);
  assert.equal(client.stdout.bytes.length, 0);
  peer.say("go");
  const { code, stdout } = await client.exit();
  assert.equal(code, 0);
  assert.ok(stdout.equals(data));
}, ["python3"]);
