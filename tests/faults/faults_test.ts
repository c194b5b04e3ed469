import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { faulty, type FaultyOptions } from "../../lib/faults/faulty.ts";
import { FaultPlanError, parseFaultPlan } from "../../lib/faults/parse.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import type { Conn, Transport } from "../../lib/net/transport.ts";
import type { SocketEvent } from "../../lib/observe/events.ts";
import { observe } from "../../lib/observe/observe.ts";

/** What {@linkcode chances} gives for the seed 7. */
const FAULTS_OF_SEED_7 = [
  "3031323334 12.203, 3536373839 17.203",
  "303132 21.230, 3334353637 26.230, 3839 31.230",
  "303196 62.378, 33343536 67.378, 373839 72.378",
  "30311f33 16.560, 3435 21.560, 363738 26.560, 39 31.560",
  "303121333435 25.223, 3637 30.223, 3839 35.223",
  "2 0 3 5 6 8 7 9 11 10 12 13 15 14 17 16 18 19",
];

const HERE = { host: "localhost", port: 7 };

/** A client without faults, the server's end of its connection with them, and the events of that. */
async function connected(
  plan: string,
  options: FaultyOptions = {},
): Promise<{ client: Conn; server: Conn; events: SocketEvent[]; transport: Transport }> {
  const inner = new MemoryTransport();
  const events: SocketEvent[] = [];
  const transport = faulty(observe(inner, (event) => events.push(event)), plan, options);
  const listener = await transport.listen(HERE);
  const [client, server] = await Promise.all([inner.connect(HERE), listener.accept()]);
  listener.close();
  return { client, server, events, transport };
}

/** Reads up to the end. */
async function readAll(conn: Conn): Promise<string> {
  const [buffer, pieces] = [new Uint8Array(1024), [] as Uint8Array[]];
  for (let n; (n = await conn.read(buffer)) !== null;) pieces.push(buffer.slice(0, n));
  return pieces.map((piece) => new TextDecoder().decode(piece)).join("");
}

const bytesOf = (text: string) => new TextEncoder().encode(text);

function faultsIn(events: readonly SocketEvent[]): string[] {
  return events.flatMap((event) =>
    event.type === "fault" ? [`${event.direction} ${event.fault} ${event.detail}`] : []
  );
}

test("faults: a connection that no rule is for is left as it is", async () => {
  const inner = new MemoryTransport();
  const listener = await faulty(inner, "conn=2: reset@0").listen(HERE);
  const [client, server] = await Promise.all([inner.connect(HERE), listener.accept()]);
  await client.write(bytesOf("hello"));
  client.close();
  assert.equal(await readAll(server), "hello");
  server.close();
  listener.close();
});

test("faults: reset@N of the answer: N bytes arrive, and then the reset", async () => {
  const { client, server, events } = await connected("down: reset@4");
  await server.write(bytesOf("123456"));
  const buffer = new Uint8Array(10);
  assert.equal(await client.read(buffer), 4);
  await assert.rejects(client.read(buffer), { code: "ECONNRESET" });
  const why = /^Cannot read from .*: a fault reset it \(ECONNRESET\)/;
  await assert.rejects(server.read(buffer), { code: "ECONNRESET", message: why });
  assert.deepEqual(faultsIn(events), ["down reset after 4 bytes"]);
  client.close();
  server.close();
});

test("faults: close@N: N bytes arrive, and then the end", async () => {
  const { client, server } = await connected("down: close@4");
  await server.write(bytesOf("123456"));
  assert.equal(await readAll(client), "1234");
  client.close();
  server.close();
});

test("faults: close@0 closes before the first byte", async () => {
  const { client, server } = await connected("up: close@0");
  assert.equal(await readAll(client), "");
  client.close();
  server.close();
});

test("faults: reset@TIME resets when the time has come, with nothing sent", async () => {
  const clock = new VirtualClock();
  const { client, server, events } = await connected("reset@2s", { clock });
  const reading = assert.rejects(client.read(new Uint8Array(1)), { code: "ECONNRESET" });
  await clock.advance(1999);
  assert.deepEqual(faultsIn(events), []);
  await clock.advance(1);
  await reading;
  assert.match(faultsIn(events)[0], /reset after 2000 ms/);
  client.close();
  server.close();
});

test("faults: stall@N: what comes after waits for ever, and the other direction goes on", async () => {
  const clock = new VirtualClock();
  const { client, server, events } = await connected("up: stall@3", { clock });
  await client.write(bytesOf("12345"));
  const buffer = new Uint8Array(10);
  assert.equal(await server.read(buffer), 3);
  const reading = server.read(buffer);
  await clock.advance(1_000_000);
  await server.write(bytesOf("hello"));
  assert.equal(await client.read(buffer), 5);
  assert.deepEqual(faultsIn(events), ["up stall after 3 bytes"]);
  server.close();
  await assert.rejects(reading, { code: "ECLOSED" });
  assert.equal(await client.read(buffer), null);
  client.close();
});

test("faults: a stalled direction holds the sender back", async () => {
  const { client, server } = await connected("up: stall@0");
  let taken = 0;
  const writing = (async () => {
    for (;;) {
      await client.write(new Uint8Array(16 * 1024));
      taken += 16 * 1024;
    }
  })();
  const ended = assert.rejects(writing, { code: "EPIPE" });
  await new Promise((resolve) => setTimeout(resolve, 0));
  server.close();
  await ended;
  assert.ok(taken <= 512 * 1024, String(taken));
  client.close();
});

test("faults: truncate@N: the end comes after N bytes, when the peer ends", async () => {
  const { client, server } = await connected("down: truncate@4");
  await server.write(bytesOf("123456"));
  await server.write(bytesOf("789"));
  await server.closeWrite();
  assert.equal(await readAll(client), "1234");
  client.close();
  server.close();
});

test("faults: corrupt@N changes one byte, the same one for the same seed", async () => {
  const corrupted = async (seed: number) => {
    const { client, server } = await connected("down: corrupt@4", { seed });
    await server.write(bytesOf("12"));
    await server.write(bytesOf("345678"));
    await server.closeWrite();
    const [buffer, got] = [new Uint8Array(10), [] as number[]];
    for (let n; (n = await client.read(buffer)) !== null;) got.push(...buffer.subarray(0, n));
    client.close();
    server.close();
    return got;
  };
  const good = [...bytesOf("12345678")];
  const bad = await corrupted(7);
  assert.deepEqual(bad.map((byte, i) => byte === good[i]).indexOf(false), 4);
  assert.equal(bad.filter((byte, i) => byte !== good[i]).length, 1);
  assert.deepEqual(await corrupted(7), bad);
  assert.notDeepEqual(await corrupted(8), bad);
});

test("faults: delay: everything arrives later, in its order, and what follows waits no longer", async () => {
  const clock = new VirtualClock();
  const { client, server } = await connected("down: delay=50ms", { clock });
  await server.write(bytesOf("1"));
  await clock.advance(10);
  await server.write(bytesOf("2"));
  const arrived: [number, string][] = [];
  const reading = (async () => {
    const buffer = new Uint8Array(10);
    for (let n; (n = await client.read(buffer)) !== null;) {
      arrived.push([clock.now(), new TextDecoder().decode(buffer.subarray(0, n))]);
    }
  })();
  await server.closeWrite();
  await clock.advance(100);
  await reading;
  assert.deepEqual(arrived, [[50, "1"], [60, "2"]]);
  client.close();
  server.close();
});

test("faults: jitter keeps the order and the bounds, and the seed decides", async () => {
  const timesOf = async (seed: number) => {
    const clock = new VirtualClock();
    const { client, server } = await connected("down: delay=50ms±40", { clock, seed });
    const times: number[] = [];
    const reading = (async () => {
      const buffer = new Uint8Array(1);
      for (let n = 0; n < 5; n++) {
        await client.read(buffer);
        times.push(clock.now());
        assert.equal(buffer[0], n);
      }
    })();
    for (let n = 0; n < 5; n++) {
      await server.write(Uint8Array.of(n));
      await clock.advance(1);
    }
    await clock.advance(100);
    await reading;
    client.close();
    server.close();
    return times;
  };
  const times = await timesOf(1);
  assert.ok(times.every((time, n) => time >= 10 && time <= n + 90), String(times));
  assert.deepEqual(await timesOf(1), times);
  assert.notDeepEqual(await timesOf(2), times);
});

test("faults: rate: bytes arrive no faster", async () => {
  const clock = new VirtualClock();
  const { client, server } = await connected("down: rate=1000", { clock });
  await server.write(new Uint8Array(500));
  await server.closeWrite();
  let [got, last] = [0, 0];
  const reading = (async () => {
    const buffer = new Uint8Array(1000);
    for (let n; (n = await client.read(buffer)) !== null;) {
      got += n;
      last = clock.now();
      assert.ok(got <= last, `${got} bytes after ${last} ms`);
    }
  })();
  await clock.advance(500);
  await reading;
  assert.deepEqual([got, last], [500, 500]);
  client.close();
  server.close();
});

test("faults: split=N: no read and no write has more than N bytes", async () => {
  const { client, server, events } = await connected("split=2");
  await client.write(bytesOf("12345"));
  const buffer = new Uint8Array(10);
  const sizes = [];
  for (let got = 0; got < 5; got += sizes.at(-1)!) sizes.push(await server.read(buffer));
  assert.deepEqual(sizes, [2, 2, 1]);
  await server.write(bytesOf("abcde"));
  await server.closeWrite();
  assert.equal(await readAll(client), "abcde");
  const sent = events.flatMap((event) => event.type === "send" ? [event.data.length] : []);
  assert.deepEqual(sent, [2, 2, 1]);
  client.close();
  server.close();
});

test("faults: coalesce: what comes within the time arrives at once", async () => {
  const clock = new VirtualClock();
  const { client, server, events } = await connected("down: coalesce=20ms", { clock });
  await server.write(bytesOf("1"));
  await clock.advance(10);
  await server.write(bytesOf("2"));
  await clock.advance(10);
  await server.write(bytesOf("3"));
  await clock.advance(20);
  await server.closeWrite();
  assert.equal(await readAll(client), "123");
  const sent = events.flatMap((event) => event.type === "send" ? [event.data.length] : []);
  assert.deepEqual(sent, [2, 1]);
  client.close();
  server.close();
});

test("faults: refuse: a server never sees the connection, and the next one is accepted", async () => {
  const inner = new MemoryTransport();
  const listener = await faulty(inner, "conn=1: refuse").listen(HERE);
  const accepting = listener.accept();
  const first = await inner.connect(HERE);
  await assert.rejects(first.read(new Uint8Array(1)), { code: "ECONNRESET" });
  const [second, server] = await Promise.all([inner.connect(HERE), accepting]);
  await second.write(bytesOf("hello"));
  assert.equal(await server.read(new Uint8Array(10)), 5);
  for (const end of [first, second, server, listener]) end.close();
});

test("faults: of a connection that is made, up is what is written", async () => {
  const inner = new MemoryTransport();
  const listener = await inner.listen(HERE);
  const transport = faulty(inner, "up: close@2");
  const [client, server] = await Promise.all([transport.connect(HERE), listener.accept()]);
  await client.write(bytesOf("1234"));
  assert.equal(await readAll(server), "12");
  for (const end of [client, server, listener]) end.close();
});

test("faults: rules choose by number, by every N, and by network; the first rule counts", async () => {
  const inner = new MemoryTransport();
  const plan =
    "conn=1: down: close@1; conn=every 2: down: close@2; from=127.0.0.0/8: down: close@3";
  const listener = await faulty(inner, plan).listen(HERE);
  const got = [];
  for (let i = 0; i < 4; i++) {
    const [client, server] = await Promise.all([inner.connect(HERE), listener.accept()]);
    await server.write(bytesOf("12345"));
    got.push(await readAll(client));
    client.close();
    server.close();
  }
  listener.close();
  assert.deepEqual(got, ["1", "12", "123", "12"]);
});

test("faults: a plan that is replaced is for connections that come from then on", async () => {
  const inner = new MemoryTransport();
  const transport = faulty(inner, "");
  const listener = await transport.listen(HERE);
  const answer = async () => {
    const [client, server] = await Promise.all([inner.connect(HERE), listener.accept()]);
    await server.write(bytesOf("12345"));
    server.close();
    const text = await readAll(client);
    client.close();
    return text;
  };
  assert.equal(await answer(), "12345");
  transport.setPlan("down: close@2");
  assert.equal(await answer(), "12");
  assert.throws(() => transport.setPlan("down: close@x"), FaultPlanError);
  assert.equal(await answer(), "12");
  listener.close();
});

test("faults: whatever the faults that lose nothing, all bytes arrive in order, and the end", async () => {
  const harmless = fc.subarray(["split=3", "delay=5ms±5", "rate=100k"], { minLength: 1 });
  await fc.assert(
    fc.asyncProperty(harmless, fc.uint8Array({ maxLength: 500 }), async (faults, bytes) => {
      const clock = new VirtualClock();
      const { client, server } = await connected(faults.join(", "), { clock });
      const reading = (async () => {
        const [buffer, got] = [new Uint8Array(64), [] as number[]];
        for (let n; (n = await server.read(buffer)) !== null;) got.push(...buffer.subarray(0, n));
        return got;
      })();
      await client.write(bytes);
      await client.closeWrite();
      await clock.advance(1000);
      assert.deepEqual(await reading, [...bytes]);
      client.close();
      server.close();
    }),
    { numRuns: 30 },
  );
});

test("faults: what was written before close() still arrives, after its delay", async () => {
  const clock = new VirtualClock();
  const { client, server } = await connected("down: delay=50ms", { clock });
  await server.write(bytesOf("hello"));
  server.close();
  const reading = readAll(client);
  await clock.advance(50);
  assert.equal(await reading, "hello");
  client.close();
});

for (
  const [why, plan, size] of [
    ["stalled", "down: stall@3", 100],
    ["whose peer does not read", "down: split=4096", 8 << 20],
  ] as const
) {
  test(`faults: a closed connection ${why} is reset after a minute`, async () => {
    const clock = new VirtualClock();
    const { client, server } = await connected(plan, { clock });
    const writing = server.write(new Uint8Array(size)).catch(() => {});
    await clock.advance(0);
    server.close();
    await clock.advance(120_001);
    await assert.rejects(readAll(client), { code: "ECONNRESET" });
    await writing;
    client.close();
  });
}

test("faults: a connection that is closed after its FIN has arrived ends at once, without a reset", async () => {
  const clock = new VirtualClock();
  const { client, server, events } = await connected("down: slowclose=5s", { clock });
  // The listener's.
  events.length = 0;
  const resets = () => events.flatMap((event) => event.type === "close" ? [event.reset] : []);
  await server.write(bytesOf("bye"));
  await server.closeWrite();
  await clock.advance(5000);
  assert.equal(await readAll(client), "bye");
  assert.deepEqual(resets(), [], "The client may still send");
  server.close();
  assert.deepEqual(resets(), [false]);
  client.close();
});

test("faults: a closed connection waits for what is delayed, however long", async () => {
  const clock = new VirtualClock();
  const { client, server } = await connected("down: delay=1h", { clock });
  await server.write(bytesOf("late"));
  server.close();
  const reading = readAll(client);
  await clock.advance(3_600_000);
  assert.equal(await reading, "late");
  client.close();
});

test("faults: what came before the peer's reset arrives before it, after its delay", async () => {
  const clock = new VirtualClock();
  const { client, server } = await connected("up: delay=50ms", { clock });
  await client.write(bytesOf("hello"));
  client.reset();
  const buffer = new Uint8Array(9);
  const reading = server.read(buffer);
  await clock.advance(50);
  assert.equal(await reading, 5);
  await assert.rejects(server.read(buffer), { code: "ECONNRESET" });
  server.close();
});

test("faults: of datagrams, some are lost, come twice, or in another order, as the seed says", async () => {
  const received = async (plan: string, seed: number) => {
    const clock = new VirtualClock();
    const inner = new MemoryTransport();
    const server = await inner.listenDatagram();
    const client = await faulty(inner, plan, { seed, clock }).listenDatagram({
      remote: server.addr,
    });
    for (let n = 0; n < 20; n++) await client.send(Uint8Array.of(n));
    await clock.advance(1000);
    const end = await inner.listenDatagram();
    await end.send(Uint8Array.of(255), server.addr);
    const [buffer, got] = [new Uint8Array(1), [] as number[]];
    for (;;) {
      await server.receive(buffer);
      if (buffer[0] === 255) break;
      got.push(buffer[0]);
    }
    for (const socket of [server, client, end]) socket.close();
    return got;
  };
  const all = Array.from({ length: 20 }, (_, n) => n);
  const lossy = await received("up: loss=30%", 1);
  assert.ok(lossy.length > 5 && lossy.length < 20, String(lossy));
  assert.deepEqual(await received("up: loss=30%", 1), lossy);
  assert.notDeepEqual(await received("up: loss=30%", 2), lossy);
  assert.deepEqual(await received("up: loss=100%", 1), []);
  assert.deepEqual(await received("up: dup=100%", 1), all.flatMap((n) => [n, n]));
  assert.deepEqual(await received("up: delay=5ms", 1), all);
  const mixed = await received("up: reorder=50%", 1);
  assert.deepEqual(mixed.toSorted((a, b) => a - b), all);
  assert.notDeepEqual(mixed, all);
});

/** A server's socket with faults, a client's without, and the faults that were applied. */
async function datagrams(plan: string) {
  const [clock, inner] = [new VirtualClock(), new MemoryTransport()];
  const told: string[] = [];
  const observed = observe(inner, (event) => {
    if (event.type === "fault") told.push(`${event.direction} ${event.fault} ${event.detail}`);
  });
  const server = await faulty(observed, plan, { clock }).listenDatagram();
  const client = await inner.listenDatagram({ remote: server.addr });
  const close = () => {
    server.close();
    client.close();
  };
  return { clock, server, client, told, close };
}

test("faults: datagrams that come at once are delayed by the same time, not one after the other", async () => {
  const { clock, server, client, told, close } = await datagrams("up: delay=50ms");
  for (const text of ["a", "b", "c"]) await client.send(bytesOf(text));
  const times: number[] = [];
  const receiving = (async () => {
    for (let i = 0; i < 3; i++) {
      await server.receive(new Uint8Array(1));
      times.push(clock.now());
    }
  })();
  await clock.advance(200);
  await receiving;
  assert.deepEqual(times, [50, 50, 50]);
  assert.equal(told[0], "up delay of a datagram of 1 bytes by 50 ms");
  close();
});

test("faults: a received datagram that nothing overtakes comes after a while", async () => {
  const { clock, server, client, close } = await datagrams("up: reorder=100%");
  await client.send(bytesOf("alone"));
  const receiving = server.receive(new Uint8Array(9));
  await clock.advance(100);
  assert.equal((await receiving).size, 5);
  close();
});

test("faults: from=NETWORKS is for the datagrams of these peers, in both directions", async () => {
  const { server, client, close } = await datagrams(
    "from=10.0.0.0/8: up: loss=100%; from=127.0.0.0/8: down: loss=100%",
  );
  await client.send(bytesOf("hello"));
  const { size, from } = await server.receive(new Uint8Array(9));
  assert.equal(size, 5);
  await server.send(bytesOf("lost"), from);
  const receiving = client.receive(new Uint8Array(9));
  close();
  await assert.rejects(receiving, { code: "ECLOSED" });
});

test("faults: what is still delayed or held back when its socket is closed is sent then", async () => {
  const clock = new VirtualClock();
  for (const plan of ["up: delay=50ms", "up: reorder=100%"]) {
    const inner = new MemoryTransport();
    const server = await inner.listenDatagram();
    const client = await faulty(inner, plan, { clock }).listenDatagram({ remote: server.addr });
    await client.send(bytesOf("hello"));
    client.close();
    assert.equal((await server.receive(new Uint8Array(9))).size, 5);
    server.close();
  }
});

/** What arrives on five connections, and when; and which of 20 datagrams arrive, in which order. */
async function chances(seed: number): Promise<string[]> {
  const plan = "chance=50%: down: corrupt@2; down: delay=50ms±40, split=4±2/5ms; up: loss=20%, " +
    "reorder=30%";
  const lines: string[] = [];
  const [clock, inner] = [new VirtualClock(), new MemoryTransport()];
  const transport = faulty(inner, plan, { seed, clock });
  const listener = await transport.listen(HERE);
  for (let i = 0; i < 5; i++) {
    const [client, server] = await Promise.all([inner.connect(HERE), listener.accept()]);
    const started = clock.now();
    const arrived: string[] = [];
    const reading = (async () => {
      const buffer = new Uint8Array(10);
      for (let n; (n = await client.read(buffer)) !== null;) {
        const hex = [...buffer.subarray(0, n)].map((byte) => byte.toString(16)).join("");
        arrived.push(`${hex} ${(clock.now() - started).toFixed(3)}`);
      }
    })();
    await server.write(bytesOf("0123456789"));
    await server.closeWrite();
    await clock.advance(1000);
    await reading;
    client.close();
    server.close();
    lines.push(arrived.join(", "));
  }
  listener.close();
  const target = await inner.listenDatagram();
  const sender = await transport.listenDatagram({ remote: target.addr });
  for (let n = 0; n < 20; n++) await sender.send(Uint8Array.of(n));
  await clock.advance(1000);
  sender.close();
  const last = await inner.listenDatagram();
  await last.send(Uint8Array.of(255), target.addr);
  const got: number[] = [];
  const buffer = new Uint8Array(1);
  while ((await target.receive(buffer), buffer[0] !== 255)) got.push(buffer[0]);
  for (const socket of [target, last]) socket.close();
  return [...lines, got.join(" ")];
}

test("faults: a seed gives these faults, on every runtime", async () => {
  assert.deepEqual(await chances(7), FAULTS_OF_SEED_7);
});

test("faults: when a delayed datagram cannot be sent, the next operation says so, once", async () => {
  for (const plan of ["up: delay=50ms", "up: reorder=100%"]) {
    const clock = new VirtualClock();
    const inner = new MemoryTransport();
    const server = await inner.listenDatagram();
    const client = await faulty(inner, plan, { clock }).listenDatagram({ remote: server.addr });
    for (const next of ["send", "receive"] as const) {
      await client.send(new Uint8Array(70_000));
      await clock.advance(200);
      await assert.rejects(client[next](new Uint8Array(1)), { code: "EMSGSIZE" });
    }
    await client.send(bytesOf("hello"));
    await clock.advance(200);
    assert.equal((await server.receive(new Uint8Array(9))).size, 5);
    for (const socket of [server, client]) socket.close();
  }
});

test("faults: datagrams that are lost since too many are delayed are events", async () => {
  const lost: string[] = [];
  const clock = new VirtualClock();
  const inner = observe(new MemoryTransport(), (event) => {
    if (event.type === "fault" && event.fault === "loss") {
      lost.push(`${event.fault} ${event.detail}`);
    }
  });
  const server = await inner.listenDatagram();
  const delayed = faulty(inner, "up: delay=50ms", { clock });
  const client = await delayed.listenDatagram({ remote: server.addr });
  for (let n = 0; n < 1026; n++) await client.send(new Uint8Array(3));
  assert.deepEqual(lost, Array(2).fill("loss of a datagram of 3 bytes, since 1024 wait"));
  for (const socket of [server, client]) socket.close();
});

test("faults: a plan that is not valid names the column and what was expected", () => {
  const cases: [string, number, RegExp][] = [
    ["conn=x: refuse", 6, /expected the number of a connection/],
    ["reset", 6, /expected 'reset@' and bytes/],
    ["rest@1", 1, /expected a fault, not 'rest'\. Write 'reset'/],
    ["down: reset@abc", 13, /expected bytes .* after 'reset@', not 'abc'/],
    ["conn=1: conn=2: refuse", 14, /'conn' is there twice/],
    ["reset@1, close@2", 10, /'close' contradicts 'reset'/],
    ["split=1, split=2", 10, /'split' is there twice/],
    ["reset@message 1, close@message 2", 18, /'close' contradicts 'reset'/],
    ["close@message", 7, /a message \(message 3\) after 'close@', not 'message'/],
    ["drop@message 0", 6, /expected a message \(message 3\) after 'drop@', not 'message 0'/],
    ["drop@3", 6, /expected a message/],
    ["refuse, delay=1s", 9, /'delay' contradicts 'refuse'/],
    ["reset@1, stall@2s, close@3s", 20, /'close' contradicts 'stall'/],
    ["refuse; delay=1s", 9, /'delay' contradicts 'refuse' .* in rule 1\. Leave one of them out/],
    ["up: split=1; conn=2: coalesce=1s; coalesce=1s", 35, /contradicts 'split' .* in rule 1/],
    ["delay=1s; up: delay=2s", 15, /'delay' is there for the same connections in rule 1/],
    ["up: refuse", 5, /not for one direction/],
    ["split=0", 7, /bytes from 1/],
    ["split=4±4", 7, /bytes from 1/],
    ["split=4/fast", 7, /with a variation and a pause/],
    ["reset@data+x", 7, /data \(data, data\+500ms\)/],
    ["chance=2: refuse", 8, /percentage from 0% to 100%, not '2'/],
    ["slowclose=1", 11, /expected a time/],
    ["delay=50ms±80", 7, /expected a time/],
    ["delay=50", 7, /expected a time/],
    ["loss=101%", 6, /percentage/],
    ["from=1.2.3: refuse", 6, /neither an IP address nor a network/],
    ["conn=1", 7, /expected ': ' and a fault after 'conn=1'/],
    ["down: \x1b", 7, /not '\\x1b'/],
  ];
  for (const [plan, column, message] of cases) {
    assert.throws(() => parseFaultPlan(plan), (error: FaultPlanError) => {
      assert.ok(error instanceof FaultPlanError);
      assert.equal(error.column, column, error.message);
      assert.match(error.message, message);
      return true;
    });
  }
  assert.throws(() => parseFaultPlan("refuse\n  close"), { line: 2, column: 8 });
  for (
    const plan of [
      "down: delay=50ms; delay=10ms",
      "up: reset@1; down: close@1",
      "stall@0, close@5s",
      "truncate@0, close@5s",
      "conn=1: refuse; conn=2: reset@1",
    ]
  ) {
    assert.equal(parseFaultPlan(plan).length > 0, true);
  }
});

test("faults: a plan that goes on another one must not contradict that", () => {
  const before = parseFaultPlan("up: reset@1");
  assert.equal(parseFaultPlan("down: close@1; conn=2: close@1", before).length, 2);
  assert.throws(() => parseFaultPlan("conn=2: split=1; close@1", before), {
    column: 18,
    message: /'close' contradicts 'reset' .* in rule 1/,
  });
});

test("faults: thousands of rules are read in a moment", () => {
  const plan = parseFaultPlan(
    Array.from({ length: 20_000 }, (_, i) => `conn=${i + 1}: refuse`).join(";"),
  );
  assert.equal(plan.length, 20_000);
});

test("faults: whatever a plan has, it is read or refused with a FaultPlanError", () => {
  const word = fc.constantFrom(
    "conn=",
    "1",
    "every",
    "up:",
    "reset",
    "@",
    "4k",
    ",",
    ";",
    "±",
    " ",
    "x",
  );
  fc.assert(fc.property(fc.array(fc.oneof(word, fc.string({ maxLength: 3 }))), (words) => {
    try {
      parseFaultPlan(words.join(""));
    } catch (error) {
      assert.ok(error instanceof FaultPlanError);
    }
  }));
});
