import assert from "node:assert/strict";
import { test } from "node:test";
import type { SocketError } from "../../lib/base/errors.ts";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import type { Conn } from "../../lib/net/transport.ts";
import { IdleWatch } from "../../lib/serve/idle.ts";

/** The two ends of a connection. */
async function pair(): Promise<[Conn, Conn]> {
  const transport = new MemoryTransport();
  using listener = await transport.listen();
  return await Promise.all([transport.connect(listener.addr), listener.accept()]);
}

test("idle: a connection on which nothing moves is closed with ETIMEDOUT, at most a second late", async () => {
  const clock = new VirtualClock();
  const idle = new IdleWatch(10_000, clock);
  const [conn, peer] = await pair();
  idle.add(conn);
  const failures: SocketError[] = [];
  const reading = conn.read(new Uint8Array(1)).catch((error) => failures.push(error));
  await clock.advance(9999);
  assert.equal(failures.length, 0);
  await clock.advance(1001);
  await reading;
  assert.deepEqual(failures.map(({ code }) => code), ["ETIMEDOUT"]);
  assert.match(failures[0].message, /nothing moved for 10 s/);
  peer.close();
});

test("idle: time in which nothing is waited for does not count", async () => {
  const clock = new VirtualClock();
  const idle = new IdleWatch(10_000, clock);
  const [conn, peer] = await pair();
  let waits = false;
  const whys: SocketError[] = [];
  idle.add(conn, () => waits, (why) => whys.push(why));
  await clock.advance(60_000);
  assert.equal(whys.length, 0);
  waits = true;
  await clock.advance(11_000);
  assert.deepEqual(whys.map(({ code }) => code), ["ETIMEDOUT"]);
  conn.close();
  peer.close();
});

test("idle: delete() ends the watch, and a limit of 0 watches nothing", async () => {
  const clock = new VirtualClock();
  const [conn, peer] = await pair();
  for (const limit of [10_000, 0]) {
    const idle = new IdleWatch(limit, clock);
    idle.add(conn, undefined, () => assert.fail("closed"));
    if (limit > 0) idle.delete(conn);
    await clock.advance(60_000);
  }
  await conn.write(Uint8Array.of(1));
  assert.equal(await peer.read(new Uint8Array(1)), 1);
  conn.close();
  peer.close();
});

test("idle: a limit that is not a duration is refused", () => {
  assert.throws(() => new IdleWatch(-1), /RangeError: new IdleWatch takes milliseconds/);
  assert.throws(() => new IdleWatch("1" as never), /TypeError: new IdleWatch takes milliseconds/);
});
