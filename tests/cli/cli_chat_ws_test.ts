// `server.ts chat --ws`: the page and the WebSockets of the room.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { dialWebSocket, type WsConn } from "../../lib/http/ws/mod.ts";
import { Program } from "../support/peers.ts";
import { runServer, type ServerScript, startServer } from "../support/scripts.ts";
import { test } from "../support/runner.deno.ts";

/** Starts a chat with a page; `url` is that of the page. */
async function startChat(...args: string[]): Promise<{ chat: ServerScript; url: string }> {
  const chat = await startServer(["chat", "--ws", "--host", "127.0.0.1", ...args]);
  const [url] = await chat.program.stdout.until(/https?:\S+(?=\n)/);
  return { chat, url };
}

const socketOf = (url: string) => `${url.replace(/^http/, "ws")}ws`;

async function hear(ws: WsConn): Promise<unknown> {
  return JSON.parse(await ws.read() as string);
}

test(
  "cli chat --ws: nc and a WebSocket share the room, and the log tells of both",
  async () => {
    const { chat, url } = await startChat();
    await using _chat = chat;
    const ws = await dialWebSocket(socketOf(url));
    assert.deepEqual(await hear(ws), { type: "welcome", name: "guest1", others: [] });
    await using nc = new Program(["ncat", "127.0.0.1", String(chat.port)], { pipe: true });
    await nc.stdout.until(/Here are also: guest1\n/);
    assert.deepEqual(await hear(ws), { type: "joined", name: "guest2" });
    nc.stdin.write("hello\n");
    assert.deepEqual(await hear(ws), { type: "said", name: "guest2", text: "hello" });
    await ws.write("hi");
    await nc.stdout.until(/^guest1: hi\n/m);
    await ws.write(new Uint8Array(1));
    assert.equal((await ws.closed).code, 1003);
    await nc.stdout.until(/^\* guest1 has left\.\n/m);

    const other = await dialWebSocket(socketOf(url));
    const stopped = chat.program.stop();
    let heard = "";
    for await (const message of other) heard += `${message}\n`;
    assert.match(heard, /The server stops\. Goodbye!/);
    const exit = await stopped;
    assert.deepEqual(await other.closed, {
      code: 1001,
      reason: "the server is stopping",
      clean: true,
      by: "peer",
    });
    assert.equal(exit.code, 0);
    assert.equal(exit.stdout.toString(), `tcp://127.0.0.1:${chat.port}\n${url}\n`);
    assert.match(exit.stderr, /^guest1 is here, from 127\.0\.0\.1:\d+\nguest2 is here/m);
    // One in the terminal, and two WebSockets.
    assert.match(exit.stderr, /^stopped after 3 connections, 0 of them reset$/m);
  },
  ["ncat"],
);

test("cli chat --ws: the page is whole, loads nothing from elsewhere, and nothing else is there", async () => {
  const { chat, url } = await startChat();
  await using _chat = chat;
  for (const name of readdirSync("lib/cli/commands/chat/page")) {
    const response = await fetch(new URL(name === "index.html" ? "/" : name, url));
    assert.equal(response.status, 200, name);
    assert.match(response.headers.get("content-security-policy")!, /^default-src 'none'; /);
    const text = await response.text();
    assert.doesNotMatch(text.replaceAll("http://www.w3.org/2000/svg", ""), /https?:\/\//, name);
  }
  for (
    const [path, method, status] of [
      ["nothing", "GET", 404],
      ["../page.ts", "GET", 404],
      ["", "POST", 405],
      ["ws", "GET", 426],
    ] as const
  ) {
    const response = await fetch(new URL(path, url), { method });
    await response.text();
    assert.equal(response.status, status, path);
  }
});

test("cli chat --ws: pages of other sites are kept out unless --allow-origin lets them in", async () => {
  const { chat, url } = await startChat("--allow-origin", "https://chat.example");
  await using _chat = chat;
  const { host } = new URL(url);
  const port = host.split(":")[1];
  for (
    const [origin, name, status] of [
      [`http://${host}`, host, 101],
      ["https://chat.example", host, 101],
      ["https://chat.example", "chat.example", 101],
      ["https://evil.example", host, 403],
      ["null", host, 403],
      // A name of a page that was made to lead here.
      [`http://evil.example:${port}`, `evil.example:${port}`, 421],
    ] as const
  ) {
    const dialing = dialWebSocket(socketOf(url), { headers: ["Origin", origin, "Host", name] });
    if (status === 101) await (await dialing).close();
    else await assert.rejects(dialing, { message: new RegExp(` ${status} `) }, origin);
  }
});

test("cli chat --ws: TLS and the networks hold for both ports", async () => {
  const { chat, url } = await startChat("--tls-self-signed", "--deny", "127.0.0.0/8");
  await using _chat = chat;
  assert.match(chat.url, /^tls:/);
  assert.match(url, /^https:/);
  await assert.rejects(dialWebSocket(socketOf(url), { tls: { insecure: true } }));
  await chat.program.stderr.until(/refused 127\.0\.0\.1/);
});

test("cli chat --ws: what does not go together is told in a line", async () => {
  for (
    const [args, pattern] of [
      [
        ["--ws", "--unix", "/tmp/a.sock"],
        /Option --ws cannot be used with --unix: browsers need a port/,
      ],
      [["--ws-port", "1"], /Option --ws-port needs --ws/],
      [["--allow-origin", "*"], /Option --allow-origin needs --ws/],
      [["--ws", "--port", "7", "--ws-port", "7"], /cannot be the same/],
      [["--ws", "--allow-origin", "example.org"], /takes an origin, as https:\/\/example\.org/],
    ] as const
  ) {
    const { code, stderr } = await runServer(["chat", ...args]);
    assert.equal(code, 2);
    assert.match(stderr, pattern);
  }
});
