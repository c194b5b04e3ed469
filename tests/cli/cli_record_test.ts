// --record, --fault, `recording` and `replay`: the instrument on the command line.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { execFileSync } from "node:child_process";
import {
  closeSync,
  constants,
  openSync,
  readFileSync,
  readSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Writable } from "node:stream";
import { openRecording } from "../../lib/cli/options/recording_output.ts";
import { readRecording } from "../../lib/recording/read.ts";
import { systemTransport } from "../../mod.ts";
import { bytes, readText, until } from "../support/helpers.ts";
import { InProcess } from "../support/in_process.ts";
import { accepted, type Line, recordingText } from "../support/recordings.ts";
import { folder } from "../support/replay_helpers.ts";
import {
  assertFailed,
  runClient,
  runServer,
  startClient,
  startServer,
} from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";
import { TestClock } from "../support/test_clock.ts";

/** Starts an echo server, and a relay to it with these arguments. */
async function startRelay(...args: string[]) {
  const target = await startServer(["--host", "127.0.0.1"]);
  const to = `127.0.0.1:${target.port}`;
  const relay = await startServer(["relay", "--to", to, "--host", "127.0.0.1", ...args]);
  return {
    relay,
    port: relay.port,
    async [Symbol.asyncDispose]() {
      await relay[Symbol.asyncDispose]();
      await target[Symbol.asyncDispose]();
    },
  };
}

const echo = (port: number | string, message: string) =>
  runClient(["echo", message, "--host", "127.0.0.1", "--port", String(port)]);

/** Records an echo of `hello` through a relay. */
async function recordEcho(file: string, ...args: string[]): Promise<void> {
  await using started = await startRelay("--record", file, ...args);
  assert.equal((await echo(started.port, "hello")).code, 0);
}

test("cli record: a relay records both sides, and says which belong together", async () => {
  using dir = folder();
  const file = join(dir.path, "x.jsonl");
  // Whatever was there before, only its owner can read it then.
  writeFileSync(file, "old", { mode: 0o644 });
  await recordEcho(file);
  const { head, events, warning } = await readRecording(readFileSync(file, "utf8"));
  assert.equal(warning, undefined);
  assert.equal(head.arguments[0], "relay");
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(events.filter(({ type }) => type === "link").length, 1);
  const summary = await runClient(["recording", file]);
  assert.equal(summary.code, 0);
  assert.match(summary.stdout.toString(), /of 2 connections/);
  assert.match(summary.stdout.toString(), /5 B up, 5 B down/);
  assert.match(summary.stdout.toString(), /joined to #2/);
  const alone = await runClient(["recording", file, "--conn", "1"]);
  assert.doesNotMatch(alone.stdout.toString(), /joined/);
});

test("cli record: one connection alone has the number that it has among all", async () => {
  using dir = folder();
  const file = join(dir.path, "x.jsonl");
  await recordEcho(file);
  const marks = {
    summary: /^#2 /m,
    text: /^#2 /,
    mermaid: /Connection 2$/m,
    svg: /connection 2\b/,
  };
  for (const [format, mark] of Object.entries(marks)) {
    const { stdout } = await runClient(["recording", file, "--to", format, "--conn", "2"]);
    assert.match(stdout.toString(), mark, format);
    assert.doesNotMatch(stdout.toString(), /[#]1 |onnection 1\b/, format);
  }
});

test("cli record: each format is made of it, of one connection too, and into a file", async () => {
  using dir = folder();
  const file = join(dir.path, "x.jsonl");
  await recordEcho(file);
  const starts = {
    text: /^#1 +client +server\n +127\.0\.0\.1:\d+ /,
    mermaid: /^sequenceDiagram/,
    svg: /^<svg /,
    pcapng: /^\n\r\r\n/,
    har: /^\{\s+"log": \{\s+"version": "1\.2"/,
  };
  for (const [format, start] of Object.entries(starts)) {
    const { code, stdout } = await runClient(["recording", file, "--to", format, "--conn", "1"]);
    assert.equal(code, 0, format);
    assert.match(stdout.toString("latin1"), start);
    const output = join(dir.path, format);
    assert.equal(
      (await runClient(["recording", file, "--to", format, "--conn", "1", "-o", output])).code,
      0,
    );
    assert.deepEqual(readFileSync(output), stdout);
  }
});

test("cli record: with - the recording is on stdout, and the URL on stderr", async () => {
  using dir = folder();
  const file = join(dir.path, "x.jsonl");
  await recordEcho(file);
  const args = ["replay", file, "--host", "127.0.0.1", "--port", "0", "--record", "-"];
  await using server = new InProcess("server", args);
  const [, port] = await server.stderr.until(/tcp:\/\/127\.0\.0\.1:(\d+)/);
  assert.equal((await echo(port, "hello")).code, 0);
  const { code, stdout } = await server.exit();
  assert.equal(code, 0);
  const { events } = await readRecording(stdout.toString());
  assert.ok(events.some(({ type }) => type === "accept"));
});

test("cli record: passwords on the command line are not in the recording", async () => {
  using dir = folder();
  const file = join(dir.path, "x.jsonl");
  const args = ["web", dir.path, "--host", "127.0.0.1", "--auth", "me:secret", "--record", file];
  await using web = await startServer(args);
  await runClient(["get", `http://127.0.0.1:${web.port}/`, "-u", "me:secret"]);
  await web[Symbol.asyncDispose]();
  const text = readFileSync(file, "utf8");
  assert.match(text, /Authorization: Basic \*\*\*/i);
  assert.doesNotMatch(text, /me:secret|bWU6c2VjcmV0/);
});

test("cli record: passwords are not in the recording, however they are written", async () => {
  using dir = folder();
  const file = join(dir.path, "x.jsonl");
  await using web = await startServer(["web", dir.path, "--host", "127.0.0.1"]);
  const url = `127.0.0.1:${web.port}/`;
  const spellings: [args: string[], shown: string[]][] = [
    [["-ume:secret"], ["-u***"]],
    [["-u", "me:secret"], ["-u", "***"]],
    [["-qu", "me:secret"], ["-qu", "***"]],
    [["-qume:secret"], ["-qu***"]],
    [["--user=me:secret"], ["--user=***"]],
    [["--user", "me:secret"], ["--user", "***"]],
    [["-HX-Key: secret"], ["-H***"]],
    [["--header", "X-Key: secret"], ["--header", "***"]],
    [["-dsecret"], ["-d***"]],
    [["--data-binary", "secret"], ["--data-binary", "***"]],
    [["--data-binary=secret"], ["--data-binary=***"]],
    [[`http://me:secret@${url}`], [`http://***@${url}`]],
    [[`http://me:sec@secret@${url}`], [`http://***@${url}`]],
  ];
  for (const [args, shown] of spellings) {
    const rest = args[0].startsWith("-") ? [`http://${url}`] : [];
    await runClient(["get", "-o", "-", "--record", file, ...args, ...rest]);
    const { head } = await readRecording(readFileSync(file, "utf8"));
    assert.deepEqual(head.arguments, ["get", "-o", "-", "--record", file, ...shown, ...rest]);
  }
  await runClient(["get", "-ume:secret", "--record", file, "--redact", "none", `http://${url}`]);
  assert.match(readFileSync(file, "utf8"), /"-ume:secret"/);
});

test("cli record: a file that cannot be written is one clear line, before anything starts", async () => {
  assertFailed(
    await runServer(["--port", "0", "--record", "/nowhere/x.jsonl"]),
    23,
    /Cannot write the recording '\/nowhere\/x\.jsonl': its folder does not exist \(ENOENT\)/,
  );
});

test("cli record: when the disk is full the recording ends, and the service goes on", async () => {
  await using started = await startRelay("--record", "/dev/full");
  assert.equal((await echo(started.port, "hello")).code, 0);
  const [line] = await started.relay.program.stderr.until(/Cannot write the recording.*\n/);
  assert.match(
    line,
    /'\/dev\/full': there is no space left on the device \(ENOSPC\)\. It ends here\./,
  );
  assert.equal((await echo(started.port, "again")).code, 0);
  // A script that goes on with the recording learns that it is not whole.
  assert.equal((await started.relay.program.stop()).code, 23);
});

test("cli record: a pipe without a reader is an error, and a reader that is slow holds up nothing", async () => {
  using dir = folder();
  const pipe = join(dir.path, "pipe");
  execFileSync("mkfifo", [pipe]);
  const args = ["--host", "127.0.0.1", "--port", "0", "--record", pipe];
  assertFailed(await runServer(args), 23, /recording '.*': it is a socket, or a pipe that nobody/);
  const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  const message = "x".repeat(200_000);
  try {
    // More than a pipe takes.
    for (const isRead of [true, false]) {
      await using server = await startServer(args);
      assert.equal((await echo(server.port, message)).code, 0);
      let text = "";
      const ended = () => (text += readPipe(reader)).includes('"type":"close"');
      if (isRead) await until(ended, "the end of the connection in the recording");
      const { code, stderr } = await server.program.stop();
      assert.equal(code, isRead ? 0 : 23, stderr);
      if (!isRead) assert.match(stderr, /lacks \d+ events?: '.*' was not read fast enough/);
      else assert.ok((await readRecording(text + readPipe(reader))).events.length > 4);
    }
  } finally {
    closeSync(reader);
  }
});

/** What is in a pipe. */
function readPipe(fd: number): string {
  const buffer = Buffer.alloc(1024 * 1024);
  try {
    return buffer.toString("utf8", 0, readSync(fd, buffer));
  } catch (error) {
    if ((error as { code?: string }).code === "EAGAIN") return "";
    throw error;
  }
}

test("cli record: when stdout is not read fast enough, the end says how much is not there", async () => {
  const stdout = new Writable({ write: () => {} });
  const errors: string[] = [];
  const log = { error: (message: string) => errors.push(message) };
  type Options = Parameters<typeof openRecording>;
  const { sink, close } = openRecording(
    {
      file: "-",
      format: "jsonl",
      limits: { connection: 0, total: 0 },
      redaction: "none",
    } as Options[0],
    [],
    undefined,
    { io: { stdout }, log } as unknown as Options[3],
  );
  for (const size of [17 * 2 ** 20, 1, 1, 1]) {
    sink({ time: 0, type: "send", socket: 1, data: new Uint8Array(size).fill(65) });
  }
  assert.equal(await close(), false);
  assert.deepEqual(errors, [
    "The recording lacks 3 events: stdout was not read fast enough. Name a file.",
  ]);
});

test("cli record: what does not go together is said", async () => {
  const cases: [("server" | "client"), string[], RegExp][] = [
    [
      "server",
      ["--workers", "2", "--record", "x"],
      /--record and --watch cannot be used with --workers, since each.*put 'server\.ts relay/,
    ],
    ["server", ["--redact", "none"], /--redact.*--record/],
    ["server", ["--record", ""], /--record takes a path, not ''/],
    ["server", ["--seed", "1"], /--seed.*--fault/],
    ["client", ["get", "http://localhost/", "--record", "-"], /--record - is for servers/],
    ["server", ["--record-limit", "x", "--record", "y"], /--record-limit takes BYTES/],
    ["server", ["--fault", "reset"], /Option --fault: .*column 6: expected 'reset@'/],
    [
      "server",
      ["--fault", "down: reset@1", "--fault", "conn=2: refuse; down: close@9"],
      /column 23: 'close' contradicts 'reset' for the same connections in rule 1/,
    ],
    ["server", ["--fault", ""], /Option --fault has no rule in it; write one/],
    ["server", ["--fault", `up: delay=${"x".repeat(1e5)}`], /column 11: expected.*, not 'x+…\./],
    ["server", ["--fault", "# a comment; "], /Option --fault has no rule in it/],
    ["server", ["--fault", "down: split=1; loss=5%"], /'loss' is for datagrams.*without --udp/],
    ["client", ["--fault", "up: reorder=5%"], /'reorder' is for datagrams.*without --udp/],
    ["server", ["--fault", "@/nowhere"], /Option --fault cannot read '\/nowhere'/],
    ["server", ["--fault", "@/dev/zero"], /--fault cannot read.*: it has more than 16\.0 MiB/],
    ["server", ["--record", "x.pcapng"], /--record x\.pcapng needs --record-format pcapng; /],
    ["client", ["recording"], /recording needs a FILE/],
    ["client", ["recording", "x", "-o", "a/y.svg"], /-o a\/y\.svg needs --to svg, not summary/],
    ["client", ["recording", "x", "--to", "svg", "-o", "y.HAR"], /-o y\.HAR needs --to har, not/],
    ["server", ["replay"], /replay needs a FILE/],
    [
      "server",
      ["replay", "x", "--ignore", "a"],
      /--ignore goes with --match lines, frames or http/,
    ],
    ["server", ["replay", "x", "--ignore-field", "a"], /--ignore-field goes with --match http/],
  ];
  for (const [program, args, message] of cases) {
    const run = program === "server" ? runServer : runClient;
    assertFailed(await run(args), 2, message);
  }
});

test("cli recording: nothing that a peer has sent steers a terminal, in any format of text", async () => {
  using dir = folder();
  const file = join(dir.path, "x.jsonl");
  const evil = "\x1b[2J\x9b31m\u202eabc\u2028\u2066\ufeff\x7f\x00";
  const [client, server] = ["client", "server"].map((name) => ({
    transport: "tcp",
    host: `${name}${evil}`,
    port: 80,
  }));
  const error = { code: "EPROTO", op: "read", message: evil };
  const said = `HTTP/1.1 200 OK\r\nX: \u202e\x9b31m\r\n\r\n${evil}`;
  writeFileSync(
    file,
    recordingText([
      { type: "accept", socket: 2, listener: 1, localAddr: server, remoteAddr: client },
      { type: "handshake", socket: 2, protocol: evil },
      { type: "recv", socket: 2, text: "GET / HTTP/1.0\r\nHost: a\r\n\r\n" },
      { type: "send", socket: 2, text: said },
      { type: "fault", socket: 2, fault: evil, detail: evil },
      { type: "error", socket: 2, op: "read", error },
    ]),
  );
  for (const format of ["summary", "text", "mermaid", "svg", "har"]) {
    const { code, stdout } = await runClient(["recording", file, "--to", format]);
    assert.equal(code, 0, format);
    // Mermaid makes characters of their numbers again.
    const text = stdout.toString()
      .replace(/#(\d+);/g, (_, number) => String.fromCodePoint(Number(number)));
    assert.doesNotMatch(text.replaceAll("\n", ""), /[\p{Cc}\p{Bidi_Control}\u2028\ufeff]/u, format);
    assert.match(text, /202e/, format);
  }
});

test("cli recording: what is too large to draw is one clear line, which says what to do", async () => {
  using dir = folder();
  const file = join(dir.path, "x.jsonl");
  writeFileSync(
    file,
    recordingText(Array.from({ length: 5001 }, (_, i) => accepted([], i)).flat()),
  );
  for (const format of ["svg", "mermaid"]) {
    const message = new RegExp(`Cannot make ${format} of.* 10000 steps.*Choose one.*--conn N`);
    assertFailed(await runClient(["recording", file, "--to", format]), 26, message);
    assert.equal((await runClient(["recording", file, "--to", format, "--conn", "1"])).code, 0);
  }
});

test("cli recording: what is not a recording is one clear line", async () => {
  using dir = folder();
  const file = join(dir.path, "x");
  writeFileSync(file, "hello\n");
  assertFailed(await runClient(["recording", file]), 26, /line 1: it is not the first line of a/);
  assertFailed(
    await runClient(["recording", "/nowhere"]),
    26,
    /'\/nowhere': there is no such file/,
  );
});

test("cli recording, replay: what is read is never written over, through a link neither", async () => {
  using dir = folder();
  const [file, link] = [join(dir.path, "x.jsonl"), join(dir.path, "link.jsonl")];
  await recordEcho(file);
  symlinkSync(file, link);
  const plan = join(dir.path, "plan");
  writeFileSync(plan, "conn=1: refuse");
  const before = readFileSync(file, "utf8");
  for (const output of [file, link]) {
    for (
      const [program, args, message] of [
        ["client", ["recording", file, "--to", "har", "-o", output], /-o names the recording/],
        ["client", ["replay", file, "--to", "localhost:1", "--record", output], /--record names/],
        ["server", ["replay", file, "--port", "0", "--record", output], /--record names/],
        ["server", ["--fault", `@${plan}`, `--record=${plan}`], /--record names.*names, too: name/],
      ] as const
    ) {
      const run = program === "server" ? runServer : runClient;
      assertFailed(await run([...args]), 2, message);
      assert.equal(readFileSync(file, "utf8"), before);
      assert.equal(readFileSync(plan, "utf8"), "conn=1: refuse");
    }
  }
});

test("cli replay: a server is played to a client, and a client to a server", async () => {
  using dir = folder();
  const file = join(dir.path, "x.jsonl");
  await recordEcho(file);
  await using player = await startServer(["replay", file, "--host", "127.0.0.1", "--times", "2"]);
  for (let i = 0; i < 2; i++) assert.equal((await echo(player.port, "hello")).code, 0);
  assert.equal((await player.program.exit()).code, 0);
  await using server = await startServer(["--host", "127.0.0.1"]);
  const { code, stderr } = await runClient(["replay", file, "--to", `127.0.0.1:${server.port}`]);
  assert.equal(code, 0, stderr);
});

test("cli replay: what cannot be played says why", async () => {
  using dir = folder();
  const file = join(dir.path, "x.jsonl");
  const addr = { transport: "udp", host: "127.0.0.1", port: 7 };
  const error = { code: "ECONNREFUSED", op: "connect", message: "refused" };
  const refused: Line[] = [
    { type: "connect", socket: 1, endpoint: { host: "127.0.0.1", port: 7 } },
    { type: "error", socket: 1, op: "connect", error },
  ];
  const recordings: [Line[], RegExp][] = [
    [[], /no connection that can be played: nobody had connected when it was recorded\.$/m],
    [[{ type: "bind", socket: 1, addr }], /it has datagrams only, and what is played is TCP and/],
    [refused, /no attempt to connect had succeeded/],
  ];
  for (const [lines, message] of recordings) {
    writeFileSync(file, recordingText(lines));
    assertFailed(await runServer(["replay", file, "--port", "0"]), 26, message);
    assertFailed(await runClient(["replay", file, "--to", "127.0.0.1:1"]), 26, message);
  }
  writeFileSync(file, recordingText(Array.from({ length: 11 }, (_, i) => accepted([], i)).flat()));
  const often = ["replay", file, "--to", "127.0.0.1:1", "--times", "1000000"];
  assertFailed(await runClient(often), 2, /would play 11000000 connections: at most 10000000/);
});

test("cli replay: the first difference ends it with 1, and both sides are shown", async () => {
  using dir = folder();
  const file = join(dir.path, "x.jsonl");
  await recordEcho(file);
  await using player = await startServer(["replay", file, "--host", "127.0.0.1"]);
  assert.notEqual((await echo(player.port, "help!")).code, 0);
  const { code, stderr } = await player.program.exit();
  assert.equal(code, 1);
  assert.match(stderr, /differs from the recording in event \d+, after 3 bytes:/);
  assert.match(stderr, /expected 6c 6f +\|lo\|\n +received 70 21 +\|p!\|/);
});

test("cli fault: connections break as the plan says, and the recording has it", async () => {
  using dir = folder();
  const file = join(dir.path, "x.jsonl");
  await using started = await startRelay(
    "--record",
    file,
    "--fault",
    "conn=2: down: close@2",
    "--seed",
    "7",
  );
  await started.relay.program.stderr.until(/breaking connections with --seed 7/);
  assert.equal((await echo(started.port, "hello")).code, 0);
  const broken = await echo(started.port, "hello");
  assert.deepEqual([broken.code, broken.stdout.toString()], [18, "he"]);
  await started.relay[Symbol.asyncDispose]();
  const { head, events } = await readRecording(readFileSync(file, "utf8"));
  assert.equal(head.seed, 7);
  const faults = events.flatMap((event) => event.type === "fault" ? [event.detail] : []);
  assert.deepEqual(faults, ["after 2 bytes"]);
});

test("cli fault: a plan may have more rules than a call has arguments", async () => {
  using dir = folder();
  const plan = join(dir.path, "plan");
  writeFileSync(
    plan,
    Array.from({ length: 150_000 }, (_, i) => `conn=${i + 1}: refuse`).join("\n"),
  );
  // The plan is read, and what is wrong comes after it.
  const args = ["--fault", `@${plan}`, "--record", "/nowhere/x.jsonl"];
  assertFailed(await runServer(args), 23, /Cannot write the recording/);
});

test("cli fault: SIGHUP reads the plan again; one that is not right changes nothing", async () => {
  using dir = folder();
  const plan = join(dir.path, "plan");
  writeFileSync(plan, "# nothing yet\n");
  await using started = await startRelay("--fault", `@${plan}`);
  assert.equal((await echo(started.port, "hello")).code, 0);
  writeFileSync(plan, "down: close@2\n");
  started.relay.program.kill("SIGHUP");
  await started.relay.program.stderr.until(/read the fault plan again: 1 rule/);
  assert.equal((await echo(started.port, "hello")).code, 18);
  writeFileSync(plan, "down: close@x\n");
  started.relay.program.kill("SIGHUP");
  await started.relay.program.stderr.until(
    /line 1, column 13: expected bytes.*The faults stay as they were/,
  );
  assert.equal((await echo(started.port, "hello")).code, 18);
});

test("cli replay: a client that falls silent in the middle has not said what was recorded", async () => {
  using dir = folder();
  const file = join(dir.path, "x.jsonl");
  const clock = new TestClock();
  writeFileSync(file, recordingText(accepted([["client", "hello"], ["server", "welcome"]])));
  const args = ["replay", file, "--host", "127.0.0.1", "--idle-timeout", "60"];
  await using server = await startServer(args, { clock });
  using conn = await systemTransport.connect({ host: "127.0.0.1", port: Number(server.port) });
  await conn.write(bytes("hello"));
  assert.equal(await readText(conn, 7), "welcome");
  // It was to end the stream.
  for (let i = 0; i < 4; i++) await clock.advance(20_000);
  const { code, stderr } = await server.program.exit();
  assert.equal(code, 1, stderr);
  assert.match(
    stderr,
    /nothing moved for 60 s.*\n1 connection broke off before the end of what was recorded\n$/,
  );
});

test("cli replay: a server that falls silent ends the client that is played with 28", async () => {
  using dir = folder();
  const file = join(dir.path, "x.jsonl");
  const clock = new TestClock();
  writeFileSync(file, recordingText(accepted([["client", "hello"], ["server", "welcome"]])));
  using listener = await systemTransport.listen({ host: "127.0.0.1" });
  const to = `127.0.0.1:${listener.addr.port}`;
  const client = startClient(["replay", file, "--to", to, "--idle-timeout", "60"], { clock });
  using conn = await listener.accept();
  assert.equal(await readText(conn, 5), "hello");
  for (let i = 0; i < 4; i++) await clock.advance(20_000);
  const { code, stderr } = await client.exit();
  assert.equal(code, 28, stderr);
  assert.match(stderr, /nothing moved for 60 s \(ETIMEDOUT\)/);
});

test("cli replay: HTTP is compared by fields and bodies, and some fields may differ", async () => {
  using dir = folder();
  writeFileSync(join(dir.path, "a.txt"), "hello");
  const file = join(dir.path, "x.jsonl");
  await using web = await startServer(["web", dir.path, "--host", "127.0.0.1"]);
  await using relay = await startServer(
    ["relay", "--to", `127.0.0.1:${web.port}`, "--host", "127.0.0.1", "--record", file],
  );
  const get = (port: number, ...args: string[]) =>
    runClient(["get", `http://127.0.0.1:${port}/a.txt`, "-H", "Host: localhost", ...args]);
  assert.equal((await get(relay.port, "-H", "X-Trace: 1")).stdout.toString(), "hello");
  await relay[Symbol.asyncDispose]();
  const player = (...args: string[]) =>
    startServer(["replay", file, "--host", "127.0.0.1", "--match", "http", ...args]);
  await using lenient = await player("--ignore-field", "x-trace,date");
  assert.equal((await get(lenient.port, "-H", "X-Trace: 2")).stdout.toString(), "hello");
  assert.equal((await lenient.program.exit()).code, 0);
  await using strict = await player();
  await get(strict.port, "-H", "X-Trace: 2");
  const { code, stderr } = await strict.program.exit();
  assert.equal(code, 1);
  assert.doesNotMatch(stderr, /This is HTTP/);
});

test("cli replay: where HTTP is compared byte by byte, a difference says what to try", async () => {
  using dir = folder();
  const file = join(dir.path, "x.jsonl");
  const cases = [["GET / HTTP/1.1\r\nHost: a\r\n\r\n", true], ["hello", false]] as const;
  for (const [said, isHttp] of cases) {
    writeFileSync(file, recordingText(accepted([["client", said]])));
    await using server = await startServer(["replay", file, "--host", "127.0.0.1"]);
    assert.equal((await echo(server.port, "something else")).code === 0, false);
    const { code, stderr } = await server.program.exit();
    assert.equal(code, 1);
    assert.equal(/This is HTTP: with --match http dates, /.test(stderr), isHttp, stderr);
  }
});
