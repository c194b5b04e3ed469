/**
 * The part of the contract about where datagrams go, and who is told that nobody is there.
 *
 * @module
 */

import assert from "node:assert/strict";
import { formatAddr } from "../base/addr.ts";
import type { SocketError } from "../base/errors.ts";
import type { Datagram } from "../net/datagram.ts";
import type { DatagramSuite } from "./datagram_suite.ts";
import { begun, bytes, receiveText, refuses, rejects } from "./support.ts";

/** Registers the tests. */
export function testDatagramAddresses(suite: DatagramSuite): void {
  const { test, transport, bound, host: ownHost, tellsRefused, tellsOfOthers, untilFree } = suite;

  /** A port that nobody has. */
  async function nobody(at = ownHost): Promise<{ host: string; port: number }> {
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
  }

  test("a socket for any address receives on each, and answers IPv4 as IPv4", async () => {
    using server = await bound("");
    const { port } = server.addr;
    for (const host of ["127.0.0.1", "::1"]) {
      using client = await transport.listenDatagram({ remote: { host, port } });
      await client.send(bytes("ping"));
      const { from } = await server.receive(new Uint8Array(16));
      assert.deepEqual(from, client.addr);
      await server.send(bytes("pong"), from);
      assert.equal(await receiveText(client), "pong");
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
      assert.equal(await receiveText(client), "pong");
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
    assert.equal(await receiveText(client), "hello");
    await client.send(bytes("to my peer"), server.addr);
    assert.equal(await receiveText(server), "to my peer");
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
      await refuses(socket.send(bytes("x"), to), /port/);
      await refuses(transport.listenDatagram(to), /port/);
      await refuses(transport.listenDatagram({ remote: to }), /port/);
    }
    await rejects(socket.send(bytes("x"), { host: "127.0.0.1", port: 0 }), "EINVAL");
    for (const host of ["localhost", "127.0.0.1%lo", "fe80::1%"]) {
      await rejects(socket.send(bytes("x"), { host, port: 7 }), "EINVAL");
    }
    await rejects(socket.send(bytes("x"), { host: "::1", port: 7 }), "EAFNOSUPPORT");
    await rejects(socket.send(bytes("x")), "EINVAL");
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
    const first = await bound(ownHost);
    const { host, port } = first.addr;
    const error = await rejects(transport.listenDatagram({ host, port }), "EADDRINUSE");
    assert.match(error.message, new RegExp(`^Cannot listen on ${formatAddr({ host, port })}: `));
    first.close();
    await untilFree?.(first.addr);
    using second = await transport.listenDatagram({ host, port });
    assert.equal(second.addr.port, port);
  });

  test("nobody listens at the peer's: receive or send learns of it once, and the socket goes on", async () => {
    const remote = await nobody();
    using client = await transport.listenDatagram({ remote });
    if (!tellsRefused) {
      await client.send(bytes("anybody?"));
      await client.send(bytes("no answer"));
    } else {
      const waiting = begun(client.receive(new Uint8Array(8)));
      await client.send(bytes("anybody?"));
      await rejects(waiting, "ECONNREFUSED");
    }
    using server = await transport.listenDatagram(remote);
    await client.send(bytes("now?"));
    assert.equal(await receiveText(server), "now?");
    await server.send(bytes("yes"), client.addr);
    assert.equal(await receiveText(client), "yes");
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
        assert.equal(await receiveText(there), "!");
      }
    });
  }
}
