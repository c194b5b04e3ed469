// Telnet's commands in a chat: RFC 854, and the options of RFC 855, 857, 858 and 860.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { chat } from "../../lib/protocols/chat/chat.ts";
import { TelnetCommands } from "../../lib/protocols/chat/telnet.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import { serve } from "../../lib/serve/serve.ts";
import type { Conn } from "../../lib/net/transport.ts";
import { bytes, randomBytes, until } from "../support/helpers.ts";
import { Program, PYTHON } from "../support/peers.ts";
import { startServer } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";

const IAC = 255;
const [WILL, WONT, DO, DONT] = [251, 252, 253, 254];
const [SB, SE, NOP, DATA_MARK, INTERRUPT, ARE_YOU_THERE] = [250, 240, 241, 242, 244, 246];
const [ECHO, SUPPRESS_GO_AHEAD, TIMING_MARK, TERMINAL_TYPE] = [1, 3, 6, 24];

/** The bytes of the answer to Are You There. */
const YES = [...bytes("[Yes]\n")].join(" ");

/** What is text, and what is answered, when these pieces come. */
function taken(...pieces: (readonly number[] | Uint8Array)[]): { text: string; answers: string } {
  const answers: string[] = [];
  const commands = new TelnetCommands((answer) => answers.push([...answer].join(" ")));
  const text = pieces.map((piece) => Buffer.from(commands.textOf(Uint8Array.from(piece))));
  return { text: Buffer.concat(text).toString("latin1"), answers: answers.join(", ") };
}

function ascii(text: string): number[] {
  return [...bytes(text)];
}

/** What clients send, with the text and the answers that come of it. */
const CASES: Record<string, readonly [sent: number[], text: string, answers?: string]> = {
  "text alone": [ascii("hello\r\n"), "hello\r\n"],
  "commands without options": [
    [
      ...ascii("a"),
      ...[NOP, DATA_MARK, 243, INTERRUPT, 245, 247, 248, 249].flatMap((command) => [
        IAC,
        command,
      ]),
      ...ascii("b\n"),
    ],
    "ab\n",
  ],
  "Are You There, which is answered so that people see it": [
    [...ascii("a"), IAC, ARE_YOU_THERE, ...ascii("b\n"), IAC, ARE_YOU_THERE],
    "ab\n",
    `${YES}, ${YES}`,
  ],
  "Are You There behind Ctrl-C, whose Data Mark is missing": [
    [IAC, INTERRUPT, IAC, ARE_YOU_THERE, ...ascii("a\n")],
    "a\n",
    YES,
  ],
  "NUL behind CR, which is dropped": [ascii("a\r\0b\r\n\r\0\r\0"), "a\rb\r\n\r\r"],
  "NUL elsewhere, which stays": [ascii("\0a\0\r\0\0b\r\n\0"), "\0a\0\r\0b\r\n\0"],
  "NUL and CR with a command between": [
    [...ascii("a\r"), IAC, NOP, ...ascii("\0b\n")],
    "a\rb\n",
  ],
  "those of LINEMODE (RFC 1184)": [[IAC, 236, IAC, 237, IAC, 238, ...ascii("a\n")], "a\n"],
  "offers and requests, which are refused": [
    [IAC, WILL, TERMINAL_TYPE, IAC, DO, ECHO, IAC, DO, SUPPRESS_GO_AHEAD, ...ascii("a\n")],
    "a\n",
    `${IAC} ${DONT} ${TERMINAL_TYPE}, ${IAC} ${WONT} ${ECHO}, ${IAC} ${WONT} ${SUPPRESS_GO_AHEAD}`,
  ],
  "refusals, which get no answer": [
    [IAC, WONT, ECHO, IAC, DONT, ECHO, IAC, DONT, TIMING_MARK, ...ascii("a\n")],
    "a\n",
  ],
  "a request for a timing mark, which is answered": [
    [...ascii("a\n"), IAC, DO, TIMING_MARK, ...ascii("b\n")],
    "a\nb\n",
    `${IAC} ${WILL} ${TIMING_MARK}`,
  ],
  "an option whose number is that of IAC": [[IAC, DO, IAC, ...ascii("a\n")], "a\n", "255 252 255"],
  "a doubled IAC, which is one byte of text": [
    [...ascii("a"), IAC, IAC, ...ascii("b\n")],
    "a\xffb\n",
  ],
  "a subnegotiation": [
    [
      ...ascii("a"),
      IAC,
      SB,
      TERMINAL_TYPE,
      0,
      IAC,
      IAC,
      ...ascii("xterm\n"),
      IAC,
      SE,
      ...ascii("b\n"),
    ],
    "ab\n",
  ],
  "a subnegotiation without an end, before another command": [
    [IAC, SB, TERMINAL_TYPE, 0, IAC, DO, TIMING_MARK, ...ascii("a\n")],
    "a\n",
    `${IAC} ${WILL} ${TIMING_MARK}`,
  ],
  "Ctrl-C": [
    [IAC, INTERRUPT, IAC, DO, TIMING_MARK, IAC, DATA_MARK, ...ascii("a\n")],
    "a\n",
    `${IAC} ${WILL} ${TIMING_MARK}`,
  ],
  "Ctrl-C, whose Data Mark the kernel has kept": [
    [IAC, INTERRUPT, IAC, DO, TIMING_MARK, IAC, ...ascii("a\n")],
    "a\n",
    `${IAC} ${WILL} ${TIMING_MARK}`,
  ],
  "Ctrl-C twice, whose Data Marks the kernel has kept": [
    [IAC, INTERRUPT, IAC, IAC, DO, TIMING_MARK, IAC, INTERRUPT, IAC, IAC, DO, TIMING_MARK],
    "",
    `${IAC} ${WILL} ${TIMING_MARK}, ${IAC} ${WILL} ${TIMING_MARK}`,
  ],
  "Ctrl-C without its Data Mark, and then text that begins like a command": [
    [IAC, INTERRUPT, IAC, ...Buffer.from("한\n")],
    Buffer.from("한\n").toString("latin1"),
  ],
  "a byte that is no command": [[IAC, 7, ...ascii("a\n")], "\x07a\n"],
};

for (const [what, [sent, text, answers = ""]] of Object.entries(CASES)) {
  test(`telnet: ${what}; wherever it is cut in two`, () => {
    for (let at = 0; at <= sent.length; at++) {
      assert.deepEqual(taken(sent.slice(0, at), sent.slice(at)), { text, answers }, `at ${at}`);
    }
    assert.deepEqual(taken(...sent.map((byte) => [byte])), { text, answers });
  });
}

test("telnet: a subnegotiation that does not end mutes nobody", () => {
  const long = new Uint8Array(2000).fill(120);
  assert.match(taken([IAC, SB, TERMINAL_TYPE], long, ascii("\nhello\n")).text, /^x+\nhello\n$/);
  assert.match(taken([IAC, SB], long.fill(IAC), ascii("\nhello\n")).text, /\nhello\n$/);
});

test("telnet: whatever comes, there are no more answers than offers and questions", () => {
  for (let i = 0; i < 200; i++) {
    const noise = randomBytes(200).map((byte) => byte % 3 === 0 ? IAC : byte);
    const offers = noise.filter((byte) => [WILL, DO, ARE_YOU_THERE].includes(byte)).length;
    const { answers } = taken(noise.subarray(0, 70), noise.subarray(70));
    assert.ok((answers === "" ? 0 : answers.split(", ").length) <= offers);
  }
});

test("telnet: two that refuse each other fall silent", () => {
  const answers: Uint8Array[] = [];
  const one = new TelnetCommands((answer) => answers.push(answer));
  one.textOf(Uint8Array.of(IAC, DO, ECHO, IAC, WILL, ECHO));
  const other = new TelnetCommands(() => assert.fail("A refusal was answered"));
  for (const answer of answers.splice(0)) other.textOf(answer);
});

/** Reads until this has come; returns all that came. */
async function hear(conn: Conn, wanted: string): Promise<string> {
  const buffer = new Uint8Array(1024);
  for (let text = ""; !text.includes(wanted);) {
    const n = await conn.read(buffer);
    assert.notEqual(n, null, `It ended after ${JSON.stringify(text)}`);
    text += Buffer.from(buffer.subarray(0, n!)).toString("latin1");
    if (text.includes(wanted)) return text;
  }
  return "";
}

test("telnet: a client of a chat goes on after Ctrl-C, and the others get its text alone", async () => {
  const transport = new MemoryTransport();
  const listener = await transport.listen({ port: 7 });
  const stop = new AbortController();
  const served = serve(listener, chat({ signal: stop.signal }), { signal: stop.signal }).finished;
  using one = await transport.connect({ host: "localhost", port: 7 });
  await hear(one, "Nobody else is here.\n");
  using other = await transport.connect({ host: "localhost", port: 7 });
  await hear(other, "Here are also: guest1\n");
  await one.write(Uint8Array.of(...ascii("hel"), IAC, NOP, ...ascii("lo\r\n")));
  assert.match(await hear(other, "\n"), /^guest1: hello\n/);
  await one.write(Uint8Array.of(IAC, INTERRUPT, IAC, DO, TIMING_MARK));
  await one.write(Uint8Array.of(IAC, DATA_MARK, ...ascii("again\n")));
  assert.equal(await hear(other, "\n"), "guest1: again\n");
  await hear(one, "\xff\xfb\x06");
  stop.abort();
  await served;
});

test("telnet: a client that asks and does not read is dropped", async () => {
  const transport = new MemoryTransport();
  const listener = await transport.listen({ port: 7 });
  const stop = new AbortController();
  const errors: unknown[] = [];
  const served = serve(listener, chat({ signal: stop.signal, maxQueue: 4096 }), {
    signal: stop.signal,
    onError: (error) => errors.push(error),
  }).finished;
  using flood = await transport.connect({ host: "localhost", port: 7 });
  const requests = new Uint8Array(3 * 1024);
  for (let i = 0; i < requests.length; i += 3) requests.set([IAC, DO, ECHO], i);
  await assert.rejects(async () => {
    for (;;) await flood.write(requests);
  });
  await until(() => errors.length > 0, "the client to be dropped");
  assert.match(String(errors[0]), /reads too slowly/);
  stop.abort();
  await served;
});

test("telnet: Data Mark as urgent data, as Telnet sends it", async () => {
  await using server = await startServer(["chat", "--host", "127.0.0.1"]);
  const client = `
import socket, sys
s = socket.create_connection(("127.0.0.1", ${server.port}))
seen = b""
def until(end):
    global seen
    while end not in seen:
        data = s.recv(1000)
        if not data: sys.exit("it ended")
        seen += data
until(b"guest2 is here.\\n")
for i in range(3):
    s.send(b"\\xff\\xf4\\xff\\xfd\\x06")
    s.send(b"\\xff\\xf2", socket.MSG_OOB)
    s.send(b"hello %d\\r\\n" % i)
    until(b"\\xff\\xfb\\x06" * (i + 1))
s.shutdown(socket.SHUT_WR)
until(b"never")
`;
  await using one = new Program([...PYTHON, "-c", client]);
  await server.program.stderr.until(/^guest1 is here/m);
  await using other = new Program(["ncat", "127.0.0.1", String(server.port)], { pipe: true });
  await other.stdout.until(/guest1 has left\.\n$/);
  assert.equal(
    other.stdout.text.split("\n").slice(2).join("\n"),
    "guest1: hello 0\nguest1: hello 1\nguest1: hello 2\n* guest1 has left.\n",
  );
  await one.exit();
}, ["python3", "ncat"]);
