/**
 * The part of the contract about what datagrams carry, in which order, and how a socket ends.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { DatagramSuite } from "./datagram_suite.ts";
import { begun, bytes, randomBytes, receiveText, refuses, rejects, turn } from "./support.ts";

/** The most that fits, by family. */
const MOST = { "127.0.0.1": 65_507, "::1": 65_527 };

/** Registers the tests. */
export function testDatagramData({ test, transport, bound }: DatagramSuite): void {
  for (const host of ["127.0.0.1", "::1"] as const) {
    test(`the largest datagram passes on ${host}, and one byte more is EMSGSIZE`, async () => {
      using server = await bound(host);
      using client = await transport.listenDatagram({ remote: server.addr });
      const most = randomBytes(MOST[host]);
      await client.send(most);
      const p = new Uint8Array(65_535);
      const { size } = await server.receive(p);
      assert.deepEqual(p.subarray(0, size), most);
      const error = await rejects(client.send(new Uint8Array(most.length + 1)), "EMSGSIZE");
      assert.match(
        error.message,
        /^Cannot send to .* too large \(EMSGSIZE\)\. Send at most 65,507 /,
      );
      await client.send(bytes("goes on"));
      assert.equal(await receiveText(server), "goes on");
    });
  }

  test("boundaries are kept, in order on loopback, and an empty datagram is one", async () => {
    using server = await bound();
    using client = await transport.listenDatagram({ remote: server.addr });
    const said = ["one", "", "three", "", "x".repeat(1200)];
    for (const each of said) await client.send(bytes(each));
    for (const each of said) assert.equal(await receiveText(server), each);
  });

  test("a datagram longer than the buffer is cut, and told so; the next one is whole", async () => {
    using server = await bound();
    using client = await transport.listenDatagram({ remote: server.addr });
    const whole = new Uint8Array(16).fill(7);
    const pending = begun(server.receive(whole.subarray(4, 8)));
    await client.send(bytes("0123456789"));
    assert.deepEqual(await pending, { size: 4, truncated: 6, from: client.addr });
    assert.deepEqual([...whole], [7, 7, 7, 7, 48, 49, 50, 51, ...Array(8).fill(7)]);
    for (let i = 0; i < 2; i++) await client.send(bytes("0123456789"));
    await refuses(server.receive(new Uint8Array()));
    assert.equal((await server.receive(new Uint8Array(3))).truncated, 7);
    assert.equal(await receiveText(server), "0123456789");
  });

  test("the sender's buffer is free once send resolves", async () => {
    using server = await bound();
    using client = await transport.listenDatagram({ remote: server.addr });
    const p = bytes("first");
    await client.send(p);
    p.set(bytes("XXXXX"));
    assert.equal(await receiveText(server), "first");
  });

  test("close: what waits rejects ECLOSED, or with the reason; later calls do, too; twice is once", async () => {
    const socket = await bound();
    const waiting = begun(rejects(socket.receive(new Uint8Array(8)), "ECLOSED"));
    socket.close();
    socket.close();
    await waiting;
    await rejects(socket.receive(new Uint8Array(8)), "ECLOSED");
    await rejects(socket.send(bytes("x"), { host: "127.0.0.1", port: 7 }), "ECLOSED");
    const reason = new Error("enough");
    const other = await bound();
    const failing = begun(assert.rejects(other.receive(new Uint8Array(8)), reason));
    other.close(reason);
    await failing;
    await assert.rejects(other.send(bytes("x"), { host: "127.0.0.1", port: 7 }), reason);
  });

  test("what was sent before close still arrives", async () => {
    using server = await bound();
    const client = await transport.listenDatagram({ remote: server.addr });
    const sending = client.send(bytes("last words")).catch(() => {});
    client.close();
    await sending;
    assert.equal(await receiveText(server), "last words");
  });

  test("a second receive while one is under way is EBUSY, and hurts nothing", async () => {
    using server = await bound();
    using client = await transport.listenDatagram({ remote: server.addr });
    const first = begun(receiveText(server));
    await rejects(server.receive(new Uint8Array(8)), "EBUSY");
    await client.send(bytes("hello"));
    assert.equal(await first, "hello");
  });

  test("sends that nobody awaits leave in order, and each settles in its turn", async () => {
    using server = await bound();
    using client = await transport.listenDatagram({ remote: server.addr });
    const words = Array.from({ length: 100 }, (_, i) => `datagram ${i}`);
    const settled: number[] = [];
    const sends = words.map((word, i) =>
      begun(client.send(bytes(word)).then(() => settled.push(i)))
    );
    for (const word of words) assert.equal(await receiveText(server), word);
    await Promise.all(sends);
    assert.deepEqual(settled, [...words.keys()]);
  });

  test("close rejects the sends that wait", async () => {
    using server = await bound();
    const client = await transport.listenDatagram({ remote: server.addr });
    const sends = Array.from({ length: 100 }, () => client.send(bytes("x")));
    const ends = Promise.allSettled(sends);
    client.close();
    for (const end of await ends) {
      if (end.status === "rejected") assert.equal(end.reason.code, "ECLOSED");
    }
    await rejects(client.send(bytes("x")), "ECLOSED");
  });

  test("datagrams that nobody receives are kept up to a bound, and beyond it dropped and counted", async () => {
    using server = await bound();
    using client = await transport.listenDatagram({ remote: server.addr });
    const data = new Uint8Array(32 * 1024);
    const view = new DataView(data.buffer);
    let sent = 0;
    // More than the bound, with pauses in which the runtime reads what the kernel holds.
    while (server.dropped < 5) {
      view.setUint32(0, sent++);
      await client.send(data);
      await turn();
      assert.ok(sent < 10_000, "None is dropped");
    }
    const p = new Uint8Array(65_535);
    let last = -1;
    // As many as fit. What the kernel has dropped before may be missing among them.
    for (let i = 0; i < 31; i++) {
      assert.equal((await server.receive(p)).size, data.length);
      const number = new DataView(p.buffer).getUint32(0);
      assert.ok(i === 0 ? number === 0 : number > last, `${number} after ${last}`);
      last = number;
    }
    assert.ok(last < sent - server.dropped, "the newest are dropped");
  });

  test("30 peers at once do not mix", async () => {
    using server = await bound();
    const serving = begun((async () => {
      const p = new Uint8Array(2048);
      for (let i = 0; i < 90; i++) {
        const { size, from } = await server.receive(p);
        await server.send(p.subarray(0, size), from);
      }
    })());
    await Promise.all(Array.from({ length: 30 }, async () => {
      using client = await transport.listenDatagram({ remote: server.addr });
      for (let i = 0; i < 3; i++) {
        // Few and small enough for what a kernel holds for a socket, or some would be lost.
        const said = randomBytes(500);
        await client.send(said);
        const p = new Uint8Array(2048);
        assert.equal((await client.receive(p)).size, 500);
        assert.deepEqual(p.subarray(0, 500), said);
      }
    }));
    await serving;
  });

  test("a loop of sends leaves the event loop its turns", async () => {
    using server = await bound();
    using client = await transport.listenDatagram({ remote: server.addr });
    let rang = false;
    const timer = setTimeout(() => rang = true, 5);
    for (let i = 0; !rang; i++) {
      assert.ok(i < 1e6, "the timer never rang");
      await client.send(bytes("x"));
    }
    clearTimeout(timer);
  });
}
