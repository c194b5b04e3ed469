// The room of a chat that clients of messages share with those of lines; without a WebSocket: its
// messages are handed over directly.

import assert from "node:assert/strict";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import { chatRoom } from "../../lib/protocols/chat/mod.ts";
import { serve } from "../../lib/serve/serve.ts";
import { bytes, until } from "../support/helpers.ts";
import { Browser, enter } from "./chat_browser.ts";
import { test } from "../support/runner.deno.ts";

test("chat messages: a browser and a terminal hear each other, each in its form", async () => {
  const transport = new MemoryTransport();
  const listener = await transport.listen({ port: 7 });
  const room = chatRoom();
  const server = serve(listener, room.handler);
  const browser = new Browser();
  const left = room.join(browser);
  assert.deepEqual(await browser.next(), { type: "welcome", name: "guest1", others: [] });

  using conn = await transport.connect({ host: "localhost", port: 7 });
  const buffer = new Uint8Array(1024);
  const hear = async () => new TextDecoder().decode(buffer.subarray(0, (await conn.read(buffer))!));
  assert.equal(
    await hear(),
    "* You are guest2; '/nick NAME' changes that.\n* Here are also: guest1\n",
  );
  assert.deepEqual(await browser.next(), { type: "joined", name: "guest2" });

  await conn.write(bytes("h\x1bi\n"));
  assert.deepEqual(await browser.next(), { type: "said", name: "guest2", text: "h\\x1bi" });
  browser.say("hello\nthere");
  assert.equal(await hear(), "guest1: hello\\x0athere\n");
  // It hears itself, so that all see the same lines in the same order.
  assert.deepEqual(await browser.next(), { type: "said", name: "guest1", text: "hello\\x0athere" });
  browser.say("/nick Ada");
  assert.equal(await hear(), "* guest1 is Ada now.\n");
  assert.deepEqual(await browser.next(), { type: "you", name: "Ada" });
  await conn.write(bytes("/nick Bob\n"));
  assert.deepEqual(await browser.next(), { type: "renamed", name: "guest2", newName: "Bob" });
  browser.say(null);
  await left;
  await hear();
  assert.equal(await hear(), "* Ada has left.\n");
  conn.close();
  await server.stop();
});

test("chat messages: what a client may not do is told to it, or closes it with the code", async () => {
  const room = chatRoom({ maxLine: 4 });
  const { browser: other } = await enter(room);
  const { browser, left } = await enter(room);
  browser.say("ééé");
  browser.say("/nick");
  browser.say("é12");
  const types = [await browser.next(), await browser.next(), await browser.next()];
  assert.deepEqual(types.map(({ type }) => type), ["notice", "notice", "said"]);
  assert.match(JSON.stringify(types[0]), /at most 4 bytes: nobody got yours/);
  browser.say(new Uint8Array(1));
  await left;
  assert.deepEqual(browser.closed, [1003, "text only"]);
  await until(() => other.heard.length === 3, "leaving");
  assert.deepEqual(other.heard.map(({ type }) => type), ["joined", "said", "left"]);
});

test("chat messages: the longest line arrives whole, however it is escaped", async () => {
  const room = chatRoom({ maxLine: 4096 });
  const { browser: one } = await enter(room);
  for (const [character, escaped] of [["\x01", "\\x01"], ["\u202e", "\\u{202e}"], ["語", "語"]]) {
    const count = Math.floor(4096 / new TextEncoder().encode(character).length);
    one.say(character.repeat(count));
    assert.equal((await one.next() as { text: string }).text, escaped.repeat(count));
  }
});

test("chat messages: /quit closes with 1000, and the end of the server with 1001", async () => {
  const stop = new AbortController();
  const room = chatRoom({ signal: stop.signal });
  const one = await enter(room);
  const two = await enter(room);
  one.browser.say("/quit");
  await one.left;
  assert.deepEqual(one.browser.closed, [1000, undefined]);
  stop.abort();
  await two.left;
  assert.deepEqual(two.browser.closed, [1001, "the server is stopping"]);
  assert.deepEqual(two.browser.heard.at(-1), {
    type: "notice",
    text: "The server stops. Goodbye!",
  });
});

test("chat messages: one that takes nothing is reset, and the others go on", async () => {
  const room = chatRoom({ maxQueue: 2000, clock: new VirtualClock() });
  const { browser: stuck, left } = await enter(room, new Browser(true));
  const { browser } = await enter(room);
  for (let i = 0; stuck.closed === undefined; i++) {
    assert.ok(i < 100, "still there");
    browser.say(`${i} ${"x".repeat(100)}`);
    await browser.next();
  }
  await assert.rejects(left, { code: "ETIMEDOUT", message: /reads too slowly/ });
  await until(() => browser.heard.some(({ type }) => type === "left"), "leaving");
});
