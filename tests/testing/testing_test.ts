// testTransport() as others use it: with their runner, on their transport.

import assert from "node:assert/strict";
import {
  type ContractPeer,
  MemoryTransport,
  testStreams,
  testTransport,
  type TransportTests,
} from "../../lib/testing/mod.ts";
import type { Addr, Endpoint } from "../../lib/base/addr.ts";
import type { Conn } from "../../lib/net/transport.ts";
import { test } from "../support/runner.deno.ts";

/** The tests that are registered, by their names, and what each uses. */
function registered(tests: Omit<TransportTests, "test">) {
  const runs = new Map<string, () => Promise<void>>();
  const uses = new Map<string, ContractPeer>();
  testTransport({
    ...tests,
    test: (name, run, peer) => {
      assert.ok(!runs.has(name), name);
      runs.set(name, run);
      if (peer !== undefined) uses.set(name, peer);
    },
  });
  return { runs, uses };
}

test("testTransport: registers tests of each part, under the name of the transport or another", () => {
  const { runs } = registered({ transport: new MemoryTransport() });
  for (
    const name of [
      "memory: close delivers what was written, then FIN",
      "memory: a reset unblocks a read with ECONNRESET",
      "memory: listening where somebody listens is EADDRINUSE",
      "memory: addresses are right on ::1",
      "memory, datagrams: a loop of sends leaves the event loop its turns",
    ]
  ) assert.ok(runs.has(name), name);
  const renamed = registered({ transport: new MemoryTransport(), name: "mine" });
  assert.equal(renamed.runs.size, runs.size);
  assert.ok([...renamed.runs.keys()].every((name) => /^mine[:,] /.test(name)));
});

test("testTransport: leaves out the datagrams and the resets of a transport that has none", () => {
  const { runs } = registered({
    transport: new MemoryTransport(),
    datagrams: false,
    streams: { resetting: null },
  });
  const names = [...runs.keys()];
  assert.ok(!names.some((name) => /datagrams|a reset unblocks/.test(name)));
  assert.ok(names.some((name) => /close delivers/.test(name)));
});

test("testTransport: tells which tests use a peer of the caller's own, and says nothing of others", () => {
  const transport = new MemoryTransport();
  assert.equal(registered({ transport }).uses.size, 0);
  const unanswered = () => Promise.reject(new Error("there is none today"));
  const { uses } = registered({ transport, streams: { unanswered } });
  assert.deepEqual([...new Set(uses.values())], ["unanswered"]);
  assert.ok(uses.has("memory: connect: a deadline that passes is ETIMEDOUT"));
});

test("testTransport: the transport in memory passes with nothing but what is the default", async () => {
  const { runs } = registered({ transport: new MemoryTransport() });
  for (const [name, run] of runs) {
    await run().catch((error) => assert.fail(`${name}: ${error.stack}`));
  }
});

/** A connection that loses the last byte of each write. */
function losing<A extends Addr>(conn: Conn<A>): Conn<A> {
  return new Proxy(conn, {
    get(target, name) {
      if (name === "write") {
        return (p: Uint8Array) => target.write(p.subarray(0, Math.max(1, p.length - 1)));
      }
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

test("testStreams: a connection that loses bytes fails the tests that they matter to", async () => {
  const transport = new MemoryTransport();
  const runs = new Map<string, () => Promise<void>>();
  testStreams({
    name: "lossy",
    test: (name, run) => runs.set(name, run),
    listen: (at) => transport.listen(at ?? { host: "127.0.0.1" }),
    connect: async (addr: Addr | Endpoint, signal) =>
      losing(await transport.connect({ ...addr, signal })),
  });
  const run = runs.get("lossy: close delivers what was written, then FIN")!;
  await assert.rejects(run(), { name: "AssertionError" });
  await runs.get("lossy: FIN gives null once and for ever")!();
});
