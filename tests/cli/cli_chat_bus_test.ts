// `server.ts chat --bus` and `--history`.

import assert from "node:assert/strict";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { dialWebSocket, type WsConn } from "../../lib/http/ws/mod.ts";
import type { Conn } from "../../lib/net/transport.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { bytes, until } from "../support/helpers.ts";
import { FaultRelay, Nats } from "../support/nats.ts";
import { Program } from "../support/peers.ts";
import {
  runServer,
  type ServerScript,
  startServer,
  startServerProcess,
} from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";

/** Starts a chat with a page; `url` is that of its WebSockets. */
async function startChat(...args: string[]): Promise<{ chat: ServerScript; url: string }> {
  const chat = await startServer(["chat", "--ws", "--host", "127.0.0.1", ...args]);
  const [url] = await chat.program.stdout.until(/http:\S+(?=\n)/);
  return { chat, url: `${url.replace("http", "ws")}ws` };
}

/** The next message of a type. */
async function hear(ws: WsConn, type: string): Promise<Record<string, unknown>> {
  for (let text; (text = await ws.read()) !== null;) {
    const message = JSON.parse(text as string);
    if (message.type === type) return message;
  }
  throw new Error(`It ended without '${type}'`);
}

test("cli chat --bus: a terminal and a browser at two servers are in one room", async () => {
  await using nats = await Nats.start("--jetstream", "--user", "me", "--pass", "secret");
  const bus = ["--bus", nats.url.replace("//", "//me:secret@"), "--history", "50"];
  const { chat: one } = await startChat(...bus);
  await using _one = one;
  const { chat: two, url } = await startChat(...bus);
  await using _two = two;
  for (const { program } of [one, two]) await program.stderr.until(/^bus \S+: connected$/m);
  await using nc = new Program(["ncat", "127.0.0.1", String(one.port)], { pipe: true });
  await nc.stdout.until(/You are guest1-/);
  const ws = await dialWebSocket(url);
  const { position } = await hear(ws, "welcome");
  await nc.stdout.until(/\* guest1-\S+ is here\.\n/);
  nc.stdin.write("hello\n");
  const said = await hear(ws, "said");
  assert.equal(said.text, "hello");
  const { epoch, offset } = position as { epoch: string; offset: number };
  assert.deepEqual(said.position, { epoch, offset: offset + 1 });
  await ws.write("hi");
  await nc.stdout.until(/^guest1-\S+: hi\n/m);

  await nats.stop();
  for (const { program } of [one, two]) await program.stderr.until(/^bus \S+: away, .*$/m);
  await nc.stdout.until(/The other servers are out of reach/);
  await nats.again();
  for (const { program } of [one, two]) {
    await program.stderr.until(/^bus \S+: away[^]*^bus \S+: connected$/m);
  }
  await nc.stdout.until(/The other servers can be reached again/);
  await ws.close();
  const exit = await two.program.stop();
  assert.equal(exit.code, 0);
  assert.doesNotMatch(exit.stderr, /secret/);
  await nc.stdout.until(/^\* guest1-\S+ has left\.\n/m);
}, ["nats-server", "ncat"]);

/** A member in a terminal, and all that it has read. */
class Member {
  text = "";
  readonly #conn: Conn;

  constructor(conn: Conn) {
    this.#conn = conn;
    void this.#read().catch(() => {});
  }

  async say(...lines: string[]): Promise<void> {
    await this.#conn.write(bytes(lines.map((line) => `${line}\n`).join("")));
  }

  async hears(...words: string[]): Promise<void> {
    await until(() => words.every((word) => this.text.includes(word)), words.join(", "));
  }

  /** The numbered lines of somebody that it has heard. */
  linesOf(name: string): string[] {
    const lines = this.text.matchAll(new RegExp(`^${name}: (line \\d+)$`, "gm"));
    return Array.from(lines, ([, line]) => line);
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(4096);
    for (let n; (n = await this.#conn.read(buffer)) !== null;) {
      this.text += decoder.decode(buffer.subarray(0, n), { stream: true });
    }
  }
}

/** A process of `server.ts chat`, behind a relay that has everything arrive in pieces, and late. */
class ChatProcess implements AsyncDisposable {
  readonly relay: FaultRelay;
  readonly program: Program;
  readonly #conn: Conn;
  readonly member: Member;

  private constructor(relay: FaultRelay, program: Program, conn: Conn) {
    this.relay = relay;
    this.program = program;
    this.#conn = conn;
    this.member = new Member(conn);
  }

  static async start(nats: Nats): Promise<ChatProcess> {
    const relay = new FaultRelay(nats.port, "split=40±30, delay=2ms±2");
    await relay.open();
    const bus = `nats://127.0.0.1:${relay.port}/test`;
    const args = ["chat", "--host", "127.0.0.1", "--port", "0", "--bus", bus];
    const { program, port } = await startServerProcess(args);
    await program.stderr.until(/^bus \S+: connected$/m);
    const conn = await systemTransport.connect({ host: "127.0.0.1", port });
    return new ChatProcess(relay, program, conn);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#conn.close();
    await this.program[Symbol.asyncDispose]();
    await this.relay[Symbol.asyncDispose]();
  }
}

test(
  "cli chat --bus: three processes are one room through faults, heal after the bus was away, and NATS's own client hears all",
  async () => {
    await using nats = await Nats.start();
    await using a = await ChatProcess.start(nats);
    await using b = await ChatProcess.start(nats);
    await using c = await ChatProcess.start(nats);
    const servers = [a, b, c];
    const observer = await connect({ servers: nats.url, reconnect: false });
    await using _observer = { [Symbol.asyncDispose]: () => observer.close() };
    const observed: string[] = [];
    observer.subscribe("plainsocket.chat.test.lines", {
      callback: (_error, message) => void observed.push(message.json<{ text: string }>().text),
    });
    await observer.flush();
    const members = servers.map(({ member }) => member);
    for (const member of members) await member.hears("You are guest1-");
    const names = members.map(({ text }) => /You are (guest1-\w+)/.exec(text)![1]);
    for (const member of members) await member.hears(...names);

    const lines = Array.from({ length: 20 }, (_, i) => `line ${i}`);
    await Promise.all(members.map((member) => member.say(...lines)));
    for (const [i, member] of members.entries()) {
      const others = names.filter((_, j) => j !== i);
      await member.hears(...others.map((name) => `${name}: line 19\n`));
      for (const name of others) {
        assert.deepEqual(member.linesOf(name), lines, name);
      }
    }
    await until(() => observed.length === 60, "all lines at the observer");

    const [one, two, three] = members;
    const { relay, program } = a;
    await relay.cut();
    await program.stderr.until(/^bus \S+: away, .*$/m);
    await one.hears("The other servers are out of reach");
    await one.say("alone");
    await two.say("without one");
    await three.hears("without one");
    await relay.open();
    await one.hears("The other servers can be reached again");
    await two.say("welcome back");
    await one.hears("welcome back");
    await one.say("thanks");
    await three.hears("thanks");
    assert.doesNotMatch(one.text, /without one/);
    assert.doesNotMatch(three.text, /alone/);
    for (const server of servers) assert.equal((await server.program.stop()).code, 0);
  },
  ["nats-server"],
);

test("cli chat --bus: that NATS refuses a line is in the log", async () => {
  await using nats = await Nats.start("--jetstream");
  const operator = await connect({ servers: nats.url, reconnect: false });
  await using _operator = { [Symbol.asyncDispose]: () => operator.close() };
  const { streams } = await jetstreamManager(operator);
  const subjects = ["plainsocket.chat.main.lines"];
  await streams.add({ name: "plainsocket-chat-main", subjects, max_msg_size: 10 });
  const { chat, url } = await startChat("--bus", nats.url, "--history", "5");
  await using _chat = chat;
  await chat.program.stderr.until(/^bus \S+: connected$/m);
  const ws = await dialWebSocket(url);
  await ws.write("hello");
  await chat.program.stderr.until(
    /^bus \S+: a line was refused, and nobody got it: message size exceeds maximum allowed$/m,
  );
  await ws.close();
}, ["nats-server"]);

test("cli chat --history: a WebSocket that comes back with its position gets what was missed", async () => {
  const { chat, url } = await startChat("--history", "2");
  await using _chat = chat;
  const talker = await dialWebSocket(url);
  const { position } = await hear(talker, "welcome");
  const { epoch } = position as { epoch: string };
  for (const text of ["a", "b", "c"]) {
    await talker.write(text);
    await hear(talker, "said");
  }
  for (
    const [query, type, offset] of [
      [`epoch=${epoch}&offset=1`, "said", 2],
      [`epoch=${epoch}&offset=0`, "gap", 1],
      ["epoch=0&offset=2", "gap", 1],
    ] as const
  ) {
    const ws = await dialWebSocket(`${url}?${query}`);
    await hear(ws, "welcome");
    assert.deepEqual((await hear(ws, type)).position, { epoch, offset }, query);
    await ws.close();
  }
  // What is no position is none: it hears what is said from now on.
  for (const query of ["epoch=%20&offset=1", `epoch=${epoch}`, `epoch=${epoch}&offset=-1`]) {
    const ws = await dialWebSocket(`${url}?${query}`);
    await hear(ws, "welcome");
    await ws.write("now");
    assert.equal((await hear(ws, "said")).text, "now", query);
    await ws.close();
  }
  await talker.close();
});

test("cli chat --bus: what is not right is told in a line, without its password", async () => {
  for (
    const [args, pattern] of [
      [["--bus", "http://me:secret@a"], /Option --bus takes nats:\/\/HOST:4222, or .*ROOM/],
      [["--bus", "nats://me:secret@a/b.c"], /Option --bus takes .*a room of 1 to 32/],
      [["--bus", "@/nonexistent"], /Option --bus .*nonexistent/],
      [["--history", "-1"], /--history takes a whole number from 0 to 100000/],
    ] as const
  ) {
    const { code, stderr } = await runServer(["chat", ...args]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, pattern);
    assert.doesNotMatch(stderr, /secret/);
  }
});
