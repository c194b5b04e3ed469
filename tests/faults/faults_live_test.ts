// Plans that are replaced while connections are open, and the faults that such plans are made for.

import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { faulty, type FaultyTransport } from "../../lib/faults/faulty.ts";
import { parseFaultPlan } from "../../lib/faults/parse.ts";
import type { FaultRule } from "../../lib/faults/plan.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import type { Conn } from "../../lib/net/transport.ts";
import { observe } from "../../lib/observe/observe.ts";

const HERE = { host: "localhost", port: 7 };

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** A connection whose server's end has faults, and whose plan can be replaced. */
interface Live {
  readonly client: Conn;
  readonly server: Conn;
  readonly transport: FaultyTransport;
  readonly clock: VirtualClock;
  /** The faults that were applied. */
  readonly told: readonly string[];
  /** What has arrived at the client so far, with the times. */
  readonly arrived: [number, string][];
  close(): void;
}

async function live(plan: string): Promise<Live> {
  const [inner, clock] = [new MemoryTransport(), new VirtualClock()];
  const told: string[] = [];
  const observed = observe(inner, (event) => {
    if (event.type === "fault") told.push(`${event.direction} ${event.fault} ${event.detail}`);
  });
  const transport = faulty(observed, plan, { clock, live: true });
  const listener = await transport.listen(HERE);
  const [client, server] = await Promise.all([inner.connect(HERE), listener.accept()]);
  listener.close();
  const arrived: [number, string][] = [];
  void (async () => {
    const buffer = new Uint8Array(100);
    for (;;) {
      const n = await client.read(buffer).catch((error) => error.code as string);
      const text = typeof n === "number"
        ? new TextDecoder().decode(buffer.subarray(0, n))
        : n ?? "end";
      arrived.push([clock.now(), text]);
      if (typeof n !== "number") return;
    }
  })();
  const close = () => {
    client.close();
    server.close();
  };
  return { client, server, transport, clock, told, arrived, close };
}

test("faults live: a plan that is replaced is for open connections, and counts from then on", async () => {
  const { server, transport, clock, told, arrived, close } = await live("");
  await server.write(bytesOf("123456"));
  await clock.advance(0);
  transport.setPlan("down: close@4");
  await server.write(bytesOf("abcdef"));
  await clock.advance(0);
  assert.deepEqual(arrived.map(([, text]) => text), ["123456", "abcd", "end"]);
  assert.deepEqual(told, ["down close after 4 bytes"]);
  close();
});

test("faults live: what is on its way goes on under the new plan", async () => {
  const { server, transport, clock, arrived, close } = await live("down: delay=1s");
  await server.write(bytesOf("a"));
  await clock.advance(100);
  transport.setPlan("");
  await clock.advance(0);
  await server.write(bytesOf("b"));
  await clock.advance(0);
  assert.deepEqual(arrived, [[100, "a"], [100, "b"]]);
  close();
});

test("faults live: the faults of a rule that stays go on; those of others begin", async () => {
  const { server, transport, clock, arrived, close } = await live("");
  const [limit] = parseFaultPlan("down: close@6");
  const [slow] = parseFaultPlan("down: delay=50ms");
  transport.setPlan([limit]);
  await server.write(bytesOf("1234"));
  await clock.advance(0);
  transport.setPlan([limit, slow]);
  await server.write(bytesOf("5678"));
  await clock.advance(50);
  assert.deepEqual(arrived, [[0, "1234"], [50, "56"], [50, "end"]]);
  close();
});

test("faults live: a stall ends with its rule, and nothing is lost", async () => {
  const { server, transport, clock, arrived, close } = await live("down: stall@3");
  await server.write(bytesOf("12345"));
  await clock.advance(1000);
  assert.deepEqual(arrived, [[0, "123"]]);
  transport.setPlan("");
  await clock.advance(0);
  assert.deepEqual(arrived, [[0, "123"], [1000, "45"]]);
  close();
});

test("faults live: a connection that has lost bytes is closed when that fault is taken away", async () => {
  const { server, transport, clock, arrived, close } = await live("down: truncate@0");
  await server.write(bytesOf("12345"));
  await clock.advance(1000);
  assert.deepEqual(arrived, []);
  transport.setPlan("");
  await clock.advance(0);
  assert.deepEqual(arrived, [[1000, "end"]]);
  close();
});

test("faults: slowclose: the end comes later, and what was before it at once", async () => {
  const { server, clock, told, arrived, close } = await live("down: slowclose=300ms");
  await server.write(bytesOf("hello"));
  await server.closeWrite();
  await clock.advance(1000);
  assert.deepEqual(arrived, [[0, "hello"], [300, "end"]]);
  assert.deepEqual(told, ["down slowclose by 300 ms"]);
  close();
});

test("faults: reset@data+TIME: the next data is lost, and resets the connection later", async () => {
  const { server, clock, told, arrived, close } = await live("down: reset@data+200ms");
  await clock.advance(1000);
  assert.deepEqual(arrived, []);
  await server.write(bytesOf("hello"));
  await clock.advance(1000);
  assert.deepEqual(arrived, [[1200, "ECONNRESET"]]);
  assert.deepEqual(told, ["down reset 200 ms after data"]);
  close();
});

test("faults: split=BYTES±BYTES/TIME: pieces of several sizes, with a pause between", async () => {
  const { server, clock, arrived, close } = await live("down: split=8±4/10ms");
  await server.write(new Uint8Array(80).fill(97));
  await server.closeWrite();
  await clock.advance(1000);
  const sizes = arrived.slice(0, -1).map(([, text]) => text.length);
  assert.equal(sizes.reduce((sum, size) => sum + size, 0), 80);
  assert.ok(sizes.slice(0, -1).every((size) => size >= 4 && size <= 12), String(sizes));
  assert.ok(new Set(sizes).size > 1, String(sizes));
  assert.deepEqual(
    arrived.map(([time]) => time),
    sizes.map((_, i) => i * 10).concat(sizes.length * 10),
  );
  close();
});

test("faults: chance=PERCENT chooses connections by the seed, once for each", async () => {
  const inner = new MemoryTransport();
  const chosen = async (seed: number) => {
    const transport = faulty(inner, "chance=50%: refuse", { seed });
    const listener = await transport.listen(HERE);
    const got: boolean[] = [];
    for (let i = 0; i < 20; i++) {
      // Those that are refused are not even tried.
      const conn = await faulty(inner, "").connect(HERE);
      conn.close();
      const made = await transport.connect(HERE).catch(() => undefined);
      made?.close();
      got.push(made !== undefined);
    }
    listener.close();
    return got;
  };
  const first = await chosen(1);
  assert.deepEqual(await chosen(1), first);
  assert.notDeepEqual(await chosen(2), first);
  const count = first.filter((made) => made).length;
  assert.ok(count > 3 && count < 17, String(count));
});

test("faults: rules that stack add up their delays, and the lowest rate counts", async () => {
  const stacking = (text: string): FaultRule[] =>
    text.split(";").flatMap((rule) => parseFaultPlan(rule)).map((rule) => ({
      ...rule,
      stacks: true,
    }));
  const { server, transport, clock, arrived, close } = await live("");
  transport.setPlan(
    stacking("down: delay=100ms; down: delay=200ms; rate=1000; rate=100; rate=500"),
  );
  await server.write(bytesOf("ab"));
  await clock.advance(1000);
  assert.deepEqual(arrived, [[320, "ab"]]);
  close();
});
