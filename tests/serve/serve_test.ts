import assert from "node:assert/strict";
import process from "node:process";
import { setImmediate } from "node:timers";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { deferred } from "../../lib/base/wait.ts";
import { echo } from "../../lib/protocols/echo.ts";
import type { TcpAddr } from "../../lib/base/addr.ts";
import { type SocketErrorCode } from "../../lib/base/error_codes.ts";
import { SocketError } from "../../lib/base/errors.ts";
import { ServerMetrics } from "../../lib/metrics/mod.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import { serve } from "../../lib/serve/serve.ts";
import type { StopOptions } from "../../lib/serve/server.ts";
import type { Conn, Listener } from "../../lib/net/transport.ts";
import { bytes, readText, rejects } from "../support/helpers.ts";
import { test } from "../support/runner.deno.ts";

/** A listener on memory, a signal to stop with, and a clock to turn. */
async function setUp() {
  const transport = new MemoryTransport();
  const listener = await transport.listen({ port: 7 });
  const stop = new AbortController();
  const clock = new VirtualClock();
  const connect = (localAddress?: string) =>
    transport.connect({ host: "localhost", port: 7, localAddress });
  return { listener, stop, clock, connect, options: { signal: stop.signal, clock } };
}

test("serve: each connection gets a conversation, and is closed when it ends", async () => {
  const { listener, stop, connect, options } = await setUp();
  const served = serve(listener, (conn) => conn.write(bytes("hello")), options).finished;
  for (let i = 0; i < 3; i++) {
    using conn = await connect();
    assert.equal(await readText(conn, 5), "hello");
    assert.equal(await conn.read(new Uint8Array(1)), null);
  }
  stop.abort();
  assert.deepEqual(await served, { accepted: 3, refused: 0, reset: 0 });
});

test("serve: a handler that throws hurts no other, and its error is told", async () => {
  const { listener, stop, connect, options } = await setUp();
  const told: unknown[] = [];
  const echoing = echo();
  let first = true;
  const served = serve(listener, (conn, conversation) => {
    if (!first) return echoing(conn, conversation);
    first = false;
    throw new TypeError("a mistake");
  }, { ...options, onError: (error) => told.push(error) }).finished;
  using broken = await connect();
  using fine = await connect();
  assert.equal(await broken.read(new Uint8Array(1)), null);
  await fine.write(bytes("still here"));
  assert.equal(await readText(fine, 10), "still here");
  assert.equal((told[0] as Error).message, "a mistake");
  fine.close();
  stop.abort();
  await served;
});

test("serve: at maxConnections the next one waits until one leaves", async () => {
  const { listener, stop, connect, options } = await setUp();
  const served = serve(listener, echo(), { ...options, maxConnections: 2 }).finished;
  const [first, second, third] = [await connect(), await connect(), await connect()];
  await Promise.all([first, second, third].map((conn) => conn.write(bytes("x"))));
  await readText(first, 1);
  await readText(second, 1);
  let answered = false;
  const thirdAnswer = readText(third, 1).then(() => answered = true);
  await options.clock.advance(1000);
  assert.equal(answered, false);
  first.close();
  await thirdAnswer;
  second.close();
  third.close();
  stop.abort();
  assert.deepEqual(await served, { accepted: 3, refused: 0, reset: 0 });
});

test("serve: evict is asked for a newcomer's place until one ends", async () => {
  const { listener, stop, clock, connect, options } = await setUp();
  const open: Conn[] = [];
  let asked = 0;
  const served = serve(listener, async (conn, told) => {
    open.push(conn);
    await echo()(conn, told);
  }, {
    ...options,
    maxConnections: 2,
    // There is none to be ended at first.
    evict: () => {
      if (++asked < 3) return false;
      open.shift()!.close();
      return true;
    },
  }).finished;
  const [first, second, third] = [await connect(), await connect(), await connect()];
  await third.write(bytes("x"));
  await clock.advance(500);
  assert.equal(await first.read(new Uint8Array(1)).catch(() => null), null);
  assert.equal(await readText(third, 1), "x");
  assert.equal(asked, 3);
  second.close();
  third.close();
  stop.abort();
  assert.deepEqual(await served, { accepted: 3, refused: 0, reset: 0 });
});

test("serve: of those that wait, the ones that give way come last, and of too many they are reset", async () => {
  const { listener, stop, clock, connect, options } = await setUp();
  const metrics = new ServerMetrics();
  const asked: string[] = [];
  const hostOf = ({ remoteAddr }: Conn) => (remoteAddr as TcpAddr).host;
  const served = serve(listener, echo(), {
    ...options,
    metrics,
    maxConnections: 1,
    evict: (newcomer) => {
      asked.push(hostOf(newcomer));
      return false;
    },
    givesWay: (newcomer) => hostOf(newcomer) === "192.0.2.2",
  }).finished;
  const counted = () =>
    ["queued_connections", 'rejected_connections_total{reason="queue_full"}'].map((name) => {
      const line = metrics.text().split("\n").find((line) =>
        line.startsWith(`plainsocket_${name}`)
      );
      return Number(line?.split(" ")[1] ?? 0);
    });
  const isReset = (conn: Conn) => conn.write(bytes("x")).then(() => false, () => true);
  const first = await connect();
  const crowd: Conn[] = [];
  for (let i = 0; i < 513; i++) crowd.push(await connect("192.0.2.2"));
  await clock.advance(0);
  assert.deepEqual(counted(), [512, 1]);
  assert.deepEqual([await isReset(crowd[511]), await isReset(crowd[512])], [false, true]);
  const others = [await connect("192.0.2.3"), await connect("192.0.2.4")];
  await clock.advance(0);
  assert.deepEqual(counted(), [512, 3]);
  assert.deepEqual([await isReset(crowd[509]), await isReset(crowd[510])], [false, true]);
  assert.equal(asked.at(-1), "192.0.2.3");

  first.close();
  for (const conn of [...others, crowd[0], crowd[1]]) {
    await conn.write(bytes("y"));
    assert.equal(await readText(conn, 1), "y");
    conn.close();
  }
  for (const conn of crowd) conn.close();
  stop.abort();
  await served;
  assert.equal(counted()[0], 0);
});

test("serve: those that give way leave a sixteenth of the places to others", async () => {
  const { listener, stop, clock, connect, options } = await setUp();
  const served = serve(listener, echo(), {
    ...options,
    maxConnections: 16,
    evict: () => false,
    givesWay: ({ remoteAddr }) => (remoteAddr as TcpAddr).host === "192.0.2.2",
  }).finished;
  const ask = async (conn: Conn) => {
    await conn.write(bytes("x"));
    return await readText(conn, 1);
  };
  const open: Conn[] = [];
  for (let i = 0; i < 16; i++) open.push(await connect());
  using waits = await connect("192.0.2.2");
  let isServed = false;
  const heard = ask(waits).then(() => isServed = true);
  await clock.advance(0);
  open[0].close();
  await clock.advance(0);
  for (let i = 0; i < 3; i++) {
    assert.equal(isServed, false);
    using other = await connect("192.0.2.3");
    assert.equal(await ask(other), "x");
  }
  open[1].close();
  await heard;
  for (const conn of open) conn.close();
  waits.close();
  stop.abort();
  await served;
});

test("serve: when too many wait, and none gives way, the next ones stay in the backlog", async () => {
  const { listener, stop, clock, connect, options } = await setUp();
  const served = serve(listener, echo(), {
    ...options,
    maxConnections: 1,
    evict: () => false,
  }).finished;
  const conns: Conn[] = [];
  for (let i = 0; i < 515; i++) conns.push(await connect());
  await clock.advance(0);
  for (const conn of conns) {
    await conn.write(bytes("x"));
    assert.equal(await readText(conn, 1), "x");
    conn.close();
  }
  stop.abort();
  assert.deepEqual(await served, { accepted: 515, refused: 0, reset: 0 });
});

test("serve: what evict throws ends the server, after a drain", async () => {
  const { listener, clock, connect, options } = await setUp();
  const mistake = new TypeError("a mistake");
  const served = serve(listener, echo(), {
    ...options,
    maxConnections: 1,
    evict: () => {
      throw mistake;
    },
  }).finished;
  using first = await connect();
  using second = await connect();
  await assert.rejects(second.read(new Uint8Array(1)), { code: "ECONNRESET" });
  await first.write(bytes("x"));
  assert.equal(await readText(first, 1), "x");
  first.close();
  await clock.advance(0);
  await assert.rejects(served, mistake);
});

test("serve: a connection on which nothing moves is closed with ETIMEDOUT, a busy one is not", async () => {
  const { listener, stop, clock, connect, options } = await setUp();
  const told: SocketError[] = [];
  const served = serve(listener, echo(), {
    ...options,
    idleTimeout: 60_000,
    onError: (error) => told.push(error as SocketError),
  }).finished;
  using silent = await connect();
  using busy = await connect();
  for (let second = 0; second < 62; second += 2) {
    await busy.write(bytes("x"));
    await readText(busy, 1);
    await clock.advance(2000);
  }
  assert.equal(await silent.read(new Uint8Array(1)), null);
  assert.deepEqual(told.map(({ code }) => code), ["ETIMEDOUT"]);
  assert.match(told[0].message, /nothing moved for 60 s/);
  await busy.write(bytes("y"));
  assert.equal(await readText(busy, 1), "y");
  busy.close();
  stop.abort();
  await served;
});

test("serve: a large write that moves slowly is not idle", async () => {
  const { listener, stop, clock, connect, options } = await setUp();
  const size = 1024 * 1024;
  const served = serve(listener, (conn) => conn.write(new Uint8Array(size)), {
    ...options,
    idleTimeout: 4000,
  }).finished;
  using conn = await connect();
  const p = new Uint8Array(64 * 1024);
  let got = 0;
  for (let n; (n = await conn.read(p)) !== null; got += n) await clock.advance(3000);
  assert.equal(got, size);
  stop.abort();
  await served;
});

test("serve: stopping lets conversations finish", async () => {
  const { listener, stop, connect, options } = await setUp();
  const served = serve(listener, echo(), options).finished;
  using conn = await connect();
  await conn.write(bytes("before"));
  assert.equal(await readText(conn, 6), "before");
  stop.abort();
  await rejects(connect(), "ECONNREFUSED");
  await conn.write(bytes("after"));
  assert.equal(await readText(conn, 5), "after");
  await conn.closeWrite();
  assert.equal(await conn.read(new Uint8Array(1)), null);
  assert.deepEqual(await served, { accepted: 1, refused: 0, reset: 0 });
});

test("serve: what has not finished after the drain timeout is reset", async () => {
  const { listener, stop, clock, connect, options } = await setUp();
  const served = serve(listener, echo(), { ...options, drainTimeout: 5000 }).finished;
  using conn = await connect();
  await conn.write(bytes("x"));
  await readText(conn, 1);
  stop.abort();
  let over = false;
  void served.then(() => over = true);
  await clock.advance(4999);
  assert.equal(over, false);
  await clock.advance(1);
  assert.deepEqual(await served, { accepted: 1, refused: 0, reset: 1 });
  await rejects(conn.read(new Uint8Array(1)), "ECONNRESET");
});

test("serve: a handler that waits for something else is told when it is over", async () => {
  const { listener, stop, clock, connect, options } = await setUp();
  const reasons: SocketError[] = [];
  const served = serve(
    listener,
    (_, { signal }) =>
      new Promise((resolve) =>
        signal.addEventListener("abort", () => {
          reasons.push(signal.reason);
          resolve();
        })
      ),
    { ...options, idleTimeout: 60_000, drainTimeout: 1000 },
  ).finished;
  using idle = await connect();
  await clock.advance(62_000);
  assert.equal(await idle.read(new Uint8Array(1)), null);
  using late = await connect();
  await clock.advance(0);
  stop.abort();
  await clock.advance(1000);
  assert.deepEqual(await served, { accepted: 2, refused: 0, reset: 1 });
  await rejects(late.read(new Uint8Array(1)), "ECONNRESET");
  assert.deepEqual(reasons.map(({ code }) => code), ["ETIMEDOUT", "ECLOSED"]);
});

test("serve: a handler that ignores its reset does not hold up the end", async () => {
  const { listener, stop, clock, connect, options } = await setUp();
  const release = deferred<void>();
  const served = serve(listener, () => release.promise, { ...options, drainTimeout: 0 }).finished;
  using conn = await connect();
  await clock.advance(0);
  stop.abort();
  // The reset comes a turn of the event loop later; only then does the clock count for the handler.
  await rejects(conn.read(new Uint8Array(1)), "ECONNRESET");
  await clock.advance(2000);
  assert.deepEqual(await served, { accepted: 1, refused: 0, reset: 1 });
  release.resolve();
});

test("serve: a signal aborted before, or a listener closed by hand, ends it too", async () => {
  const first = await setUp();
  first.stop.abort();
  assert.deepEqual(await serve(first.listener, echo(), first.options).finished, {
    accepted: 0,
    refused: 0,
    reset: 0,
  });
  const second = await setUp();
  const served = serve(second.listener, echo(), second.options).finished;
  second.listener.close();
  assert.deepEqual(await served, { accepted: 0, refused: 0, reset: 0 });
});

test("serve: the server has the address of its listener, and is no promise", async () => {
  const { listener, options } = await setUp();
  await using server = serve(listener, echo(), options);
  assert.equal(server.addr, listener.addr);
  assert.equal("then" in server, false);
});

test("serve: stop() drains as the signal does, and what it resolves to is finished", async () => {
  const { listener, clock, connect } = await setUp();
  const server = serve(listener, echo(), { clock, drainTimeout: 5000 });
  using conn = await connect();
  await conn.write(bytes("x"));
  await readText(conn, 1);
  let over = false;
  const stopped = server.stop().then((summary) => {
    over = true;
    return summary;
  });
  await rejects(connect(), "ECONNREFUSED");
  await clock.advance(4999);
  assert.equal(over, false);
  await clock.advance(1);
  assert.deepEqual(await stopped, { accepted: 1, refused: 0, reset: 1 });
  assert.equal(await server.stop(), await server.finished);
});

test("serve: a later stop() cuts the drain short if its drain timeout ends earlier", async () => {
  const { listener, clock, connect } = await setUp();
  const server = serve(listener, echo(), { clock, drainTimeout: 5000 });
  using conn = await connect();
  await conn.write(bytes("x"));
  await readText(conn, 1);
  void server.stop({ drainTimeout: 60_000 });
  // Neither of them says how long.
  void server.stop();
  void server[Symbol.asyncDispose]();
  let over = false;
  void server.finished.then(() => over = true);
  await clock.advance(10_000);
  assert.equal(over, false);
  void server.stop({ drainTimeout: 1000 });
  await clock.advance(999);
  assert.equal(over, false);
  await clock.advance(1);
  assert.equal((await server.finished).reset, 1);
});

test("serve: stop({ drainTimeout: 0 }) after a stop() resets what is left at once", async () => {
  const { listener, clock, connect } = await setUp();
  const server = serve(listener, echo(), { clock, drainTimeout: 5000 });
  using conn = await connect();
  await conn.write(bytes("x"));
  await readText(conn, 1);
  void server.stop();
  await clock.advance(1);
  assert.equal((await server.stop({ drainTimeout: 0 })).reset, 1);
  assert.equal(clock.now(), 1);
  await rejects(conn.read(new Uint8Array(1)), "ECONNRESET");
});

test("serve: stop() may have a drain timeout of its own, which a longer one does not change", async () => {
  const { listener, clock, connect } = await setUp();
  const server = serve(listener, echo(), { clock, drainTimeout: 5000 });
  using conn = await connect();
  await conn.write(bytes("x"));
  await readText(conn, 1);
  void server.stop({ drainTimeout: 1000 });
  void server.stop({ drainTimeout: 60_000 });
  await clock.advance(1000);
  assert.equal((await server.finished).reset, 1);
  assert.throws(() => void server.stop({ drainTimeout: -1 }), { name: "RangeError" });
  assert.throws(() => void server.stop({ grace: 1 } as StopOptions), /"grace"/);
});

test("serve: stop() serves those who wait for a place, too, and tells them that it stops", async () => {
  for (const evict of [undefined, () => false]) {
    const { listener, connect, options } = await setUp();
    let told = 0;
    const server = serve(listener, (conn, conversation) => {
      conversation.stopping.addEventListener("abort", () => told++);
      return echo()(conn, conversation);
    }, { ...options, maxConnections: 1, evict });
    using conn = await connect();
    await conn.write(bytes("x"));
    await readText(conn, 1);
    using waiting = await connect();
    const stopped = server.stop();
    await waiting.write(bytes("y"));
    conn.close();
    assert.equal(await readText(waiting, 1), "y");
    waiting.close();
    assert.deepEqual(await stopped, { accepted: 2, refused: 0, reset: 0 });
    assert.equal(told, 2);
  }
});

test("serve: who still waits for a place when the drain timeout is over is reset", async () => {
  for (const evict of [undefined, () => false]) {
    const { listener, clock, connect, options } = await setUp();
    const serving = { ...options, maxConnections: 1, drainTimeout: 5000, evict };
    const server = serve(listener, echo(), serving);
    using conn = await connect();
    await conn.write(bytes("x"));
    await readText(conn, 1);
    using waiting = await connect();
    const stopped = server.stop();
    await clock.advance(5000);
    assert.deepEqual(await stopped, { accepted: 1, refused: 0, reset: 1 });
    await rejects(waiting.read(new Uint8Array(1)), "ECONNRESET");
  }
});

test("serve: `await using` stops it at the end of the block", async () => {
  const { listener, connect, options } = await setUp();
  {
    await using _server = serve(listener, echo(), options);
    using conn = await connect();
    await conn.write(bytes("hello"));
    assert.equal(await readText(conn, 5), "hello");
  }
  await rejects(connect(), "ECONNREFUSED");
});

test("serve: a failure is there for who waits later, and until then unhandled by nobody", async () => {
  const { listener, options } = await setUp();
  const unhandled: unknown[] = [];
  const note = (error: unknown) => void unhandled.push(error);
  process.on("unhandledRejection", note);
  const server = serve(failingListener(["EUNKNOWN"], listener), echo(), options);
  // It has failed, and the runtime has had its turns to tell.
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  await rejects(server.stop(), "EUNKNOWN");
  await rejects(server.finished, "EUNKNOWN");
  process.removeListener("unhandledRejection", note);
  assert.deepEqual(unhandled, []);
});

/** A listener whose accept fails with these codes, one after the other, and is then closed. */
function failingListener(codes: SocketErrorCode[], inner: Listener): Listener {
  return {
    addr: inner.addr,
    accept(): Promise<Conn> {
      const code = codes.shift();
      return Promise.reject(new SocketError(code ?? "ECLOSED", "accept", { addr: inner.addr }));
    },
    stop: () => inner.stop(),
    close: () => inner.close(),
    [Symbol.dispose]: () => inner.close(),
    [Symbol.asyncIterator]: () => inner[Symbol.asyncIterator](),
  };
}

test("serve: out of descriptors, it waits 5 ms, then twice as long, at most a second", async () => {
  const { listener, clock, options } = await setUp();
  const codes: SocketErrorCode[] = Array(12).fill("EMFILE");
  const served = serve(failingListener(codes, listener), echo(), options).finished;
  const left: number[] = [];
  for (let wait = 5; wait < 4000; wait *= 2) {
    await clock.advance(Math.min(wait, 1000));
    left.push(codes.length);
  }
  assert.deepEqual(left, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
  await clock.advance(3000);
  await served;
});

test("serve: an accept that fails for good ends it with that error, after a drain", async () => {
  const { listener, clock, connect, options } = await setUp();
  const codes: SocketErrorCode[] = ["ECONNABORTED"];
  const failing = failingListener(codes, listener);
  const accept = () => codes.length > 0 ? failing.accept() : listener.accept();
  const served = rejects(serve({ ...failing, accept }, echo(), options).finished, "EUNKNOWN");
  using conn = await connect();
  await conn.write(bytes("x"));
  await readText(conn, 1);
  codes.push("EUNKNOWN");
  using _second = await connect();
  await clock.advance(10_000);
  await served;
  await rejects(conn.read(new Uint8Array(1)), "ECONNRESET");
  await rejects(listener.accept(), "ECLOSED");
});

test("serve: 1,000 visitors at once all get their echo", async () => {
  const { listener, stop, connect, options } = await setUp();
  const served = serve(listener, echo(), { ...options, maxConnections: 100 }).finished;
  let answered = 0;
  await Promise.all(Array.from({ length: 1000 }, async (_, i) => {
    using conn = await connect();
    await conn.write(bytes(String(i)));
    assert.equal(await readText(conn, String(i).length), String(i));
    answered++;
  }));
  assert.equal(answered, 1000);
  stop.abort();
  assert.deepEqual(await served, { accepted: 1000, refused: 0, reset: 0 });
});

test("serve: the drain timeout counts from the signal, however long the listener takes to close", async () => {
  const { listener, stop, clock, connect, options } = await setUp();
  const noticed = deferred<void>();
  // As a runtime's accept() that rejects some time after its listener was closed.
  const slow: Listener = Object.assign(Object.create(listener), {
    addr: listener.addr,
    stop: () => listener.stop(),
    close: () => listener.close(),
    accept: () =>
      listener.accept().catch(async (error) => {
        await noticed.promise;
        throw error;
      }),
  });
  const silent = deferred<void>();
  const served = serve(slow, (_, { signal }) => {
    signal.addEventListener("abort", () => silent.resolve());
    return silent.promise;
  }, { ...options, drainTimeout: 5000 }).finished;
  using _client = await connect();
  await clock.advance(1);
  stop.abort();
  await clock.advance(5000);
  noticed.resolve();
  assert.equal((await served).reset, 1);
});

test("serve: without a drain, a handler that ends because the server does is not reset", async () => {
  const { listener, stop, clock, connect, options } = await setUp();
  const served = serve(listener, async (_, { signal }) => {
    await new Promise((resolve) => stop.signal.addEventListener("abort", resolve));
    assert.equal(signal.aborted, false);
  }, { ...options, drainTimeout: 0 }).finished;
  using _client = await connect();
  await clock.advance(1);
  stop.abort();
  assert.equal((await served).reset, 0);
});
