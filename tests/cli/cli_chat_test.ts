// `server.ts chat`: with ncat and openssl as the clients.

import assert from "node:assert/strict";
import { Program, PYTHON } from "../support/peers.ts";
import { runServer, type ServerScript, startServer } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";

/** Starts `server.ts chat` on a free port of 127.0.0.1, and waits until it listens. */
function startChat(args: readonly string[] = []): Promise<ServerScript> {
  return startServer(["chat", "--host", "127.0.0.1", ...args]);
}

function ncat({ port }: ServerScript, ...args: string[]): Program {
  return new Program(["ncat", ...args, "127.0.0.1", String(port)], { pipe: true });
}

test(
  "cli chat: ncat clients talk, and stderr tells who comes and goes, but not what is said",
  async () => {
    await using chat = await startChat();
    const { stderr } = chat.program;
    await using one = ncat(chat);
    await one.stdout.until(/^\* You are guest1; .*\n\* Nobody else is here\.\n$/);
    await using two = ncat(chat);
    await one.stdout.until(/\* guest2 is here\.\n$/);
    two.stdin.write("/nick Ada\nI have a secret\n");
    await one.stdout.until(/\* guest2 is Ada now\.\nAda: I have a secret\n$/);
    one.stdin.write("\x1b[2Jtell me\n");
    await two.stdout.until(/guest1: \\x1b\[2Jtell me\n$/);
    two.stdin.end();
    await one.stdout.until(/\* Ada has left\.\n$/);
    assert.equal((await two.exit()).code, 0);
    await stderr.until(/^Ada has left$/m);
    const exit = await chat.program.stop();
    assert.equal(exit.code, 0);
    assert.equal(exit.stdout.toString(), `tcp://127.0.0.1:${chat.port}\n`);
    // The one who was still there is told, and not waited for.
    await one.stdout.until(/\* The server stops\. Goodbye!\n$/);
    assert.deepEqual(exit.stderr.replace(/(127\.0\.0\.1):\d+/g, "$1:PORT").split("\n"), [
      "starting up on 127.0.0.1 port 0",
      "guest1 is here, from 127.0.0.1:PORT",
      "guest2 is here, from 127.0.0.1:PORT",
      "guest2 is Ada now",
      "Ada has left",
      "stopping: members hear Goodbye and are disconnected, within 10 s, Ctrl-C ends at once",
      "guest1 has left",
      "stopped after 2 connections, 0 of them reset",
      "",
    ]);
  },
  ["ncat"],
);

test("cli chat: over TLS, with --log json", async () => {
  await using chat = await startChat(["--tls-self-signed", "--log", "json"]);
  assert.match(chat.url, /^tls:/);
  await using one = ncat(chat, "--ssl");
  await one.stdout.until(/Nobody else is here/);
  await using two = ncat(chat, "--ssl");
  await one.stdout.until(/guest2 is here/);
  two.stdin.end("hello\n");
  await one.stdout.until(/guest2: hello\n\* guest2 has left\.\n$/);
  await chat.program.stderr.until(/"leave"/);
  const events = chat.program.stderr.lines.map((line) => JSON.parse(line))
    .filter(({ event }) => event !== undefined);
  assert.deepEqual(events.map(({ event, name }) => [event, name]), [
    ["join", "guest1"],
    ["join", "guest2"],
    ["leave", "guest2"],
  ]);
  assert.match(events[0].client, /^127\.0\.0\.1:\d+$/);
}, ["ncat"]);

test("cli chat: a client that does not read is dropped, and the others go on", async () => {
  await using chat = await startChat();
  await using silent = new Program(
    [
      ...PYTHON,
      "-c",
      `
import socket, sys
s = socket.socket()
# The kernel is not to keep much for it.
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
s.connect(("127.0.0.1", ${chat.port}))
print("there", flush=True)
sys.stdin.readline()
`,
    ],
    { pipe: true },
  );
  await silent.stdout.until(/there/);
  await using talker = ncat(chat);
  await talker.stdout.until(/Here are also: guest1/);
  // It tells of every hundredth line: to look for one in all of them takes longer and longer.
  const heard = `ncat 127.0.0.1 ${chat.port} | grep --line-buffered -o 'guest2: [0-9]*99 '`;
  await using listener = new Program(["sh", "-c", heard], { pipe: true });
  await talker.stdout.until(/guest3 is here/);
  // Each line waits for the one before to arrive: it is the silent one that is slow, and nobody else.
  for (let i = 0; !/guest1 has left/.test(talker.stdout.text); i += 100) {
    assert.ok(i < 20_000, "still there");
    for (let line = i; line < i + 100; line++) {
      talker.stdin.write(`${line} ${"x".repeat(900)}\n`);
    }
    await listener.stdout.until(new RegExp(`^guest2: ${i + 99} \n`, "m"));
  }
  await chat.program.stderr.until(/^Cannot .*: it reads too slowly, .* \(ETIMEDOUT\)/m);
}, ["ncat", "python3"]);

test("cli chat: what is not right on the command line is one line with the next step", async () => {
  for (
    const [args, pattern] of [
      [["room"], /Too many arguments, from 'room' on; chat takes options only/],
      [["--nick", "a"], /Unknown option --nick/],
    ] as const
  ) {
    const { code, stdout, stderr } = await runServer(["chat", ...args]);
    assert.deepEqual([code, stdout.toString()], [2, ""]);
    assert.match(stderr, pattern);
    assert.match(stderr, /^server\.ts: .*\. See 'server\.ts chat --help'\.\n$/);
  }
});
