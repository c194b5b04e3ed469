// What is particular to Unix sockets: their files, their paths, and other people's programs.

import assert from "node:assert/strict";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { dial } from "../../lib/dial.ts";
import { echo } from "../../lib/protocols/echo.ts";
import { type SocketEvent } from "../../lib/observe/events.ts";
import { observe } from "../../lib/observe/observe.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import { serve } from "../../lib/serve/serve.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import type { Transport } from "../../lib/net/transport.ts";
import { freshPath } from "../contract/networks.ts";
import { bytes, mistakes, pairThrough, readText, rejects, until } from "../support/helpers.ts";
import { PYTHON, python, runProgram } from "../support/peers.ts";
import { runCommand, runtime, test } from "../support/runner.deno.ts";

/** Leaves a socket file behind that nobody listens on. */
async function leaveStale(path: string): Promise<void> {
  const bind = `import socket; socket.socket(socket.AF_UNIX).bind(${JSON.stringify(path)})`;
  assert.equal((await runProgram([...PYTHON, "-c", bind])).code, 0);
  assert.ok(lstatSync(path).isSocket());
}

async function assertWorks(path: string): Promise<void> {
  using listener = await systemTransport.listen({ path });
  using ends = await pairThrough(listener, (addr) => systemTransport.connect(addr));
  await ends.client.write(bytes("hello"));
  assert.equal(await readText(ends.server, 5), "hello");
}

const transports: Transport[] = [systemTransport, new MemoryTransport()];
for (const transport of transports) {
  const { name } = transport;

  test(`${name}, Unix: listeners have their path as address, and clients none`, async () => {
    const path = freshPath();
    using listener = await transport.listen({ path });
    using ends = await pairThrough(listener, (addr) => transport.connect(addr));
    assert.deepEqual(listener.addr, { transport: "unix", path });
    assert.deepEqual(ends.client.remoteAddr, { transport: "unix", path });
    assert.deepEqual(ends.client.localAddr, { transport: "unix", path: "" });
    assert.deepEqual(ends.server.localAddr, { transport: "unix", path });
    assert.deepEqual(ends.server.remoteAddr, { transport: "unix", path: "" });
  });

  test(`${name}, Unix: a path that no socket can have is EINVAL, and says why`, async () => {
    const long = "/tmp/" + "ä".repeat(60);
    const { message } = await rejects(transport.listen({ path: long }), "EINVAL");
    assert.match(message, /the path is 125 bytes long, and a socket's has at most 10[37] /);
    await rejects(transport.connect({ path: long }), "EINVAL");
    for (const path of ["", "\0abstract"]) {
      await rejects(transport.listen({ path }), "EINVAL");
      await rejects(transport.connect({ path }), "EINVAL");
    }
  });

  test(`${name}, Unix: connecting where there is no file is ENOENT, with a next step`, async () => {
    const path = freshPath();
    const { message } = await rejects(transport.connect({ path }), "ENOENT");
    assert.equal(
      message,
      `Cannot connect to ${path}: there is no such file or folder (ENOENT). ` +
        "Check the path and its folder, and that the server to connect to has started.",
    );
  });

  test(`${name}, Unix: dial connects, within its timeout and signal`, async () => {
    using listener = await transport.listen({ path: freshPath() });
    using conn = await dial(transport, listener.addr);
    assert.deepEqual(conn.remoteAddr, listener.addr);
    await rejects(dial(transport, { path: freshPath() }), "ENOENT");
    const signal = AbortSignal.abort();
    await rejects(dial(transport, { path: listener.addr.path, signal }), "ECANCELED");
  });

  test(`${name}, Unix: observe tells the path`, async () => {
    const seen: SocketEvent[] = [];
    const observed = observe(transport, (event) => seen.push(event));
    const path = freshPath();
    using listener = await observed.listen({ path });
    using _conn = await observed.connect(listener.addr);
    const addr = { transport: "unix", path };
    const unnamed = { transport: "unix", path: "" };
    assert.deepEqual(seen.map(({ time: _, ...event }) => event), [
      { type: "bind", socket: 1, addr },
      { type: "listen", socket: 1, addr },
      { type: "connect", socket: 2, endpoint: addr },
      { type: "connected", socket: 2, localAddr: unnamed, remoteAddr: addr },
    ]);
  });
}

test("Unix: the file has the mode that is asked for; one that is none is a RangeError, and leaves nothing", async () => {
  const path = freshPath();
  {
    using _listener = await systemTransport.listen({ path, mode: 0o640 });
    assert.equal(lstatSync(path).mode & 0o777, 0o640);
  }
  for (const mode of [1.5, -1, 0o1000, NaN]) {
    await mistakes("RangeError", /mode .* 0o777, not/, systemTransport.listen({ path, mode }));
    assert.equal(existsSync(path), false);
  }
});

test("Unix: a socket file that nobody listens on any more is replaced", async () => {
  const path = freshPath();
  await leaveStale(path);
  await rejects(systemTransport.connect({ path }), "ECONNREFUSED");
  await assertWorks(path);
  assert.equal(existsSync(path), false);
}, ["python3"]);

test("Unix: one that a program listens on is EADDRINUSE, and goes on", async () => {
  const path = freshPath();
  await using _other = await python(`
u = socket.socket(socket.AF_UNIX)
u.bind(${JSON.stringify(path)})
u.listen()
say("ready")
for _ in range(2):
    s, _ = u.accept()
s.sendall(b"alive")
sys.stdin.read()
`).then(async (peer) => (await peer.hear(), peer));
  const { message } = await rejects(systemTransport.listen({ path }), "EADDRINUSE");
  assert.ok(message.includes(path), message);
  using conn = await systemTransport.connect({ path });
  assert.equal(await readText(conn, 5), "alive");
}, ["python3"]);

test(
  "Unix: one whose backlog is full is alive; connecting to it is EAGAIN, and on Bun ECONNREFUSED",
  async () => {
    const path = freshPath();
    await using peer = await python(`
u = socket.socket(socket.AF_UNIX)
u.bind(${JSON.stringify(path)})
u.listen(0)
c = socket.socket(socket.AF_UNIX)
c.connect(${JSON.stringify(path)})
say("full")
sys.stdin.read()
`);
    await peer.hear();
    if (runtime === "Bun") {
      await rejects(systemTransport.connect({ path }), "ECONNREFUSED");
      // So there it is taken for one that nobody listens on any more.
      return await assertWorks(path);
    }
    await rejects(systemTransport.connect({ path }), "EAGAIN");
    await rejects(systemTransport.listen({ path }), "EADDRINUSE");
    assert.ok(existsSync(path));
  },
  ["python3"],
);

test("Unix: a file that is no socket is EADDRINUSE, and stays", async () => {
  const path = freshPath();
  writeFileSync(path, "dear");
  const { message } = await rejects(systemTransport.listen({ path }), "EADDRINUSE");
  assert.match(message, /a file that is not a socket is there/);
  assert.equal(readFileSync(path, "utf8"), "dear");
  const folder = freshPath();
  mkdirSync(folder);
  await rejects(systemTransport.listen({ path: folder }), "EADDRINUSE");
  assert.ok(lstatSync(folder).isDirectory());
});

test("Unix: listening in a folder that does not exist is ENOENT, in none EACCES", async () => {
  await rejects(systemTransport.listen({ path: `${freshPath()}/a.sock` }), "ENOENT");
  const file = freshPath();
  writeFileSync(file, "");
  await rejects(systemTransport.listen({ path: `${file}/a.sock` }), "ENOENT");
  // Not even root may make files in there.
  const { message } = await rejects(
    systemTransport.listen({ path: "/proc/a.sock" }),
    "EACCES",
    "ENOENT",
  );
  assert.match(message, /\/proc\/a\.sock/);
});

for (const accepting of [false, true]) {
  const how = accepting ? "while it accepts" : "while it does not accept";

  test(`Unix: closing a listener ${how} removes its file`, async () => {
    const path = freshPath();
    const listener = await systemTransport.listen({ path });
    assert.ok(existsSync(path));
    const accept = accepting ? rejects(listener.accept(), "ECLOSED") : undefined;
    listener.close();
    await accept;
    await until(() => !existsSync(path), "the file to be removed");
  });

  test(`Unix: closing a listener ${how} leaves the file of another in its place`, async () => {
    const path = freshPath();
    const first = await systemTransport.listen({ path });
    unlinkSync(path);
    using second = await systemTransport.listen({ path });
    const accept = accepting ? rejects(first.accept(), "ECLOSED") : undefined;
    first.close();
    await accept;
    // It may be away for a moment.
    await until(
      () => existsSync(path) && readdirSync(dirname(path)).every((name) => !/sock\./.test(name)),
      "the other's file to be back in its place",
    );
    using ends = await pairThrough(second, (addr) => systemTransport.connect(addr));
    assert.deepEqual(ends.client.remoteAddr, { transport: "unix", path });
  });
}

test("Unix: a socket file that was moved stays when its listener closes", async () => {
  const path = freshPath();
  const listener = await systemTransport.listen({ path });
  renameSync(path, `${path}-moved`);
  listener.close();
  assert.ok(existsSync(`${path}-moved`));
});

test("Unix: socat, ncat and Python talk to our server", async () => {
  const path = freshPath();
  const listener = await systemTransport.listen({ path });
  const stop = new AbortController();
  const served = serve(listener, echo(), { signal: stop.signal }).finished;
  const inPython = `
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(${JSON.stringify(path)})
s.sendall(sys.stdin.buffer.read())
s.shutdown(socket.SHUT_WR)
while (d := s.recv(4096)): sys.stdout.buffer.write(d)
`;
  const programs = [
    ["socat", "-t", "30", "-", `UNIX-CONNECT:${path}`],
    ["ncat", "-U", path],
    [...PYTHON, "-c", inPython],
  ];
  for (const program of programs) {
    const { code, stdout } = await runProgram(program, { stdin: "over a file" });
    assert.deepEqual([code, stdout.toString()], [0, "over a file"], program[0]);
  }
  stop.abort();
  await served;
}, ["ncat", "python3", "socat"]);

if (runtime === "Deno") {
  test("Unix: without permission it is ENOTCAPABLE, with the flags that are enough", async () => {
    const path = freshPath();
    const probe = fileURLToPath(new URL("./probe_unix.ts", import.meta.url));
    const run = async (flags: string[]) => {
      // A Deno that sees its own path in the arguments of a child adds -A behind it.
      const [RUNTIME, ...args] = [...runCommand(probe, ["--no-prompt", ...flags]), path];
      const command = ["sh", "-c", 'exec "$RUNTIME" "$@"', "sh", ...args];
      return (await runProgram(command, { env: { RUNTIME } })).stdout.toString();
    };
    const flags = [`--allow-read=${path}`, `--allow-write=${path}`, `--allow-net=unix:${path}`];
    const message = await run([]);
    assert.match(message, /^Cannot listen on .*\(ENOTCAPABLE\)/);
    assert.ok(message.includes(flags.join(" ")), message);
    assert.equal(await run(flags), "connected\n");
    // The same, where there is a file to be replaced.
    await leaveStale(path);
    assert.equal(await run(flags), "connected\n");
  }, ["python3"]);
}
