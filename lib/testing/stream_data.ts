/**
 * The part of the contract about bytes: what is written arrives, in order, and memory stays bounded.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { SocketError } from "../base/errors.ts";
import type { Conn } from "../net/transport.ts";
import type { StreamSuite } from "./stream_suite.ts";
import {
  assertReads,
  begun,
  bytes,
  echoAll,
  MIB,
  randomBytes,
  readAll,
  readExactly,
  readText,
  refuses,
  rejects,
} from "./support.ts";

/** Registers the tests. */
export function testData(suite: StreamSuite): void {
  const { test, pair, listen, connect, mostUnread, unsendable } = suite;

  test("1 MiB of random bytes goes both ways at once", async () => {
    using ends = await pair();
    const { client, server } = ends;
    const [up, down] = [randomBytes(MIB), randomBytes(MIB)];
    const send = async (conn: Conn, data: Uint8Array) => {
      for (let at = 0; at < data.length; at += 4096) await conn.write(data.subarray(at, at + 4096));
      await conn.closeWrite();
    };
    const [, , gotUp, gotDown] = await Promise.all([
      send(client, up),
      send(server, down),
      readAll(server),
      readAll(client),
    ]);
    assert.ok(gotUp.equals(up));
    assert.ok(gotDown.equals(down));
  });

  test("ping-pong: 1,000 messages, each waiting for the last", async () => {
    using ends = await pair();
    const play = async (conn: Conn, starts: boolean) => {
      const ball = new Uint8Array(8);
      const view = new DataView(ball.buffer);
      if (starts) await conn.write(ball);
      for (let last = 0; last < 998;) {
        ball.set(await readExactly(conn, 8));
        last = view.getUint32(0);
        view.setUint32(0, last + 1);
        await conn.write(ball);
      }
    };
    await Promise.all([play(ends.client, true), play(ends.server, false)]);
  });

  test("100 conversations at once do not mix", async () => {
    using listener = await listen();
    const serving = begun((async () => {
      for (let i = 0; i < 100; i++) void begun(echoAll(await listener.accept()));
    })());
    await Promise.all(Array.from({ length: 100 }, async () => {
      using conn = await connect(listener.addr);
      const said = randomBytes(10_000);
      const [heard] = await Promise.all([readExactly(conn, said.length), conn.write(said)]);
      assert.deepEqual(heard, said);
    }));
    await serving;
  });

  test("read takes what fits and keeps the rest", async () => {
    using ends = await pair();
    await ends.client.write(bytes("0123456789"));
    await ends.client.closeWrite();
    const p = new Uint8Array(4);
    let text = "";
    for (let n; (n = await ends.server.read(p)) !== null;) {
      assert.ok(n >= 1 && n <= 4);
      text += new TextDecoder().decode(p.subarray(0, n));
    }
    assert.equal(text, "0123456789");
  });

  test("read writes only into its buffer, and only what it reports", async () => {
    using ends = await pair();
    const whole = new Uint8Array(32).fill(7);
    await ends.client.write(bytes("abc"));
    assert.equal(await ends.server.read(whole.subarray(8, 16)), 3);
    assert.deepEqual([...whole.subarray(0, 8)], Array(8).fill(7));
    assert.deepEqual([...whole.subarray(16)], Array(16).fill(7));
  });

  test("the writer's buffer is free once write resolves", async () => {
    using ends = await pair();
    const p = bytes("first");
    await ends.client.write(p);
    p.set(bytes("XXXXX"));
    assert.equal(await readText(ends.server, 5), "first");
  });

  test("a peer that does not read holds the writer back, and lets it go on when it does", async () => {
    using ends = await pair();
    using other = await pair();
    const data = unsendable();
    let written = false;
    const writing = begun(ends.client.write(data).then(() => written = true));
    for (let i = 0; i < 100; i++) {
      await other.client.write(bytes("tick"));
      await readExactly(other.server, 4);
    }
    assert.equal(written, false);
    assert.ok(
      ends.client.bytesWritten <= mostUnread,
      `${ends.client.bytesWritten} bytes are gone`,
    );
    await assertReads(ends.server, data);
    await writing;
    assert.equal(ends.client.bytesWritten, data.length);
    assert.equal(ends.server.bytesRead, data.length);
  });

  test("a loop of writes that never have to wait still lets timers ring", async () => {
    using ends = await pair();
    let rang = false;
    const timer = setTimeout(() => {
      rang = true;
      // Nobody reads, so a write may have to wait by now.
      ends.client.close();
    }, 0);
    try {
      for (let i = 0; i < 50_000 && !rang; i++) await ends.client.write(bytes("x"));
    } catch (error) {
      assert.equal((error as SocketError).code, "ECLOSED");
    }
    clearTimeout(timer);
    assert.ok(rang);
  });

  test("a write of no bytes sends nothing, and a read into an empty buffer is a RangeError", async () => {
    using ends = await pair();
    await ends.client.write(new Uint8Array(0));
    await refuses(ends.client.read(new Uint8Array(0)));
    await ends.client.write(bytes("x"));
    assert.equal(await ends.server.read(new Uint8Array(8)), 1);
    assert.equal(ends.client.bytesWritten, 1);
  });

  test("writes that nobody awaits arrive in order, and FIN behind them", async () => {
    using ends = await pair();
    const { client, server } = ends;
    const lines = Array.from({ length: 1000 }, (_, i) => `line ${i}\n`);
    const taken: number[] = [];
    const writes = lines.map((line, i) =>
      begun(client.write(bytes(line)).then(() => taken.push(i)))
    );
    const ended = begun(client.closeWrite());
    await rejects(client.write(bytes("too late")), "EPIPE");
    assert.equal(Buffer.from(await readAll(server)).toString(), lines.join(""));
    await Promise.all([...writes, ended]);
    assert.deepEqual(taken, [...lines.keys()]);
    assert.equal(client.bytesWritten, lines.join("").length);
  });

  test("writes queue behind one that has to wait, each with its own end, and FIN behind them", async () => {
    using ends = await pair();
    const { client, server } = ends;
    const data = unsendable();
    const settled: string[] = [];
    const note = (name: string) => () => void settled.push(name);
    const writes = [
      client.write(data).then(note("large")),
      client.write(bytes("small")).then(note("small")),
      client.closeWrite().then(note("FIN")),
      client.closeWrite(),
    ].map(begun);
    await client.write(new Uint8Array(0)).catch((error) => assert.equal(error.code, "EPIPE"));
    assert.deepEqual(settled, []);
    await assertReads(server, data);
    assert.equal(Buffer.from(await readAll(server)).toString(), "small");
    await Promise.all(writes);
    assert.deepEqual(settled, ["large", "small", "FIN"]);
  });

  test("a second read or accept at the same time is EBUSY, and the first goes on", async () => {
    using ends = await pair();
    const { client, server, listener } = ends;
    const reading = begun(client.read(new Uint8Array(8)));
    await rejects(client.read(new Uint8Array(8)), "EBUSY");
    const accepting = begun(listener.accept());
    await rejects(listener.accept(), "EBUSY");
    await server.write(bytes("hello"));
    assert.equal(await reading, 5);
    using second = await connect(listener.addr);
    using accepted = await accepting;
    assert.deepEqual(accepted.remoteAddr, second.localAddr);
  });
}
