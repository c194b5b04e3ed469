// stdin an open pipe that nobody writes to: what is waited for is told.

import assert from "node:assert/strict";
import { startClient, startServer } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";
import { TestClock } from "../support/test_clock.ts";

const ECHO = /^waiting for input on stdin, .*say 'echo MESSAGE'$/m;

/** How each command waits, whether a server has to be there for that, and what is told. */
const COMMANDS: readonly (readonly [args: (port: string) => string[], told: RegExp])[] = [
  [(port) => ["--host", "127.0.0.1", "--port", port], ECHO],
  [(port) => ["echo", "-", "--host", "127.0.0.1", "--port", port], ECHO],
  [(port) => ["connect", `127.0.0.1:${port}`], /^waiting for the peer, and for input on stdin, /m],
  [(port) => ["get", "-d", "@-", `127.0.0.1:${port}`], /^waiting for the data on stdin, /m],
  [
    (port) => ["get", "--data-binary", "@-", `127.0.0.1:${port}`],
    /^waiting for the data on stdin/m,
  ],
];

for (const [args, told] of COMMANDS) {
  test(`client ${args("PORT").join(" ")}: a silent stdin is told of after 2 s, once`, async () => {
    await using server = await startServer(["echo", "--host", "127.0.0.1"]);
    const clock = new TestClock();
    await using client = startClient(args(String(server.port)), { pipe: true, clock });
    await clock.asked(2000);
    await clock.advance(1999);
    assert.doesNotMatch(client.stderr.text, /waiting for/);
    await clock.advance(1);
    await client.stderr.until(told);
    await clock.advance(5000);
    assert.equal(client.stderr.text.match(/waiting for/g)?.length, 1);
    assert.equal((await client.stop()).code, 143);
  });
}

test("client echo --udp: a silent stdin is told of", async () => {
  await using server = await startServer(["echo", "--udp", "--host", "127.0.0.1"]);
  const clock = new TestClock();
  const args = ["echo", "--udp", "--host", "127.0.0.1", "--port", String(server.port)];
  await using client = startClient(args, { pipe: true, clock });
  await clock.pass(2000);
  await client.stderr.until(ECHO);
  client.stdin.end("hi");
  assert.equal((await client.exit()).stdout.toString(), "hi");
});

test("client: nothing is told of a stdin that comes in time, or of which -q wants to hear nothing", async () => {
  await using server = await startServer(["echo", "--host", "127.0.0.1"]);
  const at = ["--host", "127.0.0.1", "--port", String(server.port)];
  for (const [quiet, early] of [[[], true], [["-q"], false]] as const) {
    const clock = new TestClock();
    await using client = startClient([...at, ...quiet], { pipe: true, clock });
    if (early) {
      client.stdin.write("a");
      await client.stdout.until(/^a$/);
    }
    if (!early) await clock.asked(2000);
    await clock.advance(5000);
    client.stdin.end("b");
    const { code, stdout, stderr } = await client.exit();
    assert.deepEqual([code, stdout.toString()], [0, early ? "ab" : "b"]);
    assert.doesNotMatch(stderr, /waiting/);
  }
});

test("client connect: nothing is told while the peer speaks", async () => {
  await using server = await startServer(["chat", "--host", "127.0.0.1"]);
  const clock = new TestClock();
  await using client = startClient(["connect", `127.0.0.1:${server.port}`], { pipe: true, clock });
  await client.stdout.until(/^\* Nobody else is here\.$/m);
  await clock.advance(5000);
  assert.doesNotMatch((await client.stop()).stderr, /waiting/);
});
