// `server.ts replay` and `client.ts replay`: how they compare.

import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { readRecording } from "../../lib/recording/read.ts";
import {
  connectClient,
  folder,
  readText,
  recordingOf,
  say,
  startTarget,
  type TargetServer,
} from "../support/replay_helpers.ts";
import { PYTHON, runProgram } from "../support/peers.ts";
import { test } from "../support/runner.deno.ts";
import { assertFailed, runClient, runServer, startServer } from "../support/scripts.ts";

/** A request and its response, as frames with a length of one byte. */
const FRAMED = recordingOf([["client", "\x06id=1;a"], ["server", "\x02ok"]]);

test("cli replay: with --match frames, --ignore names what may differ in a frame", async () => {
  using dir = folder();
  const file = join(dir.path, "x.jsonl");
  writeFileSync(file, FRAMED);
  const player = (...args: string[]) =>
    startServer(["replay", file, "--host", "127.0.0.1", "--match", "frames", ...args]);
  await using lenient = await player("--frame", "u8", "--ignore", "id=\\d+");
  // In two pieces, and with a longer id.
  const answer = await connectClient(lenient.port, ["\x08id=", "123;a"]);
  assert.equal(answer, "\x02ok");
  assert.equal((await lenient.program.exit()).code, 0);
  await using strict = await player("--frame", "u8");
  await connectClient(strict.port, ["\x08id=123;a"]);
  const { code, stderr } = await strict.program.exit();
  assert.equal(code, 1);
  assert.match(stderr, /expected 69 64 3d 31 3b 61 +\|id=1;a\|\n +received 69 64 3d 31 32 33/);
});

test("cli replay: what --match frames needs is said in one line", async () => {
  const cases: [string[], RegExp][] = [
    [["--match", "frames"], /--match frames needs --frame FRAMING, such as --frame u32/],
    [["--frame", "u32"], /--frame goes with --match frames/],
    [["--frame-limit", "1K"], /--frame-limit needs --frame/],
    [["--match", "frames", "--frame", "u7"], /--frame takes lines, u8, u16/],
  ];
  for (const [args, message] of cases) {
    assertFailed(await runServer(["replay", "x", ...args]), 2, message);
    assertFailed(await runClient(["replay", "x", "--to", "localhost:1", ...args]), 2, message);
  }
});

test("cli replay: client.ts replay compares frames, too", async () => {
  using dir = folder();
  const file = join(dir.path, "x.jsonl");
  writeFileSync(file, FRAMED);
  const other = join(dir.path, "y.jsonl");
  writeFileSync(other, recordingOf([["client", "\x06id=1;a"], ["server", "\x02no"]]));
  await using server = await startServer(["replay", file, "--host", "127.0.0.1", "--times", "2"]);
  const play = (path: string) =>
    runClient(
      ["replay", path, "--to", `127.0.0.1:${server.port}`, "--match", "frames", "--frame", "u8"],
    );
  assert.equal((await play(file)).code, 0);
  const { code, stderr } = await play(other);
  assert.equal(code, 1);
  assert.match(stderr, /expected 6e 6f +\|no\|\n +received 6f 6b/);
});

test("cli replay: a recording without the messages that are compared is refused at the start", async () => {
  using dir = folder();
  const file = join(dir.path, "x.jsonl");
  writeFileSync(file, FRAMED);
  const run = await runServer(["replay", file, "--match", "http"]);
  assertFailed(run, 26, /Cannot replay connection 1 by its messages: .*match: "stream"/);
  writeFileSync(file, recordingOf());
  const none = /'.*x\.jsonl' has no connection that can be played/;
  assertFailed(await runServer(["replay", file]), 26, none);
  assertFailed(await runClient(["replay", file, "--to", "localhost:1"]), 26, none);
});

test("cli replay: a client that resets has not said what was recorded", async () => {
  using dir = folder();
  const file = join(dir.path, "x.jsonl");
  writeFileSync(file, MAIL);
  await using player = await startServer(["replay", file, "--host", "127.0.0.1"]);
  const client = `
import socket, struct
s = socket.create_connection(("127.0.0.1", ${player.port}))
s.recv(100)
s.sendall(b"HE")
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
s.close()
`;
  assert.equal((await runProgram([...PYTHON, "-c", client])).code, 0);
  const { code, stderr } = await player.program.exit();
  assert.equal(code, 1, stderr);
  assert.match(stderr, /1 connection broke off before the end of what was recorded/);
}, ["python3"]);

/** An SMTP server of a few words, whose banner and responses are as long as the recorded ones. */
function mailServer(): Promise<TargetServer> {
  return startTarget(async (conn) => {
    await say(conn, "220 real1\r\n");
    for (let text; (text = await readText(conn)) !== "";) await say(conn, answerTo(text));
  });
}

function answerTo(text: string): string {
  return text.startsWith("HELO") ? "250 hello\r\n" : `250 ok ${text}`;
}

const MAIL = recordingOf([
  ["server", "220 ready\r\n"],
  ["client", "HELO me\r\n"],
  ["server", "250 hello\r\n"],
  ["client", "NOOP\r\n"],
  ["server", "250 recorded\r\n"],
]);

/** Converses line by line with what listens at a port; each command waits for the response. */
async function converse(port: number, ...commands: string[]): Promise<string[]> {
  using conn = await systemTransport.connect({ host: "127.0.0.1", port });
  const responses = [await readText(conn)];
  for (const command of commands) {
    await say(conn, `${command}\r\n`);
    responses.push(await readText(conn));
  }
  return responses;
}

test("cli replay --on-miss pass: from the first difference on, a client talks to the target", async () => {
  using dir = folder();
  const file = join(dir.path, "x.jsonl");
  writeFileSync(file, MAIL);
  await using target = await mailServer();
  await using player = await startServer(
    ["replay", file, "--host", "127.0.0.1", "--on-miss", "pass", "--to", target.address],
  );
  const responses = await converse(player.port, "HELO me", "RSET", "QUIT");
  assert.deepEqual(responses, [
    "220 ready\r\n",
    "250 hello\r\n",
    "250 ok RSET\r\n",
    "250 ok QUIT\r\n",
  ]);
  // The target has got the beginning, too.
  assert.deepEqual(target.said, ["HELO me\r\n", "RSET\r\n", "QUIT\r\n"]);
  await player.program.stderr.until(/goes on with 127\.0\.0\.1:\d+: it differs .* in event 5/);
  // What was not played to its end is there for the next client, and then nothing is left.
  assert.deepEqual(await converse(player.port, "HELO me", "NOOP"), [
    "220 ready\r\n",
    "250 hello\r\n",
    "250 recorded\r\n",
  ]);
  assert.deepEqual(await converse(player.port, "HELO me"), ["220 real1\r\n", "250 hello\r\n"]);
  const { code, stderr } = await player.program.stop();
  assert.equal(code, 0, stderr);
  assert.match(stderr, /goes on with .*: no recorded connection is left/);
  assert.equal(readFileSync(file, "utf8"), MAIL);
});

test("cli replay --on-miss record: what was passed on is played the next time", async () => {
  using dir = folder();
  const file = join(dir.path, "x.jsonl");
  // The last line has broken off, as after a crash.
  writeFileSync(file, `${MAIL}{"time":9`, { mode: 0o640 });
  await using target = await mailServer();
  const start = () =>
    startServer(
      ["replay", file, "--host", "127.0.0.1", "--on-miss", "record", "--to", target.address],
    );
  const commands = ["HELO me", "RSET"];
  const wanted = ["220 ready\r\n", "250 hello\r\n", "250 ok RSET\r\n"];
  {
    await using player = await start();
    assert.deepEqual(await converse(player.port, ...commands), wanted);
    await player.program.stderr.until(/added a connection to '.*x\.jsonl'/);
  }
  const text = readFileSync(file, "utf8");
  assert.ok(text.startsWith(MAIL));
  assert.equal(statSync(file).mode & 0o777, 0o640);
  assert.deepEqual(readdirSync(dir.path), ["x.jsonl"]);
  const { events, warning } = await readRecording(text);
  assert.equal(warning, undefined);
  assert.equal(events.filter(({ type }) => type === "accept").length, 2);
  const before = target.said.length;
  await using player = await start();
  assert.deepEqual(await converse(player.port, ...commands), wanted);
  assert.equal(target.said.length, before);
  assert.equal(readFileSync(file, "utf8"), text);
});

test("cli replay --on-miss pass: of HTTP, only the request that was not recorded goes to the target", async () => {
  using dir = folder();
  const file = join(dir.path, "x.jsonl");
  const request = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
  const response = (body: string) =>
    `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  writeFileSync(file, recordingOf([["client", request("/a")], ["server", response("old")]]));
  await using target = await startTarget(async (conn) => {
    for (let text; (text = await readText(conn)) !== "";) {
      await say(conn, response(text.slice(4, 6)));
    }
  });
  await using player = await startServer(
    ["replay", file, "--host", "127.0.0.1", "--match", "http", "--on-miss", "pass"]
      .concat("--to", target.address),
  );
  const answer = await connectClient(player.port, [request("/a") + request("/b")]);
  assert.equal(answer, response("old") + response("/b"));
  assert.deepEqual(target.said, [request("/b")]);
});

test("cli replay --on-miss pass: a target that says less than the recorded server is an error", async () => {
  using dir = folder();
  const file = join(dir.path, "x.jsonl");
  writeFileSync(file, MAIL);
  await using target = await startTarget((conn) => say(conn, "220\r\n"));
  await using player = await startServer(
    ["replay", file, "--host", "127.0.0.1", "--on-miss", "pass", "--to", target.address],
  );
  assert.deepEqual(await converse(player.port, "RSET"), ["220 ready\r\n", ""]);
  await player.program.stderr.until(/it has sent fewer bytes than the recorded server \(EPROTO\)/);
});

test("cli replay: what --on-miss needs is said in one line", async () => {
  const cases: [string[], RegExp][] = [
    [["--on-miss", "pass"], /--on-miss pass needs a target: --to HOST:PORT/],
    [["--to", "localhost:1"], /--to goes with --on-miss pass or --on-miss record/],
    [["--servername", "a"], /--servername needs --to/],
    [["--on-miss", "skip"], /--on-miss takes fail or pass or record, not 'skip'/],
  ];
  for (const [args, message] of cases) {
    assertFailed(await runServer(["replay", "x", ...args]), 2, message);
  }
  const record = ["replay", "-", "--on-miss", "record", "--to", "localhost:1"];
  assertFailed(await runServer(record), 2, /--on-miss record needs a FILE to add to, not '-'/);
  const client = ["replay", "x", "--to", "localhost:1", "--on-miss", "pass"];
  assertFailed(
    await runClient(client),
    2,
    /Unknown option --on-miss: it is for 'server.ts replay'/,
  );
});

test(
  "cli replay --on-miss record: curl gets from the recording what it has asked for once",
  async () => {
    using dir = folder();
    const file = join(dir.path, "x.jsonl");
    // Nothing is recorded yet.
    writeFileSync(file, recordingOf());
    for (const name of ["a", "b"]) writeFileSync(join(dir.path, name), `content of ${name}`);
    await using web = await startServer(["web", dir.path, "--host", "127.0.0.1"]);
    const args = ["replay", file, "--host", "127.0.0.1", "--match", "http", "--on-miss", "record"];
    const start = () => startServer([...args, "--to", `127.0.0.1:${web.port}`]);
    const curl = async (port: number, name: string) => {
      // The port is another one each time.
      const url = `http://127.0.0.1:${port}/${name}`;
      const run = await runProgram([
        "curl",
        "-sS",
        "-H",
        "Host: localhost",
        "-H",
        "Connection: close",
        url,
      ]);
      assert.equal(run.code, 0, run.stderr);
      return run.stdout.toString();
    };
    {
      await using player = await start();
      for (const name of ["a", "b"]) {
        assert.equal(
          await curl(player.port, name),
          `content of ${name}`,
        );
      }
      await player.program.stderr.until(/(added a connection [^]*){2}/);
    }
    for (const name of ["a", "b"]) writeFileSync(join(dir.path, name), "changed");
    await using player = await start();
    // In another order, too.
    for (const name of ["b", "a"]) {
      assert.equal(
        await curl(player.port, name),
        `content of ${name}`,
      );
    }
    assert.equal(await curl(player.port, "a"), "changed");
  },
  ["curl"],
);
