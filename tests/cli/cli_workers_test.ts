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
  test(`server --workers: ${kind} print one URL, echo, let a conversation finish, and stop with one summary`, async () => {
    await using server = await startHere(2, kind, ["--grace", "1000"]);
    const { port, program } = server;
    for (let i = 0; i < 8; i++) (await converse(server)).close();
    const client = await runClient(["echo", "hello", ...LOCAL, "--port", String(port)]);
    assert.deepEqual([client.code, client.stdout.toString()], [0, "hello"]);
    using conn = await converse(server);
    program.kill("SIGINT");
    await program.stderr.until(/^stopping: connections get 1000 s to finish/m);
    await conn.write(bytes("goodbye"));
    assert.equal(await readText(conn, 7), "goodbye");
    await conn.closeWrite();
    assert.equal(await conn.read(new Uint8Array(1)), null);
    const exit = await program.exit();
    assert.equal(exit.code, 0);
    assert.equal(exit.stdout.toString(), `tcp://127.0.0.1:${port}\n`);
    const summary = "stopped after 10 connections, 0 of them reset; 2 workers, 0 restarts\n";
    assert.ok(exit.stderr.endsWith(summary), exit.stderr);
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

  test(`server --workers: ${kind} speak TLS, failed handshakes are told of, each line tells whose it is, and a second signal ends them at once`, async () => {
    const args = ["--tls-self-signed", "-v", "--grace", "1000"];
    await using server = await startProcess(2, kind, args);
    const { program } = server;
    const secret = async () => {
      const conn = await systemTransport.connect({ host: "127.0.0.1", port: server.port });
      const client = await systemTransport.startTls(conn, { insecure: true });
      await client.write(bytes("secret"));
      assert.equal(await readText(client, 6), "secret");
      return client;
    };
    for (let i = 0; i < 4; i++) (await secret()).close();
    await program.stderr.until(/^worker [12]: connection from 127\.0\.0\.1:\d+$/m);
    using plain = await systemTransport.connect({ host: "127.0.0.1", port: server.port });
    await plain.write(bytes("no TLS at all\n"));
    await program.stderr.until(/^worker [12]: Cannot accept TLS from .*ETLS/m);
    using _conn = await secret();
    const pids = pidsOf(server);
    program.kill("SIGTERM");
    await program.stderr.until(/^stopping/m);
    assert.equal((await program.stop("SIGTERM")).code, 143);
    if (kind === "processes") await gone(pids);
  });

  test(`server --workers: each line of JSON of ${kind} tells whose it is, and none outlives a server that is killed`, async () => {
    await using server = await startProcess(1, kind, ["-v", "--log", "json"]);
    using _conn = await converse(server);
    const [line] = await server.program.stderr.until(/^.*"event":"accept".*\n/m);
    assert.equal(JSON.parse(line).worker, 1, line);
    const pids = childrenOf(server.program.pid).map(Number);
    assert.equal(pids.length > 0, kind === "processes");
    server.program.kill("SIGKILL");
    await server.program.exit();
    if (kind === "processes") await gone(pids);
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

test("server --workers: a signal to the workers alone changes nothing, and a process that is killed is replaced, and counted", async () => {
  await using server = await startHere(2, "processes");
  using conn = await converse(server);
  const pids = pidsOf(server);
  // As Ctrl-C at a terminal, which reaches each process of it.
  for (const pid of pids) process.kill(pid, "SIGINT");
  await conn.write(bytes("still here"));
  assert.equal(await readText(conn, 10), "still here");
  conn.close();
  process.kill(pids[0], "SIGKILL");
  await server.program.stderr.until(
    /^worker 1 \(pid \d+\) was ended by SIGKILL; a new one starts in 0\.1 s\nworker 1 \(pid \d+\) is ready$/m,
  );
  (await converse(server)).close();
  const exit = await server.program.stop();
  assert.match(exit.stderr, /^stopped after [12] connections?, 0 .*; 2 workers, 1 restart$/m);
  assert.equal(exit.code, 0);
});

test("server --workers: no process outlives a server that is killed while it has not heard what they said", async () => {
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

test("server --workers: who may connect is kept by all, all break connections as --fault says, and SIGHUP has them read both again", async () => {
  const dir = mkdtempSync(join(tmpdir(), "plainsocket-"));
  const [allowed, plan] = [join(dir, "allowed"), join(dir, "plan")];
  try {
    writeFileSync(allowed, "127.0.0.1\n");
    writeFileSync(plan, "down: close@2\n");
    await using target = await startServer(LOCAL);
    const files = ["--allow", `@${allowed}`, "--fault", `@${plan}`];
    await using server = await startServerProcess([
      ...["relay", "--to", `127.0.0.1:${target.port}`, ...LOCAL, "--port", "0"],
      ...[...workers(2, "processes"), ...files],
    ]);
    const { program } = server;
    const reread = async (plan: string) => {
      const from = program.stderr.text.length;
      program.kill("SIGHUP");
      for (const who of ["", "worker 1: ", "worker 2: "]) {
        for (const what of ["read again who may connect", `read the fault plan again: ${plan}`]) {
          const line = new RegExp(`^${who}${what}`, "m");
          await until(() => line.test(program.stderr.text.slice(from)), `${who}${what}`);
        }
      }
    };

    // It does not end a process that still starts.
    process.kill(pidsOf(server)[0], "SIGKILL");
    await program.stderr.until(/a new one starts/);
    await until(() => {
      program.kill("SIGHUP");
      return pidsOf(server).length === 3;
    }, "the new one to be ready");
    await reread("1 rule");
    assert.doesNotMatch(program.stderr.text, /ended by SIGHUP/);

    const hello = ["echo", "hello", ...LOCAL, "--port", String(server.port)];
    // Up to two workers; each connection gets 2 bytes of 5.
    for (let i = 0; i < 4; i++) {
      const { code, stdout } = await runClient(hello);
      assert.deepEqual([code, stdout.toString()], [18, "he"]);
    }
    writeFileSync(plan, "");
    await reread("0 rules");
    (await converse(server)).close();
    await program.stderr.until(/^worker [12]: 127\.0\.0\.1:\d+ to .*: 5 bytes there, 5 back/m);

    writeFileSync(allowed, "192.0.2.0/24\n");
    await reread("0 rules");
    await assert.rejects(converse(server));
    const { stderr } = await program.stop();
    assert.match(stderr, /^breaking connections with --seed \d+$/m);
    assert.match(
      stderr,
      /^stopped after \d+ connections, 0 of them reset; 1 more refused; 2 workers, 1 restart$/m,
    );
  } finally {
    rmSync(dir, { recursive: true });
  }
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
