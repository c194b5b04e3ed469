// kill -USR2: a server is replaced by a new process while clients come and go.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { bytes, OWN_HOST, readText } from "../support/helpers.ts";
import { InProcess } from "../support/in_process.ts";
import { testInNamespace } from "../support/namespace.ts";
import { LARGE, type Restarts, restartUnderLoad } from "../support/restart.ts";
import { Program, type Running } from "../support/peers.ts";
import { listening, programCommand, type ServerScript, startServer } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";

/** On Deno two sockets share the port, and the kernel loses nothing where it is told to. */
const IS_DENO = systemTransport.name === "deno";

const register = IS_DENO ? testInNamespace : (name: string, fn: () => Promise<void>) => {
  test(name, fn, ["python3"]);
};

async function assertLosesNone(
  { mode, args = [], restarts = 1 }: Pick<Restarts, "mode" | "args"> & { restarts?: number },
): Promise<void> {
  const server = programCommand("server", ["-A", "--unstable-net"]);
  const { done, errors, large, log, alive, probes } = await restartUnderLoad(
    { mode, server, restarts, args, isolated: IS_DENO },
  );
  assert.deepEqual(errors, []);
  assert.ok(done > 0);
  if (mode === "web") assert.ok(large > LARGE, `${large}`);
  assert.equal(alive, false);
  assert.deepEqual(probes, args.includes("--metrics") ? ["200"] : []);
  assert.equal(log.match(/^taking over from the process \d+$/gm)?.length, restarts);
  assert.doesNotMatch(log, /Error|report|[1-9]\d* of them reset/);
}

register("server web: SIGUSR2 under load loses no connection, and no download", async () => {
  // The second time it is one that has taken over.
  await assertLosesNone({ mode: "web", args: ["--metrics", "0"], restarts: 2 });
});

register("server web: SIGUSR2 under load over TLS breaks off no handshake", async () => {
  await assertLosesNone({ mode: "web", args: ["--tls-self-signed"] });
});

register("server echo --workers: SIGUSR2 under load loses no connection", async () => {
  await assertLosesNone({ mode: "echo", args: ["--workers", "2"] });
});

register(
  "server relay: SIGUSR2 under load loses no connection, and one that is long goes on",
  async () => {
    await assertLosesNone({ mode: "relay" });
  },
);

register(
  "server chat: SIGUSR2 under load loses no connection, and members hear Goodbye",
  async () => {
    await assertLosesNone({ mode: "chat" });
  },
);

test("server: SIGUSR2 with networks from a pipe is told, and it goes on", async () => {
  const command = programCommand("server", ["-A", "--unstable-net"]);
  const args = ["--host", "127.0.0.1", "--port", "0", "--deny", "@/dev/stdin"];
  // The server takes the place of the shell, so that it is what is signalled.
  const piped = ["bash", "-c", 'exec "$@" < <(echo 192.0.2.1)', "bash", ...command, ...args];
  await using server = await listening(new Program(piped));
  server.program.kill("SIGUSR2");
  const { stderr } = server.program;
  await stderr.until(/Option --deny cannot read '\/dev\/stdin' again: it is a pipe\./);
  await stderr.until(/^Cannot restart: the new process ended with exit code 2\. Going on/m);
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

test("server: SIGUSR2 on Deno names what is missing to share the port, and no more", async () => {
  if (!IS_DENO) return;
  const refused = async (server: ServerScript<Running>, missing: string) => {
    server.program.kill("SIGUSR2");
    await server.program.stderr.until(/^Cannot restart: .*\.$/m);
    assert.match(
      server.program.stderr.text,
      new RegExp(`^Cannot restart: on Deno this needs ${missing}\\. Going on as before\\.$`, "m"),
    );
  };
  // Without a port it takes the next one that is free.
  await using open = await listening(new InProcess("server", ["web", "--host", OWN_HOST]));
  await refused(open, "--port N");
  // deno.json would have it.
  const stable = [...programCommand("server", ["-A", "--no-config"]), "--port", "0"];
  await using plain = await listening(new Program(stable));
  await refused(plain, "deno run --unstable-net");
});

test("server: SIGTERM to both processes leaves the old one the time to finish", async () => {
  const command = programCommand("server", ["-A", "--unstable-net"]);
  const program = new Program([...command, "--host", "127.0.0.1", "--port", "0"]);
  await using server = await listening(program);
  const { stderr } = program;
  using conn = await systemTransport.connect({ host: "127.0.0.1", port: server.port });
  await conn.write(bytes("before"));
  assert.equal(await readText(conn, 6), "before");
  program.kill("SIGUSR2");
  const [, pid] = await stderr.until(/^restarting: the process (\d+) serves$/m);
  await stderr.until(/^stopping: /m);
  // As service managers do that stop a service.
  program.kill("SIGTERM");
  process.kill(Number(pid), "SIGTERM");
  await stderr.until(/^stopped after 0 connections/m);
  await conn.write(bytes("after"));
  assert.equal(await readText(conn, 5), "after");
  conn.close();
  assert.equal((await program.exit()).code, 0);
  await stderr.until(/^stopped after 1 connection, 0 of them reset$/m);
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
