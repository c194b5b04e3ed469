// The situations of docs/connect.md: each runs `client.ts connect` against a peer in Python, and says
// in the words of the table what came of it.

import assert from "node:assert/strict";
import type { Readable } from "node:stream";
import type { OnEof } from "../../lib/protocols/join.ts";
import { until } from "../support/helpers.ts";
import { type Exit, Program, type PythonPeer, type Running } from "../support/peers.ts";
import { isHere } from "../support/programs.ts";
import { PythonHost } from "../support/python_host.ts";
import { afterAll, beforeAll } from "../support/runner.deno.ts";
import { inTerminal, programCommand, startClient } from "../support/scripts.ts";
import { TestClock } from "../support/test_clock.ts";

/** More than the kernels on both sides hold. */
const MUCH = 16 * 1024 * 1024;

/** What forks the peers. */
let peers: PythonHost | undefined;

beforeAll(async () => {
  if (isHere("python3")) peers = await PythonHost.start();
});

afterAll(async () => await peers?.[Symbol.asyncDispose]());

interface Conversation extends AsyncDisposable {
  readonly peer: PythonPeer;
  readonly client: Running;
  /** What the client goes by, if it runs in this process. */
  readonly clock: TestClock;
}

/** What {@linkcode start} takes. */
interface Surroundings {
  /** Makes a process of the client, with this command; without, it runs here. */
  readonly wrap?: (command: string[]) => string[];
  /** Its options. */
  readonly options?: readonly string[];
}

/** What is about the stdin or the signals of processes. */
const AS_PROCESS: Surroundings = { wrap: (command) => command };

/** Starts a peer, which runs `program` with its socket `s`, and a client that connects to it. */
async function start(
  onEof: OnEof,
  program: string,
  { wrap, options = [] }: Surroundings = {},
): Promise<Conversation> {
  const peer = await peers!.run(`
s, _ = l.accept()
def wait_for_go(): sys.stdin.readline()
def send_last(text):
    try:
        s.sendall(text)
        s.shutdown(socket.SHUT_WR)
    except OSError: pass  # the client is gone
def rest():
    n = 0
    try:
        while data := s.recv(1 << 20): n += len(data)
        return f"{n} FIN"
    except ConnectionResetError: return f"{n} RST"
${program}
sys.stdin.read()
`);
  const { host, port } = peer.endpoint;
  const args = ["connect", `${host}:${port}`, "--on-eof", onEof, ...options];
  const clock = new TestClock();
  const client = wrap === undefined
    ? startClient(args, { pipe: true, clock })
    : new Program(wrap([...programCommand("client"), ...args]), { pipe: true });
  return {
    peer,
    client,
    clock,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await peer[Symbol.asyncDispose]();
    },
  };
}

/**
 * What a peer does that is asked something: it tells whether FIN is behind the question, for which it
 * waits unless there is to be none.
 */
function hearQuestion(onEof: OnEof): string {
  return `
got = b""
while len(got) < 8: got += s.recv(100)
say(got.decode())
wait_for_go()
try: say("FIN" if s.recv(1, ${onEof === "wait" ? "socket.MSG_DONTWAIT" : 0}) == b"" else "more")
except BlockingIOError: say("no FIN")
wait_for_go()
`;
}

/** Asks it, and ends stdin; resolves to what it has heard. */
async function ask({ client, peer, clock }: Conversation): Promise<string> {
  const stdin = client.stdin as unknown as Readable;
  client.stdin.end("question");
  const question = await peer.hear();
  await until(() => stdin.readableEnded, "the client to see the end of stdin");
  // It has all the time to pass that on.
  await clock.advance(60_000);
  peer.say("look");
  return SENT[`${question}, ${await peer.hear()}`];
}

const SENT: Readonly<Record<string, string>> = {
  "question, FIN": "all is sent, then FIN",
  "question, no FIN": "all is sent, but no FIN",
};

function told({ code, stdout }: Exit, ...facts: string[]): string {
  const printed = stdout.includes("the answer") ? ["the answer is printed"] : [];
  return [...facts, ...printed, `exit ${code}`].join("; ");
}

const ANSWERS_AND_ENDS = `send_last(b"the answer")\nsay(rest())`;

/** What came of it, when it is over: `how` that came, and whether `sent` bytes and FIN were sent. */
async function toldOfFin(
  { client, peer }: Conversation,
  how: string,
  sent = 0,
): Promise<string> {
  const exit = await client.exit();
  return told(exit, how, await peer.hear() === `${sent} FIN` ? "then FIN" : "no FIN");
}

const SAY_LAST = `
send_last(b"the answer")
wait_for_go()
`;

/** Says that the peer may go on: where the first end ends all, when that has been seen to be so. */
async function goOn(onEof: OnEof, { client, peer }: Conversation): Promise<void> {
  if (onEof === "close") await client.exit();
  peer.say("go");
}

/** The rows of the table by their first column: from what --on-eof says to what comes of it. */
export const SITUATIONS: Readonly<Record<string, (onEof: OnEof) => Promise<string>>> = {
  async "stdin ends; then the peer answers and ends"(onEof) {
    await using it = await start(
      onEof,
      `${hearQuestion(onEof)}
send_last(b"the answer")
`,
    );
    const sent = await ask(it);
    await goOn(onEof, it);
    return told(await it.client.exit(), sent);
  },

  async "stdin ends; then the peer answers and resets"(onEof) {
    await using it = await start(
      onEof,
      `${hearQuestion(onEof)}
s.sendall(b"the answer")
wait_for_go()
reset(s)
`,
    );
    const sent = await ask(it);
    await goOn(onEof, it);
    if (onEof !== "close") await it.client.stdout.until(/the answer/);
    it.peer.say("go");
    return told(await it.client.exit(), sent);
  },

  async "the peer ends, and reads on; stdin has more"(onEof) {
    await using it = await start(onEof, `${SAY_LAST}\nsay(rest())`);
    it.client.stdin.end(new Uint8Array(MUCH));
    await it.client.stdout.until(/the answer/);
    await goOn(onEof, it);
    const all = await it.peer.hear() === `${MUCH} FIN`;
    const sent = all ? "all is sent, then FIN" : "the rest is not sent";
    return told(await it.client.exit(), sent);
  },

  async "the peer ends, and is gone; stdin has more"(onEof) {
    await using it = await start(onEof, `${SAY_LAST}\ns.close()`, { options: ["-v"] });
    it.client.stdin.end(new Uint8Array(MUCH));
    await it.client.stderr.until(/no more data from the server/);
    await goOn(onEof, it);
    const exit = await it.client.exit();
    const [, sent] = /(?:sent|after) (\d+) bytes/.exec(exit.stderr) ?? [];
    return told(exit, Number(sent) < MUCH ? "the rest is not sent" : "all is sent");
  },

  async "the peer ends; stdin is a pipe that stays open"(onEof) {
    await using it = await start(onEof, ANSWERS_AND_ENDS, { options: ["-v"] });
    const { client, clock } = it;
    let over = false;
    void client.exit().then(() => over = true, () => {});
    await client.stderr.until(/no more data from the server/);
    if (onEof !== "wait") {
      if (onEof === "half-close") await clock.pass(500);
      return await toldOfFin(it, "over by itself");
    }
    await clock.advance(60_000);
    assert.equal(over, false, "It is over though stdin has not ended");
    client.stdin.end();
    return await toldOfFin(it, "over when stdin ends");
  },

  async "the peer ends; stdin is a terminal"(onEof) {
    await using it = await start(onEof, ANSWERS_AND_ENDS, { wrap: inTerminal });
    await it.client.stdout.until(/the answer/);
    if (onEof !== "wait") return await toldOfFin(it, "over by itself");
    // That it waits for as long as it takes is seen where stdin is a pipe. Here what is typed still
    // goes to the peer, and Ctrl-D ends it.
    it.client.stdin.write("typed\n\x04");
    return await toldOfFin(it, "over when stdin ends", 6);
  },

  async "the peer resets; stdin stays open"(onEof) {
    await using it = await start(onEof, `s.sendall(b"the answer")\nwait_for_go()\nreset(s)`);
    await it.client.stdout.until(/the answer/);
    it.peer.say("go");
    return told(await it.client.exit());
  },

  async "both end, without a word"(onEof) {
    await using it = await start(onEof, `s.shutdown(socket.SHUT_WR)\nsay(rest())`);
    it.client.stdin.end();
    const fin = await it.peer.hear() === "0 FIN" ? "FIN is sent" : "no FIN";
    return told(await it.client.exit(), fin);
  },

  async "neither ends; Ctrl-C, or SIGTERM"(onEof) {
    const codes: (number | null)[] = [];
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      // How a signal ends a process does not depend on what the end of stdin does.
      const surroundings = onEof === "half-close" ? AS_PROCESS : {};
      await using it = await start(onEof, `s.sendall(b"the answer")`, surroundings);
      await it.client.stdout.until(/the answer/);
      codes.push((await it.client.stop(signal)).code);
    }
    return `over at once; exit ${codes.join(", or ")}`;
  },

  async "neither ends; nothing moves for `--idle-timeout`"(onEof) {
    const options = ["--idle-timeout", "60"];
    await using it = await start(onEof, `s.sendall(b"the answer")`, { options });
    await it.client.stdout.until(/the answer/);
    await it.clock.advance(62_000);
    return told(await it.client.exit());
  },
};
