// `server.ts chat --bus` and `--history`.

import assert from "node:assert/strict";
import { dialWebSocket, type WsConn } from "../../lib/http/ws/mod.ts";
import { Nats } from "../support/nats.ts";
import { Program } from "../support/peers.ts";
import { runServer, type ServerScript, startServer } from "../support/scripts.ts";
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
