// server.ts --systemd: the messages that systemd gets, with a python server of datagrams in its place,
// and the sockets that it passes.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { runChild } from "../../lib/cli/io/child.deno.ts";
import { Notifier } from "../../lib/cli/serving/systemd.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { bytes, readText, until } from "../support/helpers.ts";
import { Program, PYTHON } from "../support/peers.ts";
import {
  assertFailed,
  listening,
  programCommand,
  runServer,
  startServer,
} from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";

const MANAGER = `
import os, socket, sys
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind(sys.argv[1].replace("@", "\\0"))
print("bound", flush=True)
while True:
    # The descriptor of a barrier is closed at once, which is the answer.
    message = manager.recv(65536).decode()
    if message != "BARRIER=1": print(message.replace("\\n", " "), flush=True)
`;

/** Receives the messages to systemd. `NOTIFY_SOCKET` is its name, and each message becomes a line. */
async function startManager(name: string): Promise<Program> {
  const manager = new Program([...PYTHON, "-c", MANAGER, name]);
  await manager.stdout.until(/^bound\n/);
  return manager;
}

async function withFolder(fn: (dir: string) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "plainsocket-"));
  try {
    await fn(dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

const NEEDED = ["python3", "systemd-notify"] as const;

test("server --systemd: each server tells that it is ready, reloads and stops", async () => {
  await withFolder(async (dir) => {
    const NOTIFY_SOCKET = join(dir, "notify");
    await using manager = await startManager(NOTIFY_SOCKET);
    const commands = [["echo"], ["web", dir], ["chat"], ["relay", "--to", "127.0.0.1:1"]];
    for (const command of commands) {
      const at = manager.stdout.text.length;
      const told = () => manager.stdout.text.slice(at);
      const env = { NOTIFY_SOCKET, WATCHDOG_USEC: undefined };
      await using server = await startServer([...command, "--systemd"], { env });
      const ready = `READY=1 STATUS=Listening at ${server.url}\n`;
      await until(() => told() === ready, "READY");
      server.program.kill("SIGHUP");
      // systemd 254 and later add a time.
      const reloaded = new RegExp(`^${ready}RELOADING=1( MONOTONIC_USEC=\\d+)?\nREADY=1\n$`);
      await until(() => reloaded.test(told()), "RELOADING");
      assert.equal((await server.program.stop()).code, 0);
      assert.match(told(), /\nSTOPPING=1 STATUS=Stopping\n$/);
    }
  });
}, NEEDED);

test("server --systemd: its watchdog is fed, also at an abstract name", async () => {
  const NOTIFY_SOCKET = `@plainsocket-${process.pid}-${systemTransport.name}`;
  await using manager = await startManager(NOTIFY_SOCKET);
  const env = { NOTIFY_SOCKET, WATCHDOG_USEC: "200000", WATCHDOG_PID: String(process.pid) };
  await using server = await startServer(["--systemd"], { env });
  await manager.stdout.until(/(WATCHDOG=1\n){2}/);
  assert.equal((await server.program.stop()).code, 0);
}, NEEDED);

/** Knows how long somebody has waited. */
class WaitsClock extends VirtualClock {
  readonly waits: number[] = [];

  override setTimer(ms: number, fn: () => void): () => void {
    this.waits.push(ms);
    return super.setTimer(ms, fn);
  }
}

test(
  "server --systemd: a watchdog or sockets that are not there are nothing to serve",
  async () => {
    const manager = { NOTIFY_SOCKET: "/nowhere/notify", LISTEN_PID: String(process.pid) };
    for (const [WATCHDOG_USEC, LISTEN_FDS] of [["0", "0"], ["-1", ""], ["often", "0"]]) {
      const clock = new WaitsClock();
      const env = { ...manager, WATCHDOG_USEC, LISTEN_FDS };
      await using server = await startServer(["--systemd"], { env, clock });
      assert.equal((await server.program.stop()).code, 0);
      assert.ok(clock.waits.every((ms) => ms > 0), clock.waits.join());
    }
  },
  ["systemd-notify"],
);

test("systemd: that systemd-notify was ended by a signal is said", async () => {
  const { failure } = await runChild("sh", ["-c", "kill -TERM $$"], {}, 5000);
  assert.equal(failure, "was ended by SIGTERM");
});

test("server --systemd: without systemd it serves all the same, and says so", async () => {
  const LISTEN_FDS = "1";
  await using server = await startServer(["--systemd"], { env: { LISTEN_FDS, LISTEN_PID: "1" } });
  assert.match(server.program.stderr.text, /NOTIFY_SOCKET and LISTEN_FDS are not set/);
});

test("server --systemd: SIGUSR2 makes the new process the main one of the unit", async () => {
  await withFolder(async (dir) => {
    const NOTIFY_SOCKET = join(dir, "notify");
    await using manager = await startManager(NOTIFY_SOCKET);
    const server = programCommand("server", ["-A", "--unstable-net"]);
    const env = { NOTIFY_SOCKET };
    await using program = new Program([...server, "--port", "0", "--systemd"], { env });
    await manager.stdout.until(/^READY=1 /m);
    program.kill("SIGUSR2");
    const [, pid] = await program.stderr.until(/^restarting: the process (\d+) serves$/m);
    const main = new RegExp(`^READY=1 MAINPID=${pid} STATUS=Listening at .*\n`, "m");
    await manager.stdout.until(main);
    assert.doesNotMatch(manager.stdout.text, /STOPPING/);
    process.kill(Number(pid));
    await manager.stdout.until(/^STOPPING=1 /m);
    // It has the output of the first one, too.
    assert.equal((await program.exit()).code, 0);
  });
}, NEEDED);

/** A notifier whose messages fail with what `answer` says; those that it sends, and its errors. */
function notifying(answer: (args: readonly string[]) => string | undefined, version = 0) {
  const sent: string[] = [];
  const errors: string[] = [];
  const log = { error: (message: string) => void errors.push(message) };
  const notifier = new Notifier("/run/notify", log, (program, args, env) => {
    assert.deepEqual([program, env], ["systemd-notify", { NOTIFY_SOCKET: "/run/notify" }]);
    const stdout = args[0] === "--version" ? `systemd ${version} (${version}-1)\n+PAM\n` : "";
    if (stdout === "") sent.push(args.join(" "));
    return Promise.resolve({ failure: answer(args), stdout });
  });
  return { notifier, sent, errors };
}

test("systemd: a failure to notify it is an error in the log, once", async () => {
  const { notifier, errors } = notifying(() => "is not installed");
  notifier.notify(["READY=1"]);
  notifier.notify(["STOPPING=1"]);
  await notifier.sent;
  assert.equal(errors.length, 1);
  assert.match(errors[0], /^Cannot notify systemd: systemd-notify is not installed\. /);
});

test("systemd: messages go in order, and one that waits is not sent twice", async () => {
  const { notifier, sent } = notifying(() => undefined);
  for (let i = 0; i < 3; i++) {
    notifier.notify(["READY=1", "STATUS=x"]);
    notifier.notify(["WATCHDOG=1"]);
  }
  await notifier.sent;
  notifier.notify(["WATCHDOG=1"]);
  await notifier.sent;
  assert.deepEqual(sent, ["READY=1 STATUS=x", "WATCHDOG=1", "WATCHDOG=1"]);
});

test("systemd: --reloading is used where systemd-notify has it", async () => {
  for (const [version, message] of [[253, "RELOADING=1"], [254, "--reloading"]] as const) {
    const { notifier, sent } = notifying(() => undefined, version);
    notifier.notify(["RELOADING=1"], ["READY=1"]);
    await notifier.sent;
    assert.deepEqual(sent, [message, "READY=1"]);
  }
});

const PASS = `
import os, socket, sys
listener = socket.create_server(("127.0.0.1", 0))
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execvp(sys.argv[1], sys.argv[1:])
`;

/** Runs `server.ts ARGS` with a socket of TCP as descriptor 3. */
function passing(args: readonly string[]): Program {
  return new Program([...PYTHON, "-c", PASS, ...programCommand("server"), ...args]);
}

for (const args of [["--systemd"], ["web", "--fd", "3"], ["--fd", "3", "--workers", "1"]]) {
  test(`server ${args.join(" ")}: serves at the socket that is passed`, async () => {
    await using program = passing(args);
    if (systemTransport.name === "deno") {
      return assertFailed(await program.exit(), 7, /ENOTSUP/, /systemd-socket-proxyd/);
    }
    await using server = await listening(program);
    using conn = await systemTransport.connect({ host: "127.0.0.1", port: server.port });
    await conn.write(bytes("OPTIONS * HTTP/1.0\r\n\r\n"));
    assert.match(await readText(conn, 8), /^(OPTIONS |HTTP\/1\.)/);
    conn.close();
    assert.equal((await program.stop()).code, 0);
  }, ["python3"]);
}

test("server --systemd: more than one socket is refused", async () => {
  const env = { LISTEN_FDS: "2", LISTEN_PID: String(process.pid) };
  const exit = await runServer(["--systemd"], env);
  assertFailed(exit, 2, /--systemd takes one socket, and systemd passes 2/);
});

/** What a client says to each server, and how the answer begins. */
const ACTIVATED = {
  echo: ["hello", "hello"],
  web: ["OPTIONS * HTTP/1.0\r\n\r\n", "HTTP/"],
  chat: ["hello\n", "* You"],
  relay: ["hello", "hello"],
} as const;

test(
  "server --systemd: systemd-socket-activate starts each server at the first connection, and on Deno it says that it cannot",
  async () => {
    await using target = await startServer(["echo"]);
    const isDeno = systemTransport.name === "deno";
    for (const [name, [text, answer]] of Object.entries(ACTIVATED)) {
      // The refusal is the same for all.
      if (isDeno && name !== "echo") continue;
      await withFolder(async (dir) => {
        const path = join(dir, "server.sock");
        const args = name === "relay" ? [name, "--to", `127.0.0.1:${target.port}`] : [name];
        const activate = ["systemd-socket-activate", "-l", path, ...programCommand("server")];
        await using program = new Program([...activate, ...args, "--systemd"]);
        await program.stderr.until(/Listening on/);
        using conn = await systemTransport.connect({ path });
        if (isDeno) {
          const { code, stderr } = await program.exit();
          assert.equal(code, 7, stderr);
          assert.match(
            stderr,
            /^server\.ts: Cannot listen .*\(ENOTSUP\)\. .*systemd-socket-proxyd.*\n$/m,
          );
          return;
        }
        await conn.write(bytes(text));
        assert.equal(await readText(conn, answer.length), answer, name);
        // It does not know the path.
        assert.match(program.stdout.text, name === "web" ? /^http\+unix:\/\/\/$/m : /^unix:$/m);
        conn.close();
        assert.equal((await program.stop()).code, 0, name);
      });
    }
  },
  ["systemd-socket-activate"],
);

test("server: systemd-socket-proxyd passes connections on to a port of its own", async () => {
  await using server = await startServer(["echo"]);
  await withFolder(async (dir) => {
    const path = join(dir, "proxy.sock");
    const proxy = ["/lib/systemd/systemd-socket-proxyd", `127.0.0.1:${server.port}`];
    await using program = new Program(["systemd-socket-activate", "-l", path, ...proxy]);
    await program.stderr.until(/Listening on/);
    using conn = await systemTransport.connect({ path });
    await conn.write(bytes("hello"));
    assert.equal(await readText(conn, 5), "hello");
  });
}, ["systemd-socket-activate"]);

test("server --fd: what does not go with it is refused, and so is what is no socket", async () => {
  const fd = ["--fd", "3"];
  assertFailed(await runServer([...fd, "--port", "1"]), 2, /--fd cannot be used with --port/);
  assertFailed(await runServer([...fd, "--unix", "x"]), 2, /--unix cannot be used with --fd/);
  assertFailed(await runServer([...fd, "--udp"]), 2, /--udp cannot be used with --fd/);
  assertFailed(await runServer(["chat", ...fd, "--ws"]), 2, /--ws cannot be used with --fd/);
  const missing = systemTransport.name === "deno"
    ? /Cannot listen .*ENOTSUP/
    : /^server(?:\.ts)?: Cannot listen on .*: descriptor 60000 is not open \(EINVAL\)\. Pass a TCP or Unix/m;
  for (const workers of [[], ["--workers", "2"]]) {
    assertFailed(await runServer(["--fd", "60000", ...workers]), 7, missing);
  }
});
