// A program that was held up, by other programs or by a computation of its own: what its peers have
// sent meanwhile is read before any of them is taken for silent.

import assert from "node:assert/strict";
import { type Clock, setSweep } from "../../lib/base/clock.ts";
import { type Pinged, PingWatch } from "../../lib/http/ws/pings.ts";
import { serveLight } from "../../lib/http/server/server.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import { echo } from "../../lib/protocols/echo.ts";
import { serve } from "../../lib/serve/serve.ts";
import { bytes, turn } from "../support/helpers.ts";
import { GET, hearOne, hello } from "../support/http_helpers.ts";
import { test } from "../support/runner.deno.ts";

/** A clock whose timers can ring late. */
class LateClock implements Clock {
  #now = 0;
  readonly #timers = new Set<{ at: number; fn: () => void }>();

  now(): number {
    return this.#now;
  }

  setTimer(ms: number, fn: () => void): () => void {
    const timer = { at: this.#now + ms, fn };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Nothing runs for so many milliseconds. Then what is due rings, before anything else runs. */
  holdUp(ms: number): void {
    this.#now += ms;
    for (const timer of [...this.#timers]) {
      if (timer.at <= this.#now && this.#timers.delete(timer)) timer.fn();
    }
  }

  /** So many milliseconds pass, and everything runs in time. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left >= 0; left -= 250) {
      await turn();
      this.holdUp(Math.min(left, 250));
    }
    await turn();
  }
}

test("held up: a sweep that is late lets the event loop have a turn before it", () => {
  const clock = new LateClock();
  const seen: boolean[] = [];
  const look = () => setSweep(clock, 1000, (isLate) => seen.push(isLate));
  look();
  clock.holdUp(1250);
  assert.deepEqual(seen, [false]);
  look();
  clock.holdUp(1251);
  assert.deepEqual(seen, [false]);
  clock.holdUp(0);
  assert.deepEqual(seen, [false, true]);
  const cancel = look();
  clock.holdUp(2000);
  cancel();
  clock.holdUp(2000);
  assert.deepEqual(seen, [false, true]);
});

for (const isNew of [true, false]) {
  const which = isNew ? "the first request of a new connection" : "the next request";
  test(`held up: ${which} that came meanwhile is answered, by a server that stops and by one that does not`, async () => {
    for (const stops of [true, false]) {
      // A server that stops closes who has had a request at once.
      if (stops && !isNew) continue;
      const clock = new LateClock();
      const transport = new MemoryTransport();
      const listener = await transport.listen({ port: 80 });
      await using server = serveLight(listener, hello, { clock });
      using conn = await transport.connect({ host: "localhost", port: 80 });
      await turn();
      if (!isNew) {
        await conn.write(bytes(GET));
        await hearOne(conn);
      }
      if (stops) void server.stop();
      void conn.write(bytes(GET));
      clock.holdUp(100_000);
      const heard = hearOne(conn);
      await clock.pass(500);
      assert.match(await heard, /hello$/);
      conn.close();
      await turn();
    }
  });
}

test("held up: a connection that came meanwhile is new, although the server stops just then", async () => {
  const clock = new LateClock();
  const transport = new MemoryTransport();
  const listener = await transport.listen({ port: 80 });
  await using server = serveLight(listener, hello, { clock });
  using idle = await transport.connect({ host: "localhost", port: 80 });
  await turn();
  const connecting = transport.connect({ host: "localhost", port: 80 });
  clock.holdUp(2000);
  using conn = await connecting;
  await turn();
  void server.stop();
  await turn();
  clock.holdUp(0);
  await conn.write(bytes(GET));
  const heard = hearOne(conn);
  await clock.pass(500);
  assert.match(await heard, /hello$/);
  assert.equal(await idle.read(new Uint8Array(1)), null);
});

test("held up: a head whose first half came meanwhile has all its time", async () => {
  const clock = new LateClock();
  const transport = new MemoryTransport();
  const listener = await transport.listen({ port: 80 });
  await using _server = serveLight(listener, hello, { clock });
  using conn = await transport.connect({ host: "localhost", port: 80 });
  await turn();
  void conn.write(bytes(GET.slice(0, 9)));
  clock.holdUp(100_000);
  await clock.pass(14_000);
  await conn.write(bytes(GET.slice(9)));
  const heard = hearOne(conn);
  await clock.pass(500);
  assert.match(await heard, /hello$/);
});

test("held up: a connection whose bytes came meanwhile was not idle", async () => {
  const clock = new LateClock();
  const transport = new MemoryTransport();
  const listener = await transport.listen({ port: 80 });
  await using _server = serve(listener, echo(), { clock, idleTimeout: 4000 });
  using conn = await transport.connect({ host: "localhost", port: 80 });
  await turn();
  void conn.write(bytes("hello"));
  clock.holdUp(5000);
  const heard = conn.read(new Uint8Array(9));
  await clock.pass(500);
  assert.equal(await heard, 5);
  await clock.pass(4500);
  assert.equal(await conn.read(new Uint8Array(9)), null);
});

test("held up: a WebSocket whose Pong came meanwhile is not lost", async () => {
  const clock = new LateClock();
  const watch = new PingWatch(clock, 30_000);
  let heard = false;
  const calls: string[] = [];
  const peer: Pinged = {
    heard: () => heard,
    sendPing: () => calls.push("ping"),
    lose: () => calls.push("lose"),
  };
  watch.add(peer);
  await clock.pass(30_000);
  assert.deepEqual(calls, ["ping"]);
  void Promise.resolve().then(() => heard = true);
  clock.holdUp(40_000);
  await clock.pass(50);
  assert.deepEqual(calls, ["ping"]);
  heard = false;
  await clock.pass(60_000);
  assert.deepEqual(calls, ["ping", "ping", "lose"]);
  watch.delete(peer);
});
