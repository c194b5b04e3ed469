// `server.ts relay --to A --to B`: several targets, and those in a file.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { nextTurn } from "../../lib/base/clock.ts";
import type { TcpAddr } from "../../lib/base/addr.ts";
import type { Conn, Listener } from "../../lib/net/transport.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { serve } from "../../lib/serve/serve.ts";
import type { Server } from "../../lib/serve/server.ts";
import { freePort, OWN_HOST, readText } from "../support/helpers.ts";
import type { InProcessOptions } from "../support/in_process.ts";
import {
  runServer,
  type ServerScript,
  startServer,
  startServerProcess,
} from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";

/** A target that says one letter to each client, and then waits for its end. */
class Target implements AsyncDisposable {
  readonly place: string;
  readonly #addr: TcpAddr;
  readonly #letter: string;
  #server: Server<unknown>;

  constructor(letter: string, listener: Listener<TcpAddr>) {
    this.#letter = letter;
    this.#addr = listener.addr;
    this.place = `${listener.addr.host}:${listener.addr.port}`;
    this.#server = this.#serve(listener);
  }

  /** Ends its connections, and listens no more. */
  async stop(): Promise<void> {
    await this.#server.stop({ drainTimeout: 0 });
  }

  async start(): Promise<void> {
    this.#server = this.#serve(await systemTransport.listen(this.#addr));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #serve(listener: Listener<TcpAddr>): Server<unknown> {
    return serve(listener, async (conn) => {
      await conn.write(new TextEncoder().encode(this.#letter));
      await conn.read(new Uint8Array(1));
    });
  }
}

/** Starts a target on an address that only this test has: one can come back to its port. */
async function startTarget(letter: string): Promise<Target> {
  return new Target(letter, await systemTransport.listen({ host: OWN_HOST }));
}

function startRelay(
  to: readonly string[],
  args: readonly string[] = [],
  options?: InProcessOptions,
): Promise<ServerScript> {
  const flags = to.flatMap((target) => ["--to", target]);
  return startServer(["relay", ...flags, "--host", "127.0.0.1", ...args], options);
}

/** Connects, and hears which target it is. */
async function call({ port }: ServerScript): Promise<{ conn: Conn; letter: string }> {
  const conn = await systemTransport.connect({ host: "127.0.0.1", port });
  return { conn, letter: await readText(conn, 1) };
}

/** The letters of so many clients, one after the other, which stay. */
async function callEach(relay: ServerScript, count: number) {
  const calls = [];
  for (let i = 0; i < count; i++) calls.push(await call(relay));
  return { letters: calls.map(({ letter }) => letter).join(""), calls };
}

/** Lets time pass until the log of the relay has a line. */
async function advanceUntil(clock: VirtualClock, relay: ServerScript, line: RegExp) {
  let there = false;
  const found = relay.program.stderr.until(line).finally(() => there = true);
  while (!there) {
    await clock.advance(100);
    await nextTurn();
  }
  return await found;
}

test("cli relay: clients are spread over several targets, by the fewest connections", async () => {
  await using a = await startTarget("a");
  await using b = await startTarget("b");
  await using relay = await startRelay([a.place, b.place]);
  await relay.program.stderr.until(new RegExp(`^relaying to ${a.place}, ${b.place}$`, "m"));
  const { letters, calls } = await callEach(relay, 4);
  assert.equal(letters, "abab");
  // Both clients of b end: the next two are for it.
  for (const { conn, letter } of calls) if (letter === "b") conn.close();
  await relay.program.stderr.until(/(?:.* to .* back, .*\n[^]*){2}/);
  const more = await callEach(relay, 3);
  assert.equal(more.letters.slice(0, 2), "bb");
  for (const { conn } of [...calls, ...more.calls]) conn.close();
});

test("cli relay: a target that has gone costs no client anything, and comes back by a check", async () => {
  const clock = new VirtualClock();
  await using a = await startTarget("a");
  await using b = await startTarget("b");
  await using relay = await startRelay([a.place, b.place], [], { clock });
  await a.stop();
  const first = await callEach(relay, 3);
  assert.equal(first.letters, "bbb");
  await relay.program.stderr.until(
    new RegExp(
      `^target ${a.place} is down, 1 of 2 targets up: Cannot connect to .* \\(ECONNREFUSED\\)\\.$`,
      "m",
    ),
  );
  await a.start();
  await advanceUntil(clock, relay, new RegExp(`^target ${a.place} is up: 2 of 2 targets up$`, "m"));
  const then = await callEach(relay, 3);
  assert.equal(then.letters, "aaa");
  for (const { conn } of [...first.calls, ...then.calls]) conn.close();
});

test("cli relay: when no target can be reached, the client's line names them", async () => {
  const targets = [`${OWN_HOST}:${await freePort()}`, `${OWN_HOST}:${await freePort()}`];
  await using relay = await startRelay(targets, ["--log", "json"]);
  using conn = await systemTransport.connect({ host: "127.0.0.1", port: relay.port });
  assert.equal(await conn.read(new Uint8Array(1)).catch(() => null), null);
  const [line] = await relay.program.stderr.until(/^.*"relayed".*$/m);
  const { target, code, message } = JSON.parse(line);
  assert.deepEqual([target, code], [targets.join(", "), "ECONNREFUSED"]);
  assert.match(message, /: all of 2 targets failed: \S+ ECONNREFUSED, \S+ ECONNREFUSED /);
  const [down] = await relay.program.stderr.until(/^.*"event":"target".*$/m);
  const { time: _time, connections: _connections, message: why, ...rest } = JSON.parse(down);
  assert.match(why, /^Cannot connect to /);
  assert.deepEqual(rest, {
    event: "target",
    target: targets[0],
    state: "down",
    up: 1,
    code: "ECONNREFUSED",
  });
});

test("cli relay: --to @FILE is read again on SIGHUP; what is not there any more drains", async () => {
  const folder = mkdtempSync(join(tmpdir(), "targets-"));
  try {
    const file = join(folder, "targets.txt");
    await using a = await startTarget("a");
    await using b = await startTarget("b");
    writeFileSync(file, `# two of them\n${a.place}\n  ${b.place} # the other\n`);
    await using relay = await startRelay([`@${file}`]);
    const { stderr } = relay.program;
    const { letters, calls } = await callEach(relay, 2);
    assert.equal(letters, "ab");
    writeFileSync(file, `${b.place}\n`);
    relay.program.kill("SIGHUP");
    await stderr.until(new RegExp(`^read again the targets: ${b.place}$`, "m"));
    await stderr.until(
      new RegExp(`^target ${a.place} drains: 1 connection left, no new one$`, "m"),
    );
    const more = await callEach(relay, 2);
    assert.equal(more.letters, "bb");
    // Its client goes on until it ends by itself.
    calls[0].conn.close();
    await stderr.until(new RegExp(`^target ${a.place} is drained$`, "m"));
    for (
      const [text, why] of [
        [`${b.place}\nnowhere\n`, /targets\.txt:2: 'nowhere' has no port: write nowhere:PORT\. /],
        [`${"x".repeat(1001)}\n`, /targets\.txt': line 1 has more than 1000 characters\. /],
        ["# empty\n", /there is no target in '.*targets\.txt'\. /],
        [`127.0.0.1:${relay.port}\n`.repeat(2), /is there twice\. /],
      ] as const
    ) {
      writeFileSync(file, text);
      relay.program.kill("SIGHUP");
      await stderr.until(
        new RegExp(`^Option --to:? .*${why.source}The targets stay as they were\\.$`, "m"),
      );
    }
    const last = await call(relay);
    assert.equal(last.letter, "b");
    for (const { conn } of [...calls, ...more.calls, last]) conn.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("cli relay: workers read --to @FILE again on SIGHUP, and each of them drains", async () => {
  const folder = mkdtempSync(join(tmpdir(), "targets-"));
  try {
    const file = join(folder, "targets.txt");
    await using a = await startTarget("a");
    await using b = await startTarget("b");
    writeFileSync(file, `${a.place}\n`);
    await using relay = await startServerProcess(
      ["relay", "--to", `@${file}`, "--host", "127.0.0.1", "--port", "0", "--workers", "1"],
    );
    const first = await call(relay);
    assert.equal(first.letter, "a");
    writeFileSync(file, `${b.place}\n`);
    relay.program.kill("SIGHUP");
    await relay.program.stderr.until(
      new RegExp(`^worker 1: target ${a.place} drains: 1 connection left, no new one$`, "m"),
    );
    const second = await call(relay);
    assert.equal(second.letter, "b");
    for (const { conn } of [first, second]) conn.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("cli relay: several targets that are not right are one line with the next step", async () => {
  const two = ["--to", "a:1", "--to", "b:2"];
  for (
    const [args, pattern] of [
      [["--to", "a:1", "--to", "a:1"], /Option --to: a:1 is there twice/],
      [["--to", "a:1", "--to", "ws://b:2/"], /'ws:\/\/b:2\/': a WebSocket is the only target/],
      [["--to", "a:1", "--to", "nowhere"], /Option --to: 'nowhere' has no port/],
      [["--to", "@/no/such"], /Option --to cannot read '\/no\/such': there is no such file/],
      [["--to", "@/dev/null"], /Option --to: there is no target in '\/dev\/null'/],
      [["--to", "a:1", "--check-interval", "2"], /--check-interval is for several targets/],
      [[...two, "--check-interval", "0"], /--check-interval takes more than 0 seconds/],
      [[...two, "--insecure"], /Option --insecure is for a target with TLS/],
      [
        [...two, "--to", "127.0.0.1:9", "--host", "127.0.0.1", "--port", "9"],
        /would listen at its target 127\.0\.0\.1:9/,
      ],
      [
        ["--to", "@/dev/null", "--workers", "2", "--worker-kind", "threads"],
        /there is no target/,
      ],
    ] as const
  ) {
    const { code, stderr } = await runServer(["relay", ...args]);
    assert.equal(code, 2);
    assert.match(stderr, pattern);
    assert.match(stderr, /^server\.ts: .*\. See 'server\.ts relay --help'\.\n$/);
  }
});
