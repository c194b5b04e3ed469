// What an error says at its end: a cause that was checked, and what to type next.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { ownerOf, ownSockets } from "../../lib/cli/explain/kernel_sockets.ts";
import { systemUnanswered } from "../contract/networks.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { freeUdpPort, OWN_HOST } from "../support/helpers.ts";
import { InProcess } from "../support/in_process.ts";
import { Namespace, testInNamespace } from "../support/namespace.ts";
import { python, runProgram } from "../support/peers.ts";
import {
  hasIPv6,
  inShell,
  onTerminal,
  programCommand,
  runClient,
  runServer,
  startClient,
  startServer,
  startService,
  startWeb,
} from "../support/scripts.ts";
import { runtime, test } from "../support/runner.deno.ts";
import { makeSite } from "../support/site_helpers.ts";

/** What nobody can check where the kernel does not tell of its sockets. */
const LINUX = process.platform === "linux";

const AT = ["--host", "127.0.0.1"];

/** How often a check that is too late on a busy machine is made again. */
const TRIES = 20;

/** Asserts that the last line that a client prints on stderr says so. */
async function assertSays(args: readonly string[], ...patterns: RegExp[]): Promise<void> {
  let told = "";
  for (let tried = 0; tried < TRIES; tried++) {
    const { stderr } = await runClient([...args, "-q"]);
    told = stderr.trimEnd().split("\n").at(-1)!;
    if (patterns.every((pattern) => pattern.test(told))) return;
  }
  for (const pattern of patterns) assert.match(told, pattern);
}

/**
 * Runs `use` with the port of a socket of 127.0.0.1 that is bound, and does not listen. It is none that
 * the kernel gives to those who want any: they may listen there at other addresses.
 */
async function withDeadPort(use: (port: string) => Promise<void>): Promise<void> {
  await using peer = await python(`
import random
while True:
    s = socket.socket()
    try:
        s.bind(("127.0.0.1", random.randrange(20000, 32000)))
        break
    except OSError:
        s.close()
say(s.getsockname()[1])
sys.stdin.read()
`);
  await use(await peer.hear());
}

test("cause: nothing listens at the port, as the kernel says", () =>
  withDeadPort(async (port) => {
    const nothing = new RegExp(
      `ECONNREFUSED\\). Nothing listens at port ${port} of this machine\\.`,
    );
    const general = /ECONNREFUSED\)\. Check that a server is listening/;
    await assertSays(["connect", `127.0.0.1:${port}`], LINUX ? nothing : general);
  }), ["python3"]);

test(
  "cause: what this program listens at itself, as for its page, is no server to try",
  () =>
    withDeadPort(async (port) => {
      const near = [-4, -3, -2, -1, 1, 2, 3, 4].map((by) =>
        systemTransport.listen({ host: "127.0.0.1", port: Number(port) + by }).catch(() =>
          undefined
        )
      );
      const own = (await Promise.all(near)).filter((listener) => listener !== undefined);
      assert.ok(own.length > 0);
      const { stderr } = await runClient(["connect", `127.0.0.1:${port}`, "-q"]);
      for (const listener of own) {
        assert.doesNotMatch(stderr, new RegExp(`\\b${listener.addr.port}\\b`));
        listener.close();
      }
    }),
  ["python3"],
);

test("cause: the server listens at the address of the other family, which is named", async () => {
  if (!LINUX || !await hasIPv6()) return;
  await using server = await startServer(["--host", "::1"]);
  const { port } = server;
  await assertSays(
    ["connect", `${OWN_HOST}:${port}`],
    new RegExp(`A server listens at \\[::1\\]:${port} \\(\\S+, pid ${process.pid}\\)`),
    new RegExp(`not at ${OWN_HOST}:${port}\\. Try: client\\.ts connect '\\[::1\\]:${port}'\\.$`),
  );
  await assertSays(
    ["--host", OWN_HOST, "--port", String(port)],
    new RegExp(`Try: client\\.ts --host ::1 --port ${port}\\.$`),
  );
  await assertSays(
    ["get", `http://${OWN_HOST}:${port}/`],
    new RegExp(`Try: client\\.ts get 'http://\\[::1\\]:${port}/'\\.$`),
  );
});

test("cause: the server listens at another address of the same family", async () => {
  if (!LINUX) return;
  await using server = await startServer(["--host", OWN_HOST]);
  const { port } = server;
  const near = `${OWN_HOST}:${port}`;
  await assertSays(
    ["connect", `127.0.0.2:${port}`],
    new RegExp(`A server listens at ${near}.* Try: client\\.ts connect ${near}\\.$`),
  );
});

test("cause: with -v the general advice is left out, and the cause is said once", async () => {
  const args = ["echo", "hi", "--host", OWN_HOST, "--port", "1", "-v"];
  const { stderr } = await runClient(args);
  assert.match(stderr, /\(ECONNREFUSED\)\.\n/);
  assert.equal(stderr.split("Nothing listens at port 1").length, 2);
  assert.doesNotMatch(stderr, /Check that a server/);
});

test("cause: datagrams are taken at that port, and no connections", async () => {
  if (!LINUX) return;
  await using server = await startServer(["echo", "--udp", "--host", OWN_HOST]);
  await assertSays(
    ["connect", `${OWN_HOST}:${server.port}`],
    /but a program takes datagrams there\. Try: client\.ts connect --udp 127/,
  );
});

test(
  "cause: datagrams get no answer, as nobody takes them, or somebody who is silent",
  async () => {
    if (!LINUX) return;
    const echo = (host: string, port: string | number) => {
      const at = ["--host", host, "--port", String(port)];
      return ["echo", "hi", "--udp", ...at, "--retries", "0", "--timeout", "0.3"];
    };
    const free = await freeUdpPort();
    const nothing = (port: string | number) =>
      `Nothing takes datagrams at port ${port} of this machine`;
    await assertSays(
      echo(OWN_HOST, free),
      new RegExp(`\\)\\. ${nothing(free)}\\. Start the server`),
    );
    await using tcp = await startServer(AT);
    const { port } = tcp;
    const plain = ", but a server takes connections there\\. Try it without --udp\\.$";
    await assertSays(echo("127.0.0.1", port), new RegExp(nothing(port) + plain));
    await using udp = await startServer(["echo", "--udp", "--host", OWN_HOST]);
    await assertSays(
      echo("127.0.0.2", udp.port),
      new RegExp(
        `takes datagrams at ${OWN_HOST}:${udp.port} \\(.*\\), but not at 127\\.0\\.0\\.2:`,
      ),
      new RegExp(`Try: client\\.ts echo --host ${OWN_HOST} --port ${udp.port} --udp\\.$`),
    );
    const { service, port: silent } = await startService("discard");
    await using _service = service;
    await assertSays(
      echo("127.0.0.1", silent),
      /\(ETIMEDOUT\)\. A program takes datagrams there.*: the port is right\. Check what it expects/,
    );
  },
  ["python3"],
);

testInNamespace("cause: a machine that has no network, and one without IPv6", async () => {
  await using machine = await Namespace.open();
  const disable = machine.start(["sysctl", "-qw", "net.ipv6.conf.lo.disable_ipv6=1"]);
  assert.equal((await disable.exit()).code, 0);
  const to = ["192.0.2.1:80", "[::1]:80"];
  const [network, ipv6] = await machine.inTurn(to.map((at) => ["client", "connect", at]));
  assert.match(
    network.stderr,
    /\(ENETUNREACH\)\. This machine has no address of a network\. Connect it to a network/,
  );
  assert.match(
    ipv6.stderr,
    /\)\. This machine has no IPv6 loopback address\. Use 127\.0\.0\.1\.\n$/,
  );
});

test("cause: a Unix socket is not there, is dead, or is no socket", async () => {
  if (!LINUX) return;
  const folder = mkdtempSync(join(tmpdir(), "plainsocket-"));
  try {
    const [path, file, dead] = ["app.sock", "file", "dead.sock"].map((name) => join(folder, name));
    await using server = new InProcess("server", ["--unix", path]);
    await server.stdout.until(/\n/);
    writeFileSync(file, "");
    await using peer = await python(`
s = socket.socket(socket.AF_UNIX)
s.bind(${JSON.stringify(dead)})
say("bound")
sys.stdin.read()
`);
    await peer.hear();
    const connect = (to: string) => ["connect", "--unix", to];
    const there = `has a socket app\\.sock\\. Try: --unix ${path}\\.$`;
    await assertSays(connect(join(folder, "ap.sock")), new RegExp(there));
    await assertSays(connect(join(folder, "no", "x.sock")), /ENOENT\)\. There is no folder /);
    await assertSays(connect(dead), /Nobody listens at that socket file any more\./);
    await assertSays(connect(file), /That file is not a socket\. Check the path\.$/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, ["python3"]);

test("cause: a name has no address, and who was asked", async () => {
  if (!LINUX) return;
  await assertSays(
    ["connect", "nowhere.invalid:7"],
    /\((ENOTFOUND|EAI_AGAIN)\)\. (Neither \/etc\/hosts nor the name|It is not in \/etc\/hosts)/,
  );
});

test(
  "cause: TLS was spoken to a server of HTTP, to one of echo, and to one that greets",
  async () => {
    await using web = await startWeb(AT);
    await using echo = await startServer(AT);
    await using greeting = await python(`
while True:
    s, _ = l.accept()
    try:
        s.sendall(b"220 mail \\x1b[2J\\r\\n")
        while s.recv(1000): pass
    except OSError: pass
`);
    const to = (port: number) => ["connect", "--tls", "--insecure", `127.0.0.1:${port}`];
    const noTls = "The server speaks no TLS there: it";
    await assertSays(
      to(web.port),
      new RegExp(`${noTls} answers with plain HTTP\\. Try it without --tls\\.$`),
    );
    await assertSays(
      to(echo.port),
      new RegExp(`${noTls} sends back what it gets\\. Try it without --tls\\.$`),
    );
    await assertSays(
      to(greeting.endpoint.port),
      /it says "220 mail \\x1b\[2J\\r\\n"\. Try it without --tls\.$/,
    );
    await assertSays(
      ["get", `https://127.0.0.1:${web.port}/`],
      /it answers with plain HTTP\. Try the URL with http:\/\/\.$/,
    );
  },
  ["python3"],
);

test("cause: a server of TLS was spoken to without it", async () => {
  await using server = await startServer(["--tls-self-signed", ...AT]);
  const { port } = server;
  await assertSays(
    ["get", `http://127.0.0.1:${port}/`],
    /The server speaks TLS there\. Try the URL with https:\/\/\.$/,
  );
  await assertSays(
    [...AT, "--port", String(port)],
    /The server speaks TLS there\. Try it with --tls\.$/,
  );
});

test("cause: HTTP was spoken to a server of something else", async () => {
  await using echo = await startServer(AT);
  await assertSays(
    ["get", `http://127.0.0.1:${echo.port}/`],
    /no HTTP there: it sends back what it gets\. Try: client\.ts connect 127\.0\.0\.1:\d+\.$/,
  );
});

test("cause: something else was spoken to a server of HTTP", async () => {
  await using web = await startWeb(AT);
  await assertSays(
    [...AT, "--port", String(web.port)],
    /The server speaks HTTP there\. Try: client\.ts get 'http:\/\/127\.0\.0\.1:\d+\/'\.$/,
  );
});

test("cause: content with another checksum is not of another protocol", async () => {
  await using site = await makeSite({ "a.txt": "some text" });
  await using web = await startWeb([...AT, site.root]);
  const url = `http://127.0.0.1:${web.port}/a.txt`;
  const { code, stderr } = await runClient(["get", "--sha256", "0".repeat(64), url]);
  assert.equal(code, 1);
  assert.doesNotMatch(stderr, /speaks|Try:/);
});

test("cause: the peer reset the connection, after how many bytes", async () => {
  await using peer = await python(`
s, _ = l.accept()
s.sendall(s.recv(1000)[:3])
sys.stdin.readline()
reset(s)
`);
  const to = `127.0.0.1:${peer.endpoint.port}`;
  await using client = startClient(["connect", "-q", to], { pipe: true });
  client.stdin.write("hello");
  await client.stdout.until(/hel/);
  peer.say("reset");
  const { stderr } = await client.exit();
  assert.match(
    stderr,
    /\(ECONNRESET\)\. The peer reset the connection after 5 B to it and 3 B from it\./,
  );
}, ["python3"]);

test("cause: the process that has a socket is found, if there is time for it", async () => {
  if (!LINUX) return;
  await using server = await startServer(AT);
  const sockets = ownSockets("tcp")!;
  const { inode, host } = sockets.find(({ port }) => port === server.port)!;
  assert.equal(host, "127.0.0.1");
  assert.equal(ownerOf(inode, () => false)?.pid, process.pid);
  assert.equal(ownerOf(inode, () => true), undefined);
});

test("cause: who has the port that a server wants", async () => {
  if (!LINUX) return;
  await using first = await startServer(AT);
  const { stderr } = await runServer(["--host", "127.0.0.1", "--port", String(first.port)]);
  assert.match(
    stderr,
    new RegExp(`EADDRINUSE\\)\\. A program( \\(\\S+, pid ${process.pid}\\))? has 127`),
  );
});

test("cause: the addresses that a server can have", async () => {
  const { stderr } = await runServer(["--host", "192.0.2.77", "--port", "0"]);
  assert.match(stderr, /Choose one of its own \([^)]*127\.0\.0\.1/);
});

test("cause: a peer that says nothing does not hold up the error", async () => {
  await using peer = await python(`
s, _ = l.accept()
s.recv(1000)
s.close()
sys.stdin.read()
`);
  const to = `127.0.0.1:${peer.endpoint.port}`;
  const { stderr } = await runClient(["connect", "-q", "--tls", "--insecure", to]);
  assert.match(stderr, /The server does not answer TLS\. Try it without --tls\.$/m);
}, ["python3"]);

test("cause: a run that goes well asks nobody anything", async () => {
  await using server = await startServer(["-v", ...AT]);
  const exit = await runClient([...AT, "--port", String(server.port)]);
  assert.equal(exit.code, 0);
  const { stderr } = await server.program.stop();
  assert.equal(stderr.match(/^connection from/gm)?.length, 1);
});

test("cause: connect was answered with an alert of TLS, and nothing else", async () => {
  for (const [more, told] of [["", true], ["and more", false]] as const) {
    await using peer = await python(`
s, _ = l.accept()
s.recv(1000)
s.sendall(b"\\x15\\x03\\x03\\0\\2\\2\\x46${more}")
s.close()
sys.stdin.read()
`);
    const to = `127.0.0.1:${peer.endpoint.port}`;
    const { stderr } = await runClient(["connect", to], { stdin: "GET / HTTP/1.0" });
    const line = "the server speaks TLS there: what came is its alert. Try it with --tls";
    assert.equal(stderr.split("\n").includes(line), told, stderr);
  }
}, ["python3"]);

test(
  "cause: the target of a relay cannot be reached, and the check is made once for many clients",
  () =>
    withDeadPort(async (port) => {
      if (!LINUX) return;
      await using relay = await startServer(["relay", "--to", `127.0.0.1:${port}`, ...AT]);
      await Promise.all(Array.from({ length: 20 }, async () => {
        using conn = await systemTransport.connect({ host: "127.0.0.1", port: relay.port });
        // Deno closes where Node resets.
        await conn.read(new Uint8Array(1)).catch(() => {});
      }));
      const { stderr } = await relay.program.stop();
      const lines = stderr.split("\n").filter((line) => line.includes("ECONNREFUSED"));
      assert.equal(lines.length, 20);
      for (const line of lines) {
        assert.match(line, new RegExp(`Nothing listens at port ${port} of this machine\\.`));
      }
    }),
  ["python3"],
);

test("explain: a server that can be reached, and what it speaks, is exit code 0", async () => {
  await using web = await startWeb(AT);
  await using tls = await startServer(["--tls-self-signed", ...AT]);
  await using echo = await startServer(AT);
  for (
    const [{ port }, speaks, next] of [
      [web, "answers with plain HTTP", "client.ts get 'http://127.0.0.1:PORT/'"],
      [tls, "speaks TLS", "client.ts connect 127.0.0.1:PORT --tls"],
      [echo, "sends back what it gets", "client.ts connect 127.0.0.1:PORT"],
    ] as const
  ) {
    const { code, stdout, stderr } = await runClient(["explain", `127.0.0.1:${port}`]);
    assert.deepEqual([code, stderr], [0, ""]);
    const lines = stdout.toString().replaceAll(String(port), "PORT").replace(/[\d.]+ ms/, "T ms");
    assert.deepEqual(lines.trimEnd().split("\n"), [
      "127.0.0.1:PORT",
      "  connect 127.0.0.1:PORT: done in T ms",
      `  server  ${speaks}`,
      `          Try: ${next}.`,
      "  result  it can be reached",
    ]);
  }
});

test(
  "explain: a server that cannot be reached is exit code 69, with the cause",
  () =>
    withDeadPort(async (port) => {
      const { code, stdout } = await runClient(["explain", `127.0.0.1:${port}`]);
      assert.equal(code, 69);
      assert.match(
        stdout.toString(),
        /connect 127\.0\.0\.1:\d+: the connection was refused \(ECONNREFUSED\)\n/,
      );
      assert.match(stdout.toString(), /result {2}it cannot be reached\n$/);
      if (LINUX) assert.match(stdout.toString(), /Nothing listens at port/);
    }),
  ["python3"],
);

test("explain: a port whose packets are dropped, which a filter in the kernel does", async () => {
  if (!LINUX) return;
  // A program of one instruction that keeps no byte of a packet (BPF_RET).
  await using peer = await python(`
import ctypes
code = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0))
l.setsockopt(socket.SOL_SOCKET, 26, struct.pack("HL", 1, ctypes.addressof(code)))
say("dropping")
sys.stdin.read()
`);
  assert.equal(await peer.hear(), "dropping");
  const at = `127.0.0.1:${peer.endpoint.port}`;
  const { code, stdout } = await runClient(["explain", at, "--connect-timeout", "0.2"]);
  assert.equal(code, 69);
  assert.match(
    stdout.toString(),
    /A server listens there.*, and no answer came: a firewall of this machine drops it\. See 'nft/,
  );
}, ["python3"]);

test("explain: a queue that is full, of a name with several addresses", async () => {
  if (!LINUX) return;
  await using peer = await systemUnanswered();
  const { port } = peer.endpoint;
  const options = ["--connect-timeout", "1", "-q"];
  const { code, stderr } = await runClient(["connect", `localhost:${port}`, ...options]);
  // ::1 refuses, and 127.0.0.1 is silent.
  assert.equal(code, 28);
  assert.match(stderr, /ETIMEDOUT\)\. A server listens there .*in its queue\./);
}, ["python3"]);

test("explain: a queue that is full, which takes and refuses nobody", async () => {
  await using peer = await systemUnanswered();
  const at = `127.0.0.1:${peer.endpoint.port}`;
  const { code, stdout } = await runClient(["explain", at, "--connect-timeout", "0.2"]);
  assert.equal(code, 69);
  assert.match(stdout.toString(), /no answer|took too long \(ETIMEDOUT\)/);
  if (LINUX) {
    assert.match(
      stdout.toString(),
      /A server listens there .*accepts nobody: \d+ connections? in its queue\./,
    );
  }
}, ["python3"]);

test("explain: a name without addresses is exit code 6", async () => {
  const { code, stdout } = await runClient(["explain", "nowhere.invalid:7"]);
  assert.equal(code, 6);
  assert.match(stdout.toString(), /^nowhere\.invalid:7\n {2}name {4}.*\((ENOTFOUND|EAI_AGAIN)\)\n/);
});

test("explain: --log json has one object, with each address", async () => {
  await using web = await startWeb(AT);
  const { code, stdout } = await runClient(["explain", "--log", "json", `127.0.0.1:${web.port}`]);
  const { addresses: [{ milliseconds, ...address }], ...report } = JSON.parse(stdout.toString());
  assert.deepEqual([code, report, address, typeof milliseconds], [
    0,
    { endpoint: `127.0.0.1:${web.port}`, reached: true, server: "http" },
    { address: "127.0.0.1", port: web.port },
    "number",
  ]);
});

test("explain: without HOST:PORT it says what it needs", async () => {
  const { code, stderr } = await runClient(["explain"]);
  assert.equal(code, 2);
  assert.match(stderr, /explain needs HOST:PORT\. See 'client\.ts explain --help'\.$/m);
});

if (runtime === "Deno") {
  test(
    "cause: with few permissions of Deno nobody is asked for more, on a terminal either",
    () =>
      withDeadPort(async (port) => {
        // A Deno that sees its own path in the arguments of a child adds -A behind it.
        const [, ...client] = programCommand("client", ["--allow-net", "--allow-env=NO_COLOR"]);
        const command = [...client, "connect", "-q", `127.0.0.1:${port}`];
        const { stdout } = await runProgram(onTerminal(inShell('exec "$RUNTIME" "$@"', command)), {
          env: { RUNTIME: process.execPath },
        });
        assert.match(stdout.toString(), /ECONNREFUSED\)\. Check that a server is listening there/);
        assert.doesNotMatch(stdout.toString(), /permission/i);
      }),
    ["python3"],
  );
}
