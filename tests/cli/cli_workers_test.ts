// server.ts --workers: one URL, one set of counts, and nothing left behind.

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { dialWebSocket } from "../../lib/http/ws/mod.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import type { Conn } from "../../lib/net/transport.ts";
import { freshPath } from "../contract/networks.ts";
import { bytes, readText, until } from "../support/helpers.ts";
import { Program, runProgram } from "../support/peers.ts";
import {
  assertFailed,
  inShell,
  listening,
  programCommand,
  runClient,
  runServer,
  type ServerScript,
  startServer,
  startServerProcess,
} from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";

const LOCAL = ["--host", "127.0.0.1"];

async function hasThreads(): Promise<boolean> {
  try {
    (await systemTransport.listen({ reusePort: true })).close();
    return true;
  } catch {
    return false;
  }
}

const KINDS = await hasThreads() ? ["processes", "threads"] : ["processes"];

function workers(count: number, kind: string): string[] {
  return ["--workers", String(count), "--worker-kind", kind];
}

/** Starts a server in this process. What its workers log themselves is on the stderr of the tests. */
function startHere(count: number, kind: string, args: readonly string[] = []) {
  return startServer([...LOCAL, ...workers(count, kind), ...args]);
}

/** Starts one as a process, whose log has all that its workers say. */
function startProcess(count: number, kind: string, args: readonly string[] = []): Promise<Server> {
  return startServerProcess([...LOCAL, "--port", "0", ...workers(count, kind), ...args]);
}

type Server = ServerScript<Program>;

async function converse(server: ServerScript): Promise<Conn> {
  const conn = await systemTransport.connect({ host: "127.0.0.1", port: server.port });
  try {
    await conn.write(bytes("hello"));
    assert.equal(await readText(conn, 5), "hello");
    return conn;
  } catch (error) {
    conn.close();
    throw error;
  }
}

/** The processes of the workers that the server has told of, by their numbers. */
function pidsOf(server: ServerScript): number[] {
  return [...server.program.stderr.text.matchAll(/^worker \d \(pid (\d+)\) is ready$/gm)]
    .sort(([a], [b]) => a < b ? -1 : 1)
    .map(([, pid]) => Number(pid));
}

/** Waits until none of the processes is left. */
async function gone(pids: readonly number[]): Promise<void> {
  assert.notEqual(pids.length, 0);
  await until(() => !pids.some(isAlive), `the processes ${pids.join(" and ")} to end`);
}

/** Whether a process goes on. One that has ended may be there still, until somebody asks how. */
function isAlive(pid: number): boolean {
  try {
    const [, state] = /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))!;
    return state !== "Z";
  } catch {
    return false;
  }
}

for (const kind of KINDS) {
  test(`server --workers: ${kind} print one URL, echo, and stop with one summary`, async () => {
    await using server = await startHere(2, kind);
    const { port, program } = server;
    for (let i = 0; i < 8; i++) (await converse(server)).close();
    const client = await runClient(["echo", "hello", ...LOCAL, "--port", String(port)]);
    assert.deepEqual([client.code, client.stdout.toString()], [0, "hello"]);
    const exit = await program.stop("SIGTERM");
    assert.equal(exit.code, 0);
    assert.equal(exit.stdout.toString(), `tcp://127.0.0.1:${port}\n`);
    const summary = "stopped after 9 connections, 0 of them reset; 2 workers, 0 restarts\n";
    assert.ok(exit.stderr.endsWith(summary), exit.stderr);
  });

  test(`server --workers: ${kind} let a conversation finish`, async () => {
    await using server = await startHere(1, kind, ["--grace", "1000"]);
    using conn = await converse(server);
    server.program.kill("SIGINT");
    await server.program.stderr.until(/^stopping: connections get 1000 s to finish/m);
    await conn.write(bytes("goodbye"));
    assert.equal(await readText(conn, 7), "goodbye");
    await conn.closeWrite();
    assert.equal(await conn.read(new Uint8Array(1)), null);
    assert.equal((await server.program.exit()).code, 0);
  });

  test(`server --workers: ${kind} reset what is left after --grace, and exit 143`, async () => {
    await using server = await startHere(1, kind, ["--grace", "0.1"]);
    using _conn = await converse(server);
    const exit = await server.program.stop("SIGTERM");
    assert.equal(exit.code, 143);
    assert.match(
      exit.stderr,
      /^stopped after 1 connection, 1 of them reset; 1 worker, 0 restarts$/m,
    );
  });

  test(`server --workers: a second signal ends ${kind} at once`, async () => {
    await using server = await startProcess(1, kind, ["--grace", "1000"]);
    using _conn = await converse(server);
    const pids = pidsOf(server);
    server.program.kill("SIGTERM");
    await server.program.stderr.until(/^stopping/m);
    assert.equal((await server.program.stop("SIGTERM")).code, 143);
    if (kind === "processes") await gone(pids);
  });

  test(`server --workers: each line of ${kind} tells whose it is`, async () => {
    await using text = await startProcess(1, kind, ["-v"]);
    (await converse(text)).close();
    await text.program.stderr.until(/^worker 1: connection from 127\.0\.0\.1:\d+$/m);
    await using json = await startProcess(1, kind, ["-v", "--log", "json"]);
    (await converse(json)).close();
    const [line] = await json.program.stderr.until(/^.*"event":"accept".*\n/m);
    assert.equal(JSON.parse(line).worker, 1, line);
  });
}

/** The processes that a process has started and that have not ended. */
function childrenOf(pid: number): string[] {
  return threadsOf(pid).flatMap((thread) => {
    try {
      return readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").trim().split(" ");
    } catch {
      // It has ended since.
      return [];
    }
  }).filter((child) => child !== "");
}

/** The threads of a process; none if it has ended. A runtime starts most of its own in the end. */
function threadsOf(pid: number | string): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** The moments of a start with so many workers, from what is seen of it. */
const MOMENTS: Readonly<Record<string, [count: number, hasCome: (program: Program) => boolean]>> = {
  "it starts up": [1, () => true],
  "there is a worker": [1, ({ pid }) => childrenOf(pid).length > 0],
  "there are two": [2, ({ pid }) => childrenOf(pid).length > 1],
  "it has its threads": [
    1,
    ({ pid }) => childrenOf(pid).some((child) => threadsOf(child).length > 1),
  ],
  "one is ready": [2, ({ stderr }) => /is ready/.test(stderr.text)],
};

test("server --workers: a signal while they start ends it, without a word of mistakes", async () => {
  for (const [moment, [count, hasCome]] of Object.entries(MOMENTS)) {
    const args = [...LOCAL, "--port", "0", ...workers(count, "processes")];
    await using program = new Program([...programCommand("server"), ...args]);
    await program.stderr.until(/^starting up/);
    await until(() => hasCome(program), moment);
    const { code, stderr } = await program.stop();
    assert.ok(code === 143 || code === 0, `${code}: ${stderr}`);
    assert.doesNotMatch(stderr, /Error|report/);
  }
});

test("server --workers: a process that is killed is replaced, and counted", async () => {
  await using server = await startHere(2, "processes");
  const [pid] = pidsOf(server);
  process.kill(pid, "SIGKILL");
  await server.program.stderr.until(
    /^worker 1 \(pid \d+\) was ended by SIGKILL; a new one starts in 0\.1 s\nworker 1 \(pid \d+\) is ready$/m,
  );
  (await converse(server)).close();
  const exit = await server.program.stop();
  assert.match(exit.stderr, /^stopped after 1 connection, 0 .*; 2 workers, 1 restart$/m);
  assert.equal(exit.code, 0);
});

test("server --workers: no process outlives a server that is killed", async () => {
  await using server = await startProcess(1, "processes");
  using _conn = await converse(server);
  const pids = pidsOf(server);
  server.program.kill("SIGKILL");
  await server.program.exit();
  await gone(pids);
});

test("server --workers: nor one that is killed while it has not heard what they said", async () => {
  await using server = await startProcess(1, "processes", ["--idle-timeout", "0.5"]);
  const { pid, stderr } = server.program;
  const pids = pidsOf(server);
  process.kill(pid, "SIGSTOP");
  // It serves all the same, and tells of what it accepts after a tenth of a second. Nobody but the one
  // that is stopped could see that; but once it has closed a conversation because nothing moved for half
  // a second, it has told of it before.
  using silent = await converse(server);
  assert.equal(await silent.read(new Uint8Array(1)), null);
  await stderr.until(/^worker 1: .*nothing moved for 0\.5 s/m);
  server.program.kill("SIGKILL");
  await server.program.exit();
  await gone(pids);
});

test("server --workers: a signal to the workers alone changes nothing", async () => {
  await using server = await startHere(1, "processes");
  using conn = await converse(server);
  // As Ctrl-C at a terminal, which reaches each process of it.
  for (const pid of pidsOf(server)) process.kill(pid, "SIGINT");
  await conn.write(bytes("still here"));
  assert.equal(await readText(conn, 10), "still here");
});

test("server --workers: TLS is spoken by all, and failed handshakes are told of", async () => {
  await using server = await startProcess(2, "processes", ["--tls-self-signed"]);
  for (let i = 0; i < 4; i++) {
    const conn = await systemTransport.connect({ host: "127.0.0.1", port: server.port });
    using client = await systemTransport.startTls(conn, { insecure: true });
    await client.write(bytes("secret"));
    assert.equal(await readText(client, 6), "secret");
  }
  using plain = await systemTransport.connect({ host: "127.0.0.1", port: server.port });
  await plain.write(bytes("no TLS at all\n"));
  await server.program.stderr.until(/^worker [12]: Cannot accept TLS from .*ETLS/m);
});

test("server --workers: a port in use is exit 7, and what is not right is exit 2", async () => {
  using listener = await systemTransport.listen({ host: "127.0.0.1" });
  const port = String(listener.addr.port);
  assertFailed(await runServer([...LOCAL, "--port", port, "--workers", "2"]), 7, /EADDRINUSE/);
  assertFailed(await runServer(["--workers", "two"]), 2, /--workers takes a whole number/);
  assertFailed(await runServer(["--worker-kind", "fibres"]), 2, /takes processes or threads/);
});

test("server --workers: where the runtime cannot share the address, it says so", async () => {
  if (KINDS.includes("threads")) return;
  const exit = await runServer([
    ...LOCAL,
    "--port",
    "0",
    "--workers",
    "2",
    "--worker-kind",
    "threads",
  ]);
  assertFailed(exit, 7, /threads share a port by SO_REUSEPORT/, /processes need neither/);
});

test("server --workers: Deno's permissions that are missing are told by their flag", async () => {
  if (systemTransport.name !== "deno") return;
  const command = programCommand("server", ["--allow-net", "--allow-env"]);
  const exit = await runProgram([...command, ...LOCAL, "--port", "0", "--workers", "2"]);
  const all =
    /all that they need is --allow-net, --allow-run, --allow-env and --allow-read, each in full/;
  assertFailed(exit, 7, /forbid processes without --allow-run;/, all);
});

test("server --workers: all flags of Deno that workers need are told at once, and are enough", async () => {
  if (systemTransport.name !== "deno") return;
  for (const kind of ["processes", "threads"]) {
    const args = [...LOCAL, "--port", "0", ...workers(1, kind)];
    const { stderr } = await runProgram([...programCommand("server", ["--allow-sys"]), ...args]);
    const [told] = /all that they need is .*?(?=\(ENOTCAPABLE\))/.exec(stderr) ?? [""];
    const flags = told.match(/--(allow|unstable)-[a-z]+/g) ?? [];
    assert.ok(flags.length >= 3, stderr);
    await using server = await listening(
      new Program([...programCommand("server", flags), ...args]),
    );
    (await converse(server)).close();
    assert.equal((await server.program.stop()).code, 0);
  }
});

test("server --workers: Deno's processes get no permission of which a part is denied", async () => {
  if (systemTransport.name !== "deno") return;
  const command = programCommand("server", ["-A", "--deny-net=192.0.2.1"]);
  const exit = await runProgram([...command, ...LOCAL, "--port", "0", "--workers", "2"]);
  assertFailed(exit, 7, /forbid processes without --allow-net; .*, each in full, as a part of it/);
});

test("server --workers: who may connect is kept by all, and SIGHUP reaches them", async () => {
  const dir = mkdtempSync(join(tmpdir(), "plainsocket-"));
  const file = join(dir, "allowed");
  try {
    writeFileSync(file, "127.0.0.1\n");
    await using server = await startProcess(2, "processes", ["--allow", `@${file}`]);
    (await converse(server)).close();
    writeFileSync(file, "192.0.2.0/24\n");
    server.program.kill("SIGHUP");
    for (const who of ["", "worker 1: ", "worker 2: "]) {
      await server.program.stderr.until(new RegExp(`^${who}read again who may connect`, "m"));
    }
    await assert.rejects(converse(server));
    const exit = await server.program.stop();
    assert.match(exit.stderr, /1 connection, 0 of them reset; 1 more refused; 2 workers/);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("server --workers: all of them break connections as --fault says, and SIGHUP reads it again", async () => {
  const dir = mkdtempSync(join(tmpdir(), "plainsocket-"));
  const file = join(dir, "plan");
  try {
    writeFileSync(file, "down: close@2\n");
    await using target = await startServer(LOCAL);
    const to = ["relay", "--to", `127.0.0.1:${target.port}`];
    const args = [...to, ...LOCAL, "--port", "0", "--workers", "2", "--fault", `@${file}`];
    await using server = await startServerProcess(args);
    const hello = ["echo", "hello", ...LOCAL, "--port", String(server.port)];
    // Up to two workers; each connection gets 2 bytes of 5.
    for (let i = 0; i < 4; i++) {
      const { code, stdout } = await runClient(hello);
      assert.deepEqual([code, stdout.toString()], [18, "he"]);
    }
    writeFileSync(file, "");
    server.program.kill("SIGHUP");
    for (const who of ["", "worker 1: ", "worker 2: "]) {
      await server.program.stderr.until(
        new RegExp(`^${who}read the fault plan again: 0 rules`, "m"),
      );
    }
    assert.equal((await runClient(hello)).code, 0);
    assert.match((await server.program.stop()).stderr, /^breaking connections with --seed \d+$/m);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("server --workers: SIGHUP does not end a process that still starts", async () => {
  const args = ["--allow", "@/dev/null", "--allow", "127.0.0.1"];
  await using server = await startProcess(1, "processes", args);
  const { stderr } = server.program;
  process.kill(pidsOf(server)[0], "SIGKILL");
  await stderr.until(/a new one starts/);
  await until(() => {
    server.program.kill("SIGHUP");
    return pidsOf(server).length === 2;
  }, "the new one to be ready");
  await stderr.until(/^worker 1: read again who may connect/m);
  assert.doesNotMatch(stderr.text, /ended by SIGHUP/);
});

test("server --workers: what does not go with it is refused", async () => {
  assertFailed(
    await runServer(["--workers", "2", "--udp"]),
    2,
    /--udp cannot be used with --workers/,
  );
  const command = [...programCommand("server"), "--deny", "@/dev/stdin", "--workers", "2"];
  await using program = new Program(inShell('echo 192.0.2.1 | "$@"', command));
  assertFailed(await program.exit(), 2, /each of them reads '\/dev\/stdin', and a pipe is read/);
  for (const option of [["web", "--allow"], ["--fault"], ["relay", "--to"]]) {
    const pipe = freshPath();
    await using writer = new Program(
      inShell('mkfifo "$1"; echo made; echo 192.0.2.1:1 > "$1"', [pipe]),
    );
    await writer.stdout.until(/^made$/m);
    const { code, stderr } = await runServer([...option, `@${pipe}`, "--workers", "2"]);
    assert.equal(code, 2, stderr);
    assert.ok(stderr.includes(`each of them reads '${pipe}', and a pipe is read`), stderr);
    rmSync(pipe);
  }
  const threads = ["--workers", "2", "--worker-kind", "threads", "--allow", "@/dev/null"];
  assertFailed(await runServer(threads), 2, /Threads get no SIGHUP/);
  const plan = ["--workers", "2", "--worker-kind", "threads", "--fault", "@/dev/null"];
  assertFailed(await runServer(plan), 2, /Threads get no SIGHUP/);
});

test("server --workers: echo --ws and relay --ws speak WebSocket in workers, and close with 1001", async () => {
  await using target = await startServer(LOCAL);
  for (const command of [["echo"], ["relay", "--to", `127.0.0.1:${target.port}`]]) {
    const args = [...command, "--ws", "--deflate", ...LOCAL];
    await using server = await startServer([...args, ...workers(1, "processes")]);
    assert.match(server.url, /^ws:\/\/127\.0\.0\.1:\d+\/$/);
    const clients = await Promise.all(
      Array.from({ length: 3 }, () => dialWebSocket(server.url, { deflate: true })),
    );
    for (const ws of clients) {
      await ws.write(bytes("hello"));
      assert.deepEqual(await ws.read(), bytes("hello"));
      assert.notEqual(ws.extensions, "");
    }
    const foreign = dialWebSocket(server.url, { headers: ["Origin", "https://evil.example"] });
    await assert.rejects(foreign, / 403 /);
    const { code, stderr } = await server.program.stop();
    for (const ws of clients) assert.equal((await ws.closed).code, 1001);
    assert.equal(code, 0);
    assert.match(stderr, /^stopping: WebSockets are closed with 1001, within 10 s/m);
    assert.match(stderr, /^stopped after 4 connections, 0 of them reset; 1 worker, 0 restarts$/m);
  }
});

test("server --workers: relay joins clients to its target in workers, and tells of each", async () => {
  await using target = await startServer(LOCAL);
  const to = ["relay", "--to", `127.0.0.1:${target.port}`];
  await using server = await startServerProcess(
    [...to, ...LOCAL, "--port", "0", ...workers(1, "processes")],
  );
  (await converse(server)).close();
  await server.program.stderr.until(/^worker 1: 127\.0\.0\.1:\d+ to .*: 5 bytes there, 5 back/m);
  const exit = await server.program.stop();
  assert.match(
    exit.stderr,
    /^stopped after 1 connection, 0 of them reset; 1 worker, 0 restarts$/m,
  );
});
