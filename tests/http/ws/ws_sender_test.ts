// What leaves while the kernel still has what left before.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type Deferred, deferred } from "../../../lib/base/wait.ts";
import { DONE } from "../../../lib/net/conn_base.ts";
import { prepareMessage } from "../../../lib/http/ws/prepared_message.ts";
import { FrameSender } from "../../../lib/http/ws/sender.ts";
import type { Conn } from "../../../lib/net/transport.ts";
import { turn } from "../../support/helpers.ts";
import { test } from "../../support/runner.deno.ts";
import { TEXT } from "./ws_peer.ts";

/** A connection that has taken a write only when it is told so, and reads its bytes only then. */
class SlowConn {
  readonly #waiting: { bytes: Uint8Array; taken: Deferred<void> }[] = [];
  readonly taken: string[] = [];

  write(bytes: Uint8Array): Promise<void> {
    const taken = deferred<void>();
    this.#waiting.push({ bytes, taken });
    return taken.promise;
  }

  get writes(): number {
    return this.#waiting.length;
  }

  async take(): Promise<void> {
    const { bytes, taken } = this.#waiting.shift()!;
    this.taken.push(Buffer.from(bytes).toString("latin1"));
    taken.resolve();
    await turn();
  }
}

const WHOLE = { fin: true, compressed: false };

test("websocket: a frame stays as it is until it has left, whatever leaves behind it", async () => {
  const conn = new SlowConn();
  const sender = new FrameSender(conn as unknown as Conn, "server");
  const send = (text: string) => sender.send(TEXT, WHOLE, text);
  const all = [send("first"), sender.sendBytes(prepareMessage("prepared").frame)];
  await conn.take();
  all.push(send("second"));
  await conn.take();
  all.push(send("third"), send("x".repeat(0x20000)), send("fourth"));
  while (conn.writes > 0) await conn.take();
  await Promise.all(all);
  // The headers are left out.
  const texts = conn.taken.join("").match(/[a-z]+/g)!.map((text) => text.replaceAll("x", ""));
  assert.deepEqual(texts, ["first", "prepared", "second", "third", "", "fourth"]);
});

test("websocket: messages that wait leave in one write, and each write resolves with it", async () => {
  const conn = new SlowConn();
  const sender = new FrameSender(conn as unknown as Conn, "server");
  let done = 0;
  const all = ["a", "b", "c", "d"].map((text) => sender.send(TEXT, WHOLE, text).then(() => done++));
  assert.equal(conn.writes, 1);
  await conn.take();
  assert.deepEqual([conn.writes, done], [1, 1]);
  await conn.take();
  await Promise.all(all);
  assert.deepEqual(conn.taken, ["\x81\x01a", "\x81\x01b\x81\x01c\x81\x01d"]);
});

test("websocket: frames leave in order, prepared or not, where the kernel takes each at once", async () => {
  const taken: string[] = [];
  const write = (bytes: Uint8Array) => {
    taken.push(Buffer.from(bytes).toString("latin1"));
    return DONE;
  };
  const sender = new FrameSender({ write } as unknown as Conn, "server");
  const send = (text: string) => sender.send(TEXT, WHOLE, text);
  const { frame } = prepareMessage("p");
  await sender.sendBytes(frame);
  const all = [send("a"), send("b"), sender.sendBytes(frame), send("c"), send("d")];
  await Promise.all(all);
  await send("e");
  assert.equal(taken.join("").replaceAll("\x81\x01", ""), "pabpcde");
});
