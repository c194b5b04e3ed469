// A server whose log nobody reads: it goes on, keeps a bounded part of the log, and tells what is
// missing once somebody reads.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createReadStream } from "node:fs";
import { Writable } from "node:stream";
import { deferred } from "../../lib/base/wait.ts";
import { processIo } from "../../lib/cli/io/io.ts";
import { Log } from "../../lib/cli/io/log.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { freshPath } from "../contract/networks.ts";
import { bytes, readText, until } from "../support/helpers.ts";
import { hearOne } from "../support/http_helpers.ts";
import { Output, Program, python } from "../support/peers.ts";
import {
  inShell,
  listening,
  programCommand,
  type ServerScript,
  startServer,
} from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";

/** What a pipe holds on Linux, but for a page. */
const NEARLY_FULL = 60 * 1024;

/** What so many connections with so many messages each have to tell is more than that page. */
const MORE_THAN_A_PAGE = [10, 10] as const;

/** And this is more than a pipe of a worker's own holds. */
const MORE_THAN_A_PIPE = [5, 100] as const;

/**
 * A server whose stderr is a pipe that nobody reads until `read` is called, with so much in it before;
 * `over` resolves when it was read to its end.
 */
async function startUnread(
  args: readonly string[],
  before = 0,
): Promise<ServerScript<Program> & { read(): Output; readonly over: Promise<unknown> }> {
  const pipe = freshPath();
  execFileSync("mkfifo", [pipe]);
  const shell = `exec 3<>'${pipe}' && head -c ${before} /dev/zero >&3 && exec "$@" 2>&3 3<&-`;
  const command = [...programCommand("server", ["-A", "--unstable-net"]), ...args];
  const server = await listening(new Program(inShell(shell, command)));
  const over = deferred<void>();
  return {
    ...server,
    over: over.promise,
    read() {
      const output = new Output();
      createReadStream(pipe).on("data", (chunk) => output.add(chunk as never))
        .on("end", () => output.end()).on("close", () => over.resolve());
      return output;
    },
  };
}

/** Gets from a web server what makes `n` lines of `length` characters and more. */
async function request(port: number, n: number, length: number): Promise<void> {
  const target = `/${"a".repeat(length)}`;
  using conn = await systemTransport.connect({ host: "127.0.0.1", port });
  for (let i = 0; i < n; i++) {
    await conn.write(bytes(`GET ${target}${i} HTTP/1.1\r\nHost: localhost\r\n\r\n`));
    assert.match(await hearOne(conn), /^HTTP\/1\.1 404 /);
  }
}

/** Says something to an echo server again and again, on one connection after the other. */
async function talk(port: number, [conns, messages]: readonly [number, number]): Promise<void> {
  const message = "x".repeat(60);
  for (let i = 0; i < conns; i++) {
    using conn = await systemTransport.connect({ host: "127.0.0.1", port });
    for (let j = 0; j < messages; j++) {
      await conn.write(bytes(message));
      assert.equal(await readText(conn, message.length), message);
    }
  }
}

test("web: a server whose log nobody reads answers all, and tells then how much it dropped", async () => {
  await using server = await startUnread(["web", "--port", "0", "."]);
  const MIB = 1024 * 1024;
  const length = 7000;
  const total = Math.ceil(2 * MIB / length);
  await request(server.port, total, length);
  const log = server.read();
  const [, dropped] = await log.until(
    /^dropped (\d+) lines of the log here: nobody was reading it$/m,
  );
  const isAsked = (line: string) => line.includes('"GET /aaa');
  const asked = () => log.lines.filter(isAsked);
  await until(() => asked().length + Number(dropped) === total, "every line to be told or counted");
  const place = log.lines.findIndex((line) => line.startsWith("dropped "));
  const told = log.lines.slice(0, place).filter(isAsked);
  // What waited is what came first, no more than was to be kept, and whole.
  assert.ok(told.length * length > MIB && told.length * length < 1.5 * MIB, `${told.length} lines`);
  assert.ok(Number(dropped) > 0);
  told.forEach((line, i) => assert.match(line, new RegExp(`GET /a+${i} HTTP/1.1" 404 \\d+$`)));
  // From now on it is read.
  await request(server.port, 1, 8);
  await log.until(/"GET \/aaaaaaaa0 HTTP/);
  server.program.kill("SIGTERM");
  await log.until(/^stopped after \d+ connections, 0 of them reset$/m);
  assert.equal((await server.program.exit()).code, 0);
  await server.over;
});

// The relay below has the text of one process, and the form of a line is not what holds anybody up.
for (const more of [["--log", "json"], ["--workers", "1"]]) {
  const args = ["echo", "--host", "127.0.0.1", "--port", "0", "-v", ...more];
  test(`${args.join(" ")}: a log that nobody reads holds up neither clients nor the end`, async () => {
    await using server = await startUnread(args, NEARLY_FULL);
    // What workers say goes through a pipe of their own first.
    await talk(server.port, more.includes("--workers") ? MORE_THAN_A_PIPE : MORE_THAN_A_PAGE);
    const exit = await server.program.stop();
    assert.equal(exit.code, 0);
  });
}

test("relay: a log that nobody reads holds nobody up", async () => {
  await using target = await startServer(["echo", "--host", "127.0.0.1"]);
  const to = `127.0.0.1:${target.port}`;
  const args = ["relay", "--to", to, "--port", "0", "--host", "127.0.0.1"];
  await using server = await startUnread(args, NEARLY_FULL);
  // It tells a line of each connection.
  await talk(server.port, [100, 1]);
  assert.equal((await server.program.stop()).code, 0);
});

test("server: a terminal that is stopped holds nobody up", async () => {
  const command = [...programCommand("server"), "--host", "127.0.0.1", "--port", "0", "-v"];
  await using peer = await python(`
import pty, subprocess
ours, theirs = pty.openpty()
child = subprocess.Popen(${JSON.stringify(command)}, stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=theirs)
say(child.stdout.readline().decode().strip())
sys.stdin.readline()
child.terminate()
say(child.wait())
`);
  const url = await peer.hear();
  await talk(Number(/\d+$/.exec(url)![0]), MORE_THAN_A_PAGE);
  peer.say("end");
  assert.equal(await peer.hear(), "0");
}, ["python3"]);

/** A stream whose chunks are taken when it is told to. */
class Held extends Writable {
  readonly taken: string[] = [];
  #waiting: (() => void) | undefined;

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    this.taken.push(new TextDecoder().decode(chunk));
    this.#waiting = done;
  }

  take(): void {
    const done = this.#waiting;
    this.#waiting = undefined;
    done?.();
  }

  async takeAll(): Promise<void> {
    await until(() => (this.take(), this.writableLength === 0), "all to be taken");
  }
}

test("the log: what is dropped is told once, in the place where it is missing, even with -q", async () => {
  const stderr = new Held();
  const io = { ...processIo, stderr };
  const log = new Log(io, { verbose: false, quiet: true, log: "json" });
  const long = "x".repeat(100_000);
  for (let i = 0; i < 30; i++) log.error(`${i} ${long}`);
  await stderr.takeAll();
  log.error("more");
  await stderr.takeAll();
  const lines = stderr.taken.join("").trimEnd().split("\n").map((line) => JSON.parse(line));
  const kept = lines.findIndex(({ message }) => message.startsWith("dropped"));
  assert.equal(kept, 11);
  assert.deepEqual(lines.map(({ message }) => message.slice(0, 30).trimEnd()), [
    ...Array.from({ length: kept }, (_, i) => `${i} ${long}`.slice(0, 30)),
    "dropped 19 lines of the log he",
    "more",
  ]);
});
