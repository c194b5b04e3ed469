// kill -USR2: a server is replaced by a new process while clients come and go.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { InProcess } from "../support/in_process.ts";
import { Namespace, testInNamespace } from "../support/namespace.ts";
import { Program } from "../support/peers.ts";
import { listening, programCommand, startServer } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";

const LOAD = resolve("tests/support/restart_load.py");

/** What the load has seen. */
interface Seen {
  readonly done: number;
  readonly errors: readonly string[];
  /** The bytes of a download that was under way all the while. */
  readonly large: number;
  readonly log: string;
  /** The statuses of /readyz just after each restart. */
  readonly probes: readonly string[];
  /** Whether a process was left. */
  readonly alive: boolean;
}

const IS_DENO = systemTransport.name === "deno";
const LARGE = 8 * 1024 * 1024;

async function restart(mode: "web" | "echo", args: readonly string[]): Promise<Seen> {
  const dir = mkdtempSync(join(tmpdir(), "plainsocket-"));
  try {
    writeFileSync(join(dir, "small"), `${"x".repeat(5000)}END`);
    writeFileSync(join(dir, "large"), new Uint8Array(LARGE));
    const server = programCommand("server", ["-A", "--unstable-net"]);
    const served = mode === "web" ? ["web", dir] : ["echo"];
    const all = [...served, "--host", "127.0.0.1", "--port", "0", "--grace", "60", ...args];
    const command = ["python3", LOAD, mode, "200", "2", ...server, ...all];
    const { code, stdout, stderr } = await run(command);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout.toString());
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** On Deno two sockets share the port, and the kernel loses nothing where it is told to. */
async function run(command: readonly string[]) {
  if (!IS_DENO) {
    await using program = new Program(command);
    return await program.exit();
  }
  await using namespace = await Namespace.open();
  await using program = namespace.start(command, { env: { OWN_NAMESPACE: "1" } });
  return await program.exit();
}

const register = IS_DENO ? testInNamespace : (name: string, fn: () => Promise<void>) => {
  test(name, fn, ["python3"]);
};

async function assertLosesNone(mode: "web" | "echo", args: readonly string[]): Promise<void> {
  const { done, errors, large, log, alive, probes } = await restart(mode, args);
  assert.deepEqual(errors, []);
  assert.ok(done > 0);
  if (mode === "web") assert.ok(large > LARGE, `${large}`);
  assert.equal(alive, false);
  assert.deepEqual(probes, args.includes("--metrics") ? ["200"] : []);
  assert.equal(log.match(/^taking over from the process \d+$/gm)?.length, 2);
  assert.doesNotMatch(log, /Error|report|[1-9]\d* of them reset/);
}

register("server web: SIGUSR2 under load loses no connection, and no download", async () => {
  await assertLosesNone("web", ["--metrics", "0"]);
});

register("server echo --workers: SIGUSR2 under load loses no connection", async () => {
  await assertLosesNone("echo", ["--workers", "2"]);
});

test("server: SIGUSR2 with what only one process can have is told, and it goes on", async () => {
  await using server = await startServer(["--watch"]);
  server.program.kill("SIGUSR2");
  await server.program.stderr.until(/^Cannot restart: --watch is for one process\. Going on/m);
});

test("server: SIGUSR2 with a Unix socket of its own is told, and it goes on", async () => {
  const dir = mkdtempSync(join(tmpdir(), "plainsocket-"));
  try {
    const program = new InProcess("server", ["--unix", join(dir, "echo.sock")]);
    await using server = await listening(program, /^unix:(.*)\n/);
    server.program.kill("SIGUSR2");
    await server.program.stderr.until(/^Cannot restart: --unix makes a new file .*\. Going on/m);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("server: SIGUSR2 starts no other process once it is to stop", async () => {
  const dir = mkdtempSync(join(tmpdir(), "plainsocket-"));
  try {
    const args = ["--unix", join(dir, "echo.sock"), "--metrics", "0", "--drain-delay", "600"];
    const program = new InProcess("server", args);
    await using server = await listening(program, /^unix:(.*)\n/);
    server.program.kill("SIGTERM");
    await server.program.stderr.until(/^stopping in 600 s/m);
    server.program.kill("SIGUSR2");
    await server.program.stderr.until(/^SIGUSR2: this process stops already$/m);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
