// The contract suite for datagrams: what lib/net/datagram.ts promises, as tests that every transport must
// pass on every runtime. It knows nothing of them but the interface.

import assert from "node:assert/strict";
import { formatAddr } from "../../lib/base/addr.ts";
import type { UdpAddr } from "../../lib/base/addr.ts";
import type { Datagram } from "../../lib/net/datagram.ts";
import type { SocketError } from "../../lib/base/errors.ts";
import type { Transport } from "../../lib/net/transport.ts";
import { bytes, mistakes, OWN_HOST, randomBytes, rejects, turn } from "../helpers.ts";
import { assertNoneLeft } from "./descriptors.ts";

/** A transport, and what it cannot do. */
export interface DatagramNetwork {
  readonly transport: Transport;
  /** Whether it tells that a peer's host refuses; Deno does not. */
  readonly tellsRefused: boolean;
  /** Whether a socket without a peer of its own is told of it, too, as on Bun. */
  readonly tellsOfOthers?: boolean;
  /** Waits, after a socket was closed, until its address is free; undefined where it is at once. */
  readonly untilFree?: (addr: UdpAddr) => Promise<void>;
  /** Whether there are file descriptors. */
  readonly hasDescriptors?: boolean;
}

/** The most that fits, by family. */
const MOST = { "127.0.0.1": 65_507, "::1": 65_527 };

/** Receives one datagram as text; it must be whole. */
async function text(socket: Datagram): Promise<string> {
  const p = new Uint8Array(65_535);
  const { size, truncated } = await socket.receive(p);
  assert.equal(truncated, 0);
  return new TextDecoder().decode(p.subarray(0, size));
}

/** Registers the suite. */
export function testDatagrams(
  { transport, tellsRefused, tellsOfOthers, untilFree, hasDescriptors }: DatagramNetwork,
  register: (name: string, fn: () => Promise<void>) => void,
): void {
  const test = (name: string, fn: () => Promise<void>) =>
    register(`${transport.name}, datagrams: ${name}`, fn);
  const bound = (host = "127.0.0.1") => transport.listenDatagram({ host });

  /** A port that nobody has. */
  async function nobody(at = OWN_HOST): Promise<{ host: string; port: number }> {
    const socket = await bound(at);
    const { host, port } = socket.addr;
    socket.close();
    await untilFree?.(socket.addr);
    return { host, port };
  }

  for (const host of ["127.0.0.1", "::1"] as const) {
    test(`addresses are right on ${host}, and replies go back to where they came from`, async () => {
      using server = await bound(host);
      using client = await transport.listenDatagram({ remote: server.addr });
      assert.deepEqual(server.addr, { transport: "udp", host, port: server.addr.port });
      assert.ok(server.addr.port > 0);
      assert.equal(server.remoteAddr, undefined);
      assert.deepEqual(client.remoteAddr, server.addr);
      assert.equal(client.addr.host, host);
      assert.notEqual(client.addr.port, server.addr.port);
      await client.send(bytes("ping"));
      const p = new Uint8Array(16);
      const { size, truncated, from } = await server.receive(p);
      assert.deepEqual([size, truncated, from], [4, 0, client.addr]);
      await server.send(bytes("pong"), from);
      assert.deepEqual(await client.receive(p), { size: 4, truncated: 0, from: server.addr });
      assert.equal(new TextDecoder().decode(p.subarray(0, 4)), "pong");
    });

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
      assert.equal(await text(server), "goes on");
    });
  }

  test("boundaries are kept, in order on loopback, and an empty datagram is one", async () => {
    using server = await bound();
    using client = await transport.listenDatagram({ remote: server.addr });
    const said = ["one", "", "three", "", "x".repeat(1200)];
    for (const each of said) await client.send(bytes(each));
    for (const each of said) assert.equal(await text(server), each);
  });

  test("a datagram longer than the buffer is cut, and told so; the next one is whole", async () => {
    using server = await bound();
    using client = await transport.listenDatagram({ remote: server.addr });
    const whole = new Uint8Array(16).fill(7);
    const pending = server.receive(whole.subarray(4, 8));
    await client.send(bytes("0123456789"));
    assert.deepEqual(await pending, { size: 4, truncated: 6, from: client.addr });
    assert.deepEqual([...whole], [7, 7, 7, 7, 48, 49, 50, 51, ...Array(8).fill(7)]);
    for (let i = 0; i < 2; i++) await client.send(bytes("0123456789"));
    await mistakes("RangeError", /receive .* 0 bytes/, server.receive(new Uint8Array()));
    assert.equal((await server.receive(new Uint8Array(3))).truncated, 7);
    assert.equal(await text(server), "0123456789");
  });

  test("the sender's buffer is free once send resolves", async () => {
    using server = await bound();
    using client = await transport.listenDatagram({ remote: server.addr });
    const p = bytes("first");
    await client.send(p);
    p.set(bytes("XXXXX"));
    assert.equal(await text(server), "first");
  });

  test("a socket for any address receives on each, and answers IPv4 as IPv4", async () => {
    using server = await bound("");
    const { port } = server.addr;
    for (const host of ["127.0.0.1", "::1"]) {
      using client = await transport.listenDatagram({ remote: { host, port } });
      await client.send(bytes("ping"));
      const { from } = await server.receive(new Uint8Array(16));
      assert.deepEqual(from, client.addr);
      await server.send(bytes("pong"), from);
      assert.equal(await text(client), "pong");
    }
  });

  test("names are looked up: localhost is 127.0.0.1 on both ends, any address loopback", async () => {
    using server = await transport.listenDatagram();
    assert.equal(server.addr.host, "127.0.0.1");
    const { port } = server.addr;
    for (const host of ["localhost", "0.0.0.0"]) {
      using client = await transport.listenDatagram({ remote: { host, port } });
      assert.deepEqual(client.remoteAddr, server.addr);
      await client.send(bytes("ping"));
      const { from } = await server.receive(new Uint8Array(16));
      await server.send(bytes("pong"), from);
      assert.equal(await text(client), "pong");
    }
    const long = { host: "0:0:0:0:0:0:0:1", port };
    using other = await transport.listenDatagram({ remote: long });
    assert.deepEqual(other.remoteAddr, { transport: "udp", host: "::1", port });
  });

  test("a socket with a peer takes nothing from others, and sends to nobody else", async () => {
    using server = await bound();
    using client = await transport.listenDatagram({ remote: server.addr });
    using stranger = await bound();
    await stranger.send(bytes("psst"), client.addr);
    await server.send(bytes("hello"), client.addr);
    assert.equal(await text(client), "hello");
    await client.send(bytes("to my peer"), server.addr);
    assert.equal(await text(server), "to my peer");
    await rejects(client.send(bytes("x"), stranger.addr), "EINVAL");
  });

  test("a socket with a peer may choose its own address and port, of the peer's family", async () => {
    using server = await bound();
    /** A socket on a port of one's choice; somebody else may have been faster there. */
    const choose = async (host: string): Promise<Datagram> => {
      for (;;) {
        const { port } = await nobody("127.0.0.1");
        try {
          return await transport.listenDatagram({ host, port, remote: server.addr });
        } catch (error) {
          assert.equal((error as SocketError).code, "EADDRINUSE");
        }
      }
    };
    for (const host of ["127.0.0.1", "localhost", ""]) {
      using client = await choose(host);
      const { port } = client.addr;
      await client.send(bytes("hello"));
      const { from } = await server.receive(new Uint8Array(16));
      assert.deepEqual(from, { transport: "udp", host: "127.0.0.1", port });
      assert.equal(client.addr.port, port);
    }
  });

  test("where nothing can be sent is EINVAL, names that are none ENOTFOUND, families that differ told", async () => {
    using socket = await bound();
    for (const port of [-1, 65_536, 1.5]) {
      const to = { host: "127.0.0.1", port };
      await mistakes("RangeError", /send, in to, .*port/, socket.send(bytes("x"), to));
      await mistakes("RangeError", /port/, transport.listenDatagram(to));
      await mistakes("RangeError", /in remote, .*port/, transport.listenDatagram({ remote: to }));
    }
    await rejects(socket.send(bytes("x"), { host: "127.0.0.1", port: 0 }), "EINVAL");
    for (const host of ["localhost", "127.0.0.1%lo", "fe80::1%"]) {
      await rejects(socket.send(bytes("x"), { host, port: 7 }), "EINVAL");
    }
    await rejects(socket.send(bytes("x"), { host: "::1", port: 7 }), "EAFNOSUPPORT");
    const nowhere = await rejects(socket.send(bytes("x")), "EINVAL");
    assert.match(nowhere.message, /say whom to send to/);
    const nobody = { host: "127.0.0.1", port: 0 };
    await rejects(transport.listenDatagram({ remote: nobody }), "EINVAL");
    await rejects(transport.listenDatagram({ host: "nowhere.invalid" }), "ENOTFOUND");
    await rejects(
      transport.listenDatagram({ remote: { host: "nowhere.invalid", port: 7 } }),
      "ENOTFOUND",
    );
    const remote = { host: "127.0.0.1", port: 7 };
    await rejects(transport.listenDatagram({ host: "::1", remote }), "EAFNOSUPPORT");
    await rejects(transport.listenDatagram({ remote, signal: AbortSignal.abort() }), "ECANCELED");
  });

  test("an address in use is EADDRINUSE, and free again after close", async () => {
    const first = await bound(OWN_HOST);
    const { host, port } = first.addr;
    const error = await rejects(transport.listenDatagram({ host, port }), "EADDRINUSE");
    assert.match(error.message, new RegExp(`^Cannot listen on ${formatAddr({ host, port })}: `));
    first.close();
    await untilFree?.(first.addr);
    using second = await transport.listenDatagram({ host, port });
    assert.equal(second.addr.port, port);
  });

  test("close: what waits rejects ECLOSED, or with the reason; later calls do, too; twice is once", async () => {
    const socket = await bound();
    const waiting = rejects(socket.receive(new Uint8Array(8)), "ECLOSED");
    socket.close();
    socket.close();
    await waiting;
    await rejects(socket.receive(new Uint8Array(8)), "ECLOSED");
    await rejects(socket.send(bytes("x"), { host: "127.0.0.1", port: 7 }), "ECLOSED");
    const reason = new Error("enough");
    const other = await bound();
    const failing = assert.rejects(other.receive(new Uint8Array(8)), reason);
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
    assert.equal(await text(server), "last words");
  });

  test("a second receive while one is under way is EBUSY, and hurts nothing", async () => {
    using server = await bound();
    using client = await transport.listenDatagram({ remote: server.addr });
    const first = text(server);
    await rejects(server.receive(new Uint8Array(8)), "EBUSY");
    await client.send(bytes("hello"));
    assert.equal(await first, "hello");
  });

  test("sends that nobody awaits leave in order, and each settles in its turn", async () => {
    using server = await bound();
    using client = await transport.listenDatagram({ remote: server.addr });
    const words = Array.from({ length: 100 }, (_, i) => `datagram ${i}`);
    const settled: number[] = [];
    const sends = words.map((word, i) => client.send(bytes(word)).then(() => settled.push(i)));
    for (const word of words) assert.equal(await text(server), word);
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

  test("nobody listens at the peer's: receive or send learns of it once, and the socket goes on", async () => {
    const remote = await nobody();
    using client = await transport.listenDatagram({ remote });
    if (!tellsRefused) {
      await client.send(bytes("anybody?"));
      await client.send(bytes("no answer"));
    } else {
      const waiting = client.receive(new Uint8Array(8));
      await client.send(bytes("anybody?"));
      const error = await rejects(waiting, "ECONNREFUSED");
      assert.match(error.message, /: nobody listens on 127[\d.]+:\d+, says its host \(ECONN/);
    }
    using server = await transport.listenDatagram(remote);
    await client.send(bytes("now?"));
    assert.equal(await text(server), "now?");
    await server.send(bytes("yes"), client.addr);
    assert.equal(await text(client), "yes");
  });

  if (tellsRefused) {
    test("refused while nobody receives: the next send learns of it, and sends nothing", async () => {
      const remote = await nobody();
      using client = await transport.listenDatagram({ remote });
      await client.send(bytes("anybody?"));
      // The host's answer comes on a path of its own; a send of something meanwhile is refused, too.
      for (;;) {
        const error = await client.send(bytes("?")).then(() => undefined, (error) => error);
        if (error === undefined) continue;
        assert.equal(error.code, "ECONNREFUSED");
        assert.equal(error.op, "send");
        break;
      }
    });
  }

  if (!tellsOfOthers) {
    test("who sends to several, without a peer, is not told that one of them is not there", async () => {
      const gone = await nobody();
      using sender = await bound();
      using there = await bound();
      for (let i = 0; i < 3; i++) {
        await sender.send(bytes("?"), gone);
        await sender.send(bytes("!"), there.addr);
        assert.equal(await text(there), "!");
      }
    });
  }

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
      assert.ok(sent < 10_000);
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
    const serving = (async () => {
      const p = new Uint8Array(2048);
      for (let i = 0; i < 90; i++) {
        const { size, from } = await server.receive(p);
        await server.send(p.subarray(0, size), from);
      }
    })();
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

  if (hasDescriptors) {
    test("500 sockets leave no descriptor behind", () => assertNoneLeft("udp"));
  }
}
