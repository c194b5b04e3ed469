// client.ts connect --frame.

import assert from "node:assert/strict";
import { encodeFrame, lengthPrefix } from "../../lib/frames/mod.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import type { Conn } from "../../lib/net/transport.ts";
import { binary, text } from "../support/frame_helpers.ts";
import { readAll } from "../support/helpers.ts";
import { type Exit, python } from "../support/peers.ts";
import { assertFailed, runClient, startClient, startServer } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";

interface Conversation {
  readonly exit: Exit;
  /** What the client sent. */
  readonly sent: string;
}

/** Runs the client against a server that reads all, says `answer` and closes. */
async function converse(
  args: readonly string[],
  stdin: string,
  answer = "",
): Promise<Conversation> {
  using listener = await systemTransport.listen({ host: "127.0.0.1" });
  const served = (async (): Promise<string> => {
    using conn: Conn = await listener.accept();
    const sent = text(await readAll(conn));
    await conn.write(binary(answer));
    return sent;
  })();
  const where = `127.0.0.1:${listener.addr.port}`;
  const exit = await runClient(["connect", ...args, where], { stdin: binary(stdin) });
  return { exit, sent: await served };
}

function frame(payload: string): string {
  return text(encodeFrame(lengthPrefix("u16"), binary(payload)));
}

test("connect --frame: each line is sent as a frame, with every framing", async () => {
  const stdin = "one\r\ntwo\nsix";
  const expected = {
    lines: "one\ntwo\nsix\n",
    u8: "\x03one\x03two\x03six",
    u16: "\0\x03one\0\x03two\0\x03six",
    u16le: "\x03\0one\x03\0two\x03\0six",
    u32: "\0\0\0\x03one\0\0\0\x03two\0\0\0\x03six",
    u32le: "\x03\0\0\0one\x03\0\0\0two\x03\0\0\0six",
    varint: "\x03one\x03two\x03six",
    "fixed:3": "onetwosix",
    "delimiter:|": "one|two|six|",
    "delimiter:\\r\\n": "one\r\ntwo\r\nsix\r\n",
    "delimiter:\\x00\\\\": "one\0\\two\0\\six\0\\",
    "delimiter:ü": "one\xc3\xbctwo\xc3\xbcsix\xc3\xbc",
  };
  await Promise.all(
    Object.entries(expected).map(async ([framing, wire]) => {
      const { exit, sent } = await converse(["--frame", framing], stdin, wire);
      assert.equal(exit.code, 0, exit.stderr);
      assert.equal(sent, wire, framing);
      assert.equal(exit.stdout.toString(), "one\ntwo\nsix\n", framing);
    }),
  );
});

test("connect --frame: talks to a server in Python that uses struct", async () => {
  await using peer = await python(`
import json
s, _ = l.accept()
f = s.makefile("rwb")
while head := f.read(4):
    message = json.loads(f.read(struct.unpack(">I", head)[0]))
    reply = json.dumps({"sum": sum(message["add"])}).encode()
    f.write(struct.pack(">I", len(reply)) + reply)
    f.flush()
`);
  const exit = await runClient(["connect", "--frame", "u32", `127.0.0.1:${peer.endpoint.port}`], {
    stdin: '{"add": [1, 2]}\n{"add": [3, 4]}\n',
  });
  assert.equal(exit.stdout.toString(), '{"sum": 3}\n{"sum": 7}\n');
  assert.equal(exit.code, 0, exit.stderr);
}, ["python3"]);

test("connect --frame: text is printed as it is, and what is none on one line, with escapes", async () => {
  const payloads = ['{"a": "\\n"}', "grün\ttab", "", "two\nlines\\", "\x1b[31m", "\0\xff"];
  const answer = payloads.map((payload) => frame(text(new TextEncoder().encode(payload))));
  answer[5] = frame("\0\xff");
  const { exit } = await converse(["--frame", "u16"], "", answer.join(""));
  assert.deepEqual(exit.stdout.toString().split("\n"), [
    '{"a": "\\n"}',
    "grün\ttab",
    "",
    "two\\nlines\\\\",
    "\\x1b[31m",
    "\\x00\\xff",
    "",
  ]);
});

test("connect --frame: a frame over the limit is told in one line, and all that came is printed", async () => {
  const answer = frame("one") + frame("four") + frame("five");
  const args = ["--frame", "u16", "--frame-limit", "3"];
  const { exit } = await converse(args, "", answer);
  assertFailed(
    exit,
    56,
    /: Cannot read a frame \(u16\): it has 4 bytes, over the limit of 3 \(TOO_LARGE\)\. .*limit\.$/,
  );
  assert.equal(exit.stdout.toString(), "one\n\\x00\\x04four\\x00\\x04five");
});

test("connect --frame: a frame that the peer cuts off is told in one line, and printed", async () => {
  const { exit } = await converse(["--frame", "u16"], "", `${frame("one")}\0\x05tw`);
  assertFailed(exit, 18, /: Cannot read a frame \(u16\): the stream ended within it.*INCOMPLETE/);
  assert.equal(exit.stdout.toString(), "one\n\\x00\\x05tw");
});

test("connect --frame: a last line that the peer does not end is printed as a line", async () => {
  const { exit } = await converse(["--frame", "lines"], "", "one\r\ntwo");
  assert.equal(exit.stdout.toString(), "one\ntwo\n");
  assert.equal(exit.code, 0, exit.stderr);
});

test("connect --frame: what came of a frame before a reset is printed", async () => {
  await using peer = await python(`
s, _ = l.accept()
s.sendall(b"\\x03one\\x05tw")
sys.stdin.readline()
reset(s)
`);
  const where = `127.0.0.1:${peer.endpoint.port}`;
  await using client = startClient(["connect", "--frame", "u8", where], { pipe: true });
  await client.stdout.until(/one\n/);
  peer.say("reset");
  const exit = await client.exit();
  assertFailed(exit, 56, /ECONNRESET/);
  assert.equal(exit.stdout.toString(), "one\n\\x05tw");
}, ["python3"]);

test("connect --frame: a line that cannot be sent is told in one line; those before are sent and answered", async () => {
  const args = ["--frame", "u8", "--frame-limit", "3"];
  const { exit, sent } = await converse(args, "one\ntwo\nthree\nsix\n", "\x02ok");
  assertFailed(
    exit,
    26,
    /: Line 3 of stdin, and what follows it, is not sent\. .*\(u8\), 3 bytes: /,
  );
  assert.equal(sent, "\x03one\x03two");
  assert.equal(exit.stdout.toString(), "ok\n");
  const delimited = await converse(["--frame", "delimiter:|"], "one\na|b\n");
  assertFailed(delimited.exit, 26, /: Line 2 of stdin, .*\(HAS_DELIMITER\)\. /);
  assert.equal(delimited.sent, "one|");
  const fixed = await converse(["--frame", "fixed:3"], "one\nto\n");
  assertFailed(fixed.exit, 26, /: Line 2 of stdin, .*2 bytes, and not 3 \(WRONG_SIZE\)\. /);
});

test("connect --frame: with --hex every byte is shown as it is on the wire", async () => {
  await using server = await startServer(["echo"]);
  const where = `127.0.0.1:${server.port}`;
  const exit = await runClient(["connect", "--frame", "u16", "--hex", where], { stdin: "ab\n" });
  assert.match(exit.stdout.toString(), /^> 00000000 {2}00 02 61 62 .*\n< 00000000 {2}00 02 61 62 /);
  assert.equal(exit.code, 0, exit.stderr);
});

test("connect --frame: many lines go there and back through our echo server", async () => {
  await using server = await startServer(["echo"]);
  const stdin = Array.from({ length: 50_000 }, (_, i) => `line ${i}\n`).join("");
  const where = `127.0.0.1:${server.port}`;
  const exit = await runClient(["connect", "--frame", "varint", where], { stdin });
  assert.equal(exit.code, 0, exit.stderr);
  assert.ok(exit.stdout.toString() === stdin);
});

test("connect --frame: what is not right on the command line exits 2, with one line that tells", async () => {
  const wrong: [string[], RegExp][] = [
    [["--frame", "u64"], /Option --frame takes lines, u8, .*fixed:SIZE or delimiter:TEXT .*'u64'/],
    [["--frame", "fixed:0"], /Option --frame takes .*'fixed:0'/],
    [["--frame", "delimiter:"], /Option --frame takes .*'delimiter:'/],
    [["--frame", "delimiter:\\q"], /Option --frame takes .*'delimiter:\\q'/],
    [["--frame", "u8", "--frame-limit", "256"], /--frame-limit cannot be 256 .* at most 255/],
    [
      ["--frame", "fixed:5", "--frame-limit", "4"],
      /--frame-limit cannot be 4 for frames \(fixed 5\)/,
    ],
    [["--frame-limit", "5"], /Option --frame-limit needs --frame/],
    [["--frame", "u8", "--frame-limit", "0"], /whole number from 1 to 4294967295, not '0'/],
    [["--frame", "lines", "--crlf"], /Options --crlf and --frame exclude each other/],
  ];
  await Promise.all(wrong.map(async ([args, message]) => {
    assertFailed(await runClient(["connect", ...args, "localhost:1"]), 2, message);
  }));
});
