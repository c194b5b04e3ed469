// What -v shows on a terminal: the conversation, drawn in columns.

import assert from "node:assert/strict";
import { textWidth } from "../../lib/base/text_width.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { bytes, until } from "../support/helpers.ts";
import type { InProcess } from "../support/in_process.ts";
import { Program, PYTHON, python } from "../support/peers.ts";
import { programCommand, runClient, type ServerScript, startServer } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";
import { makeSite } from "../support/site_helpers.ts";

const PLAIN = { NO_COLOR: "1" };
const AT = ["--host", "127.0.0.1"];

/** A server whose stderr is a terminal, with -v. */
function drawing(
  args: readonly string[],
  columns = 80,
  env: Record<string, string | undefined> = PLAIN,
) {
  const options = { terminal: "stderr", columns, env } as const;
  return startServer([...args, "-v", ...AT], options) as Promise<ServerScript<InProcess>>;
}

/** What differs from run to run, in the same width: times as T, ports as P. */
function normalized(text: string): string[] {
  return text.trimEnd().split("\n").map((line) =>
    line.replace(/^(#\d+) +[\d.]+ m?s /, "$1 T ")
      // Addresses are aligned at the sides, and a port has four digits or five.
      .replace(/ {2,}/g, (spaces) => /:\d+/.test(line) ? "  " : spaces)
      .replace(/:\d{4,5}/g, ":P")
  );
}

/** Says something to a server at 127.0.0.1 and waits for the end of what comes back. */
async function say(port: number, text: string | Uint8Array): Promise<void> {
  using conn = await systemTransport.connect({ host: "127.0.0.1", port });
  await conn.write(typeof text === "string" ? bytes(text) : text);
  await conn.closeWrite();
  const buffer = new Uint8Array(1000);
  while (await conn.read(buffer) !== null);
}

const MESSAGE = "This is the message.  It will be repeated, again and again and again.\n";

for (
  const [columns, shown] of [
    [60, "This is the message.  It wi…"],
    [80, "This is the message.  It will be repeated, agai…"],
    [120, `${MESSAGE.trimEnd()}↵`],
  ] as const
) {
  test(`drawing: at ${columns} columns there are two sides, times, sizes, bytes and ends`, async () => {
    await using server = await drawing(["echo"], columns);
    await say(server.port, MESSAGE);
    const { stderr } = await server.program.stop();
    const row = (start: string, fill: string, end: string) =>
      `#1 T ${start.padEnd(columns - 18 - end.length, fill)}${end}`;
    const [client, own] = ["client", "server (this side)"];
    assert.deepEqual(normalized(stderr), [
      "starting up on 127.0.0.1 port 0",
      "waiting for connections",
      `#1               ${client.padEnd(columns - 18 - own.length)}${own}`,
      "  127.0.0.1:P  127.0.0.1:P",
      row("├─ connect ", "─", "▶│"),
      row(`├─ 70 B  ${shown} `, "─", "▶│"),
      row(`│◀─ 70 B  ${shown} `, "─", "┤"),
      row("├╌ FIN ", "╌", "▶│"),
      row("│◀╌ close ", "╌", "┤"),
      "stopping: connections get 10 s to finish, Ctrl-C ends at once",
      "closing the listening socket",
      "stopped after 1 connection, 0 of them reset",
    ]);
  });
}

test("drawing: at 40 columns the arrows stand before the text, and no line is wider", async () => {
  await using server = await drawing(["echo"], 40);
  await say(server.port, MESSAGE);
  const { stderr } = await server.program.stop();
  const lines = stderr.split("\n").filter((line) => line.startsWith("#1 "));
  assert.ok(lines.every((line) => textWidth(line) < 40), stderr);
  assert.deepEqual(normalized(lines.slice(1).join("\n")), [
    "#1 T ▶ connect",
    "#1 T ▶ 70 B  This is the m…",
    "#1 T ◀ 70 B  This is the m…",
    "#1 T ▶ FIN",
    "#1 T ◀ close",
  ]);
});

test("drawing: a client has what it tries, connecting, and the ends of both", async () => {
  await using server = await startServer(AT);
  const at = [...AT, "--port", String(server.port)];
  const { stderr } = await runClient(["echo", "hi", "-v", ...at], {
    terminal: "stderr",
    env: PLAIN,
  });
  const lines = normalized(stderr);
  assert.deepEqual(lines.slice(0, 6).map((line) => line.replace(/[─ ]*([▶◀│┤]*)$/, " $1")), [
    `connecting to 127.0.0.1 port ${server.port} `,
    "#1 trying 127.0.0.1:P ",
    "#1               client (this side)                                      server ",
    "  127.0.0.1:P  127.0.0.1:P ",
    "#1 T ├─ connect ▶│",
    "#1 T │◀─ connected ┤",
  ]);
  // It sends and receives at the same time.
  const rest = lines.slice(6).map((line) => line.replace(/ [─╌]+([▶◀│┤]*)$/, " $1"));
  assert.deepEqual(rest.sort(), [
    "#1 T │◀─ 2 B  hi ┤",
    "#1 T │◀╌ FIN ┤",
    "#1 T ├─ 2 B  hi ▶│",
    "#1 T ├╌ FIN ▶│",
    "#1 T ├╌ close ▶│",
    "sent 2 bytes and received the same; closed",
  ]);
});

test("drawing: datagrams are arrows with their addresses, and closing is none", async () => {
  await using server = await drawing(["echo", "--udp"]);
  const at = [...AT, "--port", String(server.port)];
  await runClient(["echo", "--udp", "hi", ...at]);
  const { stderr } = await server.program.stop();
  const lines = normalized(stderr).filter((line) => line.startsWith("#1 "));
  assert.deepEqual(lines.map((line) => line.replace(/ [─ ]*([▶│┤]*)$/, " $1")), [
    "#1               client                                      server (this side)",
    "#1 waiting for datagrams",
    "#1 T ├─ 2 B from 127.0.0.1:P  hi ▶│",
    "#1 T │◀─ 2 B to 127.0.0.1:P  hi ┤",
    "#1 T │ close │",
  ]);
});

test("drawing: a client that is refused says why, and ends with its error", async () => {
  await using peer = await python(`
s = socket.socket()
s.bind(("127.0.0.1", 0))
say(s.getsockname()[1])
sys.stdin.read()
`);
  const at = [...AT, "--port", await peer.hear()];
  const { code, stderr } = await runClient(["-v", ...at], { terminal: "stderr", env: PLAIN });
  assert.equal(code, 7);
  assert.match(stderr, /^#1 trying 127\.0\.0\.1:\d+\n#1 Cannot connect to [^]*ECONNREFUSED/m);
}, ["python3"]);

test("drawing: a number tells connections apart that go on at the same time", async () => {
  await using server = await drawing(["echo"]);
  const { port } = server;
  using one = await systemTransport.connect({ host: "127.0.0.1", port });
  await one.write(bytes("one"));
  await server.program.stderr.until(/^#1 .*◀─ 3 B {2}one/m);
  using two = await systemTransport.connect({ host: "127.0.0.1", port });
  await two.write(bytes("two"));
  await server.program.stderr.until(/^#2 .*◀─ 3 B {2}two/m);
  await one.write(bytes("more"));
  await server.program.stderr.until(/^#1 .*◀─ 4 B {2}more/m);
});

test("drawing: with a relay there are three sides, and what it joins", async () => {
  await using target = await startServer(AT);
  await using relay = await drawing(["relay", "--to", `127.0.0.1:${target.port}`]);
  await say(relay.port, "hello");
  await relay.program.stderr.until(/hello[^]*hello[^]*hello[^]*hello/);
  const { stderr } = await relay.program.stop();
  const lines = normalized(stderr);
  for (
    const line of [
      "#1               client                relay (this side)                 target",
      "#1 and #2 are joined",
      "#1 T ├─ 5 B  hello ───────────────▶│                              │",
      "#2 T │                             ├─ 5 B  hello ────────────────▶│",
      "#2 T │                             │◀─ 5 B  hello ────────────────┤",
      "#1 T │◀─ 5 B  hello ───────────────┤                              │",
    ]
  ) assert.ok(lines.includes(line), `${line}\n${lines.join("\n")}`);
});

test("drawing: web and get show requests and responses with their fields, and how much content", async () => {
  await using site = await makeSite({ "a.txt": "some text" });
  await using server = await drawing(["web", site.root, "--auth", "me:secret"]);
  const args = ["get", "-v", "--user", "me:secret", `http://127.0.0.1:${server.port}/a.txt`];
  const got = await runClient(args, { terminal: "stderr", env: PLAIN });
  assert.equal(got.stdout.toString(), "some text");
  const { stderr: served } = await server.program.stop();
  for (const stderr of [served, got.stderr]) {
    const lines = stderr.split("\n").map((line) => line.slice(17));
    const at = (start: string) => {
      const index = lines.findIndex((line) => line.startsWith(start));
      assert.ok(index >= 0, `${start}\n${stderr}`);
      return index;
    };
    const order = [
      "├─ GET /a.txt HTTP/1.1 ─",
      "│ Host: 127.0.0.1:",
      "│◀─ HTTP/1.1 200 OK ─",
      "│ Content-Type: text/plain",
      "│◀─ 9 B of content ─",
    ].map(at);
    assert.deepEqual(order, [...order].sort((a, b) => a - b));
    assert.doesNotMatch(stderr, /some text/);
  }
  assert.match(served, /│ Authorization: Basic \*\*\* /);
});

test("drawing: a chat says whose each line is, by the names that they have", async () => {
  await using server = await drawing(["chat"]);
  const { stderr } = server.program;
  using anna = await systemTransport.connect({ host: "127.0.0.1", port: server.port });
  await stderr.until(/guest1 is here/);
  using bob = await systemTransport.connect({ host: "127.0.0.1", port: server.port });
  await stderr.until(/guest2 is here/);
  await anna.write(bytes("/nick anna\n"));
  await stderr.until(/guest1 is anna now/);
  await anna.write(bytes("good morning\n"));
  await stderr.until(/^#1 .*├─ 13 B {2}anna: good morning↵ ─+▶│$/m);
  await stderr.until(/^#2 .*│◀─ 19 B to guest2 {2}anna: good morning↵ ─+┤$/m);
  void bob;
});

test("drawing: a reset and a fault have words and colours of their own", async () => {
  const color = { NO_COLOR: undefined };
  await using server = await drawing(["echo", "--fault", "down: reset@4"], 80, color);
  // Deno closes where Node resets.
  await say(server.port, "a long message").catch(() => {});
  await server.program.stderr.until(/close|RST/);
  const { stderr } = await server.program.stop();
  assert.match(stderr, /\[35mfault: reset/);
  await using peer = await drawing(["echo"], 80, color);
  await using resetting = await python(`
s = socket.create_connection(("127.0.0.1", ${peer.port}))
s.sendall(b"hi"); s.recv(2)
reset(s)
sys.stdin.read()
`);
  void resetting;
  await peer.program.stderr.until(/\[1;31m─ RST ─+✗/);
}, ["python3"]);

test("drawing: without colours there is no escape sequence", async () => {
  await using server = await drawing(["echo"]);
  await say(server.port, "hi");
  const { stderr } = await server.program.stop();
  assert.ok(!stderr.includes("\x1b"), stderr);
});

test("drawing: whatever the peer sends, no control character of it gets to the terminal", async () => {
  await using server = await drawing(["echo"]);
  await say(server.port, "\x1b[2J\x07\u202e\u2028\x9b\r");
  await say(server.port, new Uint8Array(Array.from({ length: 256 }, (_, i) => i)));
  const { stderr } = await server.program.stop();
  assert.doesNotMatch(stderr.replaceAll("\n", ""), /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u);
  assert.match(stderr, /14 B {2}\\x1b\[2J/);
});

test("drawing: when the terminal is resized the sides are named anew, where they are then", async () => {
  await using server = await drawing(["echo"], 60);
  using conn = await systemTransport.connect({ host: "127.0.0.1", port: server.port });
  await conn.write(bytes("one"));
  const { stderr } = server.program;
  await stderr.until(/◀─ 3 B {2}one/);
  server.program.resize(100);
  await conn.write(bytes("two"));
  await stderr.until(/◀─ 3 B {2}two/);
  const lines = stderr.lines.filter((line) => /^#1/.test(line)).map((line) => line.length);
  assert.deepEqual(lines, [59, 59, 59, 59, 99, 99, 99]);
});

/**
 * Runs a command on a terminal of 60 columns, which get 90 once it has printed `sign`. A server outlives
 * its terminal: on Linux, the kernel ends this one with whoever runs it.
 */
function resizing(sign: string, command: readonly string[]): string[] {
  const program = `
import ctypes, fcntl, os, pty, signal, struct, sys, termios
PR_SET_PDEATHSIG = 1
pid, ours = pty.fork()
def width(n): fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 24, n, 0, 0))
if pid == 0:
    os.read(0, 1)
    if sys.platform == "linux": ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.execvp(sys.argv[2], sys.argv[2:])
width(60)
os.write(ours, b"\\n")
seen = b""
while True:
    try: data = os.read(ours, 65536)
    except OSError: break
    if not data: break
    if sys.argv[1].encode() in seen + data and sys.argv[1].encode() not in seen: width(90)
    seen += data
    os.write(1, data)
os.waitpid(pid, 0)
`;
  return [...PYTHON, "-c", program, sign, ...command];
}

test("drawing: on a real terminal a server follows its width", async () => {
  const server = [...programCommand("server"), "-v", ...AT, "--port", "0"];
  await using program = new Program(resizing("3 B  one", server), { env: { NO_COLOR: "1" } });
  const [, port] = await program.stdout.until(/tcp:\/\/127\.0\.0\.1:(\d+)/);
  using conn = await systemTransport.connect({ host: "127.0.0.1", port: Number(port) });
  await conn.write(bytes("one"));
  await program.stdout.until(/◀─ 3 B {2}one/);
  // Nobody can tell when the signal of it comes to the program.
  const isWide = () => program.stdout.lines.some((line) => line.trimEnd().length === 89);
  const buffer = new Uint8Array(10);
  for (let turn = 0; turn < 1000 && !isWide(); turn++) {
    await conn.write(bytes("two"));
    await conn.read(buffer);
  }
  await until(isWide, "a line of the new width");
  const first = program.stdout.lines.find((line) => line.includes("3 B  one"));
  assert.equal(first?.trimEnd().length, 59);
}, ["python3"]);
