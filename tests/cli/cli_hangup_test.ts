// SIGHUP, nohup, and terminals that are closed: no server ends of them, and no client without a
// terminal.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { selfSigned } from "../../lib/net/tls/self_signed.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { bytes, readText } from "../support/helpers.ts";
import { InProcess } from "../support/in_process.ts";
import { Program, PYTHON } from "../support/peers.ts";
import {
  inShell,
  listening,
  programCommand,
  startClient,
  startServer,
} from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";

const LOCAL = ["--host", "127.0.0.1", "--port", "0"];
const IGNORED = /^SIGHUP: nothing to read again; going on$/m;

/** Has a server answer a request of HTTP: as one, or by an echo of it. */
async function assertAnswers(port: number): Promise<void> {
  using conn = await systemTransport.connect({ host: "127.0.0.1", port });
  await conn.write(bytes("GET / HTTP/1.0\r\n\r\n"));
  assert.match(await readText(conn, 4), /^(GET |HTTP)$/);
}

test("servers: SIGHUP is a line in the log, and nothing else", async () => {
  const servers = [["echo"], ["echo", "--udp"], ["web"], ["relay", "--to", "127.0.0.1:1"], [
    "chat",
  ]];
  for (const args of servers) {
    await using server = await startServer([...args, "--host", "127.0.0.1"]);
    server.program.kill("SIGHUP");
    await server.program.stderr.until(IGNORED);
    assert.equal((await server.program.stop()).code, 0, args.join(" "));
  }
});

test("servers: SIGHUP reads again what there is to read, and says so in place of that", async () => {
  await using server = await startServer(["web", "--host", "127.0.0.1", "--deny", "@/dev/null"]);
  server.program.kill("SIGHUP");
  await server.program.stderr.until(
    /^read again who may connect: all allowed, 0 networks denied$/m,
  );
  assert.doesNotMatch((await server.program.stop()).stderr, IGNORED);
});

/** Where servers read their options from, and what they say of a pipe there. */
const FILES: readonly (readonly [args: readonly string[], text: string, says: string])[] = [
  [["web", "--allow", "@FILE"], "127.0.0.1", "--allow.*Who may connect stays as it was"],
  [["chat", "--deny", "@FILE"], "192.0.2.1", "--deny.*Who may connect stays as it was"],
  [["web", "--auth", "@FILE"], "me:secret", "--auth.*User and password stay as they were"],
  [["relay", "--to", "@FILE"], "127.0.0.1:1", "--to.*The targets stay as they were"],
  [["echo", "--fault", "@FILE"], "down: reset@4096", "--fault.*The faults stay as they were"],
  [["echo", "--tls-cert", "FILE"], "", "--tls-cert.*The certificate stays as it was"],
  [["echo", "--tls-self-signed", "--tls-client-ca", "FILE"], "", "--tls-client-ca.*stay as they"],
];

test("servers: SIGHUP does not wait for a pipe that has replaced a file, and keeps what was in it", async () => {
  const { cert, key } = await selfSigned(["localhost"]);
  for (const [args, text, says] of FILES) {
    const folder = mkdtempSync(join(tmpdir(), "hangup-"));
    const file = join(folder, "options");
    writeFileSync(file, text || cert + key);
    const named = args.map((arg) => arg.replace("FILE", file));
    await using server = await startServer([...named, "--host", "127.0.0.1"]);
    rmSync(file);
    // Who waits for a reader ends the wait of a server that reads it.
    await using writer = new Program(["sh", "-c", 'mkfifo "$1"; echo made; : > "$1"', "sh", file]);
    await writer.stdout.until(/^made$/m);
    server.program.kill("SIGHUP");
    await server.program.stderr.until(new RegExp(says));
    const { code, stderr } = await server.program.stop();
    assert.equal(code, 0, stderr);
    assert.match(stderr, /cannot read '.*options' again: it is a pipe\./);
    rmSync(folder, { recursive: true });
  }
});

test("servers: SIGHUP is ignored in JSON, too, and with -q without a word", async () => {
  for (const [args, said] of [[["--log", "json"], 1], [["-q"], 0]] as const) {
    await using server = await startServer(["web", "--host", "127.0.0.1", ...args]);
    server.program.kill("SIGHUP");
    const { code, stderr } = await server.program.stop();
    const lines = stderr.split("\n").filter((line) => line.includes("SIGHUP"));
    assert.deepEqual([code, lines.length], [0, said]);
  }
});

/** A shell line, and what it is: each leaves SIGHUP to the program in another way. */
const LAUNCHES: readonly (readonly [name: string, line: string])[] = [
  ["as it is", 'exec "$@"'],
  ["under nohup", 'exec nohup "$@"'],
  ["with the signal ignored", "trap '' HUP; exec \"$@\""],
];

for (const [name, line] of LAUNCHES) {
  // Each of the others is one process, as a web server is: how it takes a SIGHUP is shown above.
  for (const args of [["web"], ["echo", "--workers", "1"]]) {
    const server = `server ${args.join(" ")}, ${name}`;
    test(`${server}: SIGHUP to all of its processes ends none, and SIGTERM all`, async () => {
      const program = new Program(inOwnGroup(inShell(line, [
        ...programCommand("server"),
        ...args,
        ...LOCAL,
      ])));
      await using server = await listening(program);
      process.kill(-program.pid, "SIGHUP");
      await program.stderr.until(IGNORED);
      await assertAnswers(server.port);
      process.kill(-program.pid, "SIGTERM");
      const { code, stderr } = await program.exit();
      assert.equal(code, 0, stderr);
      assert.doesNotMatch(stderr, /ended by SIGHUP|restart(?!s)/);
    }, ["python3"]);
  }

  test(`client without a terminal, ${name}: SIGHUP does not end it`, async () => {
    await using server = await startServer(["echo", "--host", "127.0.0.1"]);
    const at = `127.0.0.1:${server.port}`;
    const command = inShell(line, [...programCommand("client"), "connect", at]);
    await using client = new Program(inOwnGroup(command), { pipe: true });
    client.stdin.write("before ");
    await client.stdout.until(/^before $/);
    client.kill("SIGHUP");
    client.stdin.end("after");
    const { code, stdout } = await client.exit();
    assert.deepEqual([code, stdout.toString()], [0, "before after"]);
  }, ["python3"]);
}

test("client on a terminal: SIGHUP ends it, as any program", async () => {
  await using server = await startServer(["echo", "--host", "127.0.0.1"]);
  const args = ["connect", `127.0.0.1:${server.port}`];
  await using client = startClient(args, { pipe: true, terminal: "stderr" });
  // Nobody listens for it there, and then the system does what it does.
  assert.throws(() => client.kill("SIGHUP"), /does not listen for SIGHUP/);
  client.stdin.end();
  assert.equal((await client.exit()).code, 0);
});

test("server: the end of its terminal is not its own", async () => {
  for (const args of [["web"], ["chat", "-v"], ["echo", "--workers", "1", "-v"]]) {
    const command = [...programCommand("server"), ...args, ...LOCAL];
    await using terminal = new Program(closingTerminal(command), { pipe: true });
    const [, port] = await terminal.stdout.until(/127\.0\.0\.1:([1-9]\d*)/);
    const [, pid] = await terminal.stdout.until(/^pid (\d+)$/m);
    terminal.stdin.end();
    await terminal.stdout.until(/^closed$/m);
    // What is to be said of the first one cannot be said any more when the second one comes.
    if (args[0] !== "chat") { for (let i = 0; i < 3; i++) await assertAnswers(Number(port)); }
    process.kill(Number(pid), "SIGTERM");
    const { code } = await terminal.exit();
    // Node 20 itself crashes at its exit, when it sets a terminal back that is gone.
    if (!process.versions.node.startsWith("20.")) assert.equal(code, 0, args.join(" "));
  }
}, ["python3"]);

test("client: a signal that stops ends one without a terminal as ever", async () => {
  await using server = await startServer(["echo", "--host", "127.0.0.1"]);
  const args = ["connect", `127.0.0.1:${server.port}`];
  await using client = new InProcess("client", args, { pipe: true });
  client.kill("SIGHUP");
  assert.equal((await client.stop("SIGTERM")).code, 143);
});

/** Wraps a command so that it, and what it starts, is a group of processes of its own. */
function inOwnGroup(command: readonly string[]): string[] {
  const program = "import os, sys\nos.setpgid(0, 0)\nos.execvp(sys.argv[1], sys.argv[1:])";
  return [...PYTHON, "-c", program, ...command];
}

/**
 * Wraps a command so that it runs in a terminal of its own, which is closed at the end of stdin. What
 * it prints there comes out on stdout, with `pid PID` before it and `closed` behind it.
 */
function closingTerminal(command: readonly string[]): string[] {
  const program = `
import os, pty, select, sys
pid, terminal = pty.fork()
if pid == 0: os.execvp(sys.argv[1], sys.argv[1:])
print("pid", pid, flush=True)
while True:
    ready, _, _ = select.select([0, terminal], [], [])
    if 0 in ready: break
    os.write(1, os.read(terminal, 65536))
os.close(terminal)
print("\\nclosed", flush=True)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;
  return [...PYTHON, "-c", program, ...command];
}
