// The contract suite: what lib/net/transport.ts promises of connections and listeners, as tests that
// every kind of socket of every transport must pass on every runtime. It knows nothing of them but
// the interface, and how a connection is made.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { formatAddr } from "../../lib/base/addr.ts";
import { SocketError } from "../../lib/base/errors.ts";
import type { Conn } from "../../lib/net/transport.ts";
import {
  bytes,
  echoAll,
  mistakes,
  randomBytes,
  readAll,
  readExactly,
  readText,
  rejects,
  until,
} from "../helpers.ts";
import { assertNoneLeft } from "./descriptors.ts";
import type { OtherProgram } from "../programs.ts";
import type { Network } from "./networks.ts";

const MIB = 1024 * 1024;

/** Registers the suite. */
export function testTransport(
  network: Network,
  register: (name: string, fn: () => Promise<void>, needs?: readonly OtherProgram[]) => void,
): void {
  const test = (name: string, fn: () => Promise<void>, needs?: readonly OtherProgram[]) =>
    register(`${network.name}: ${name}`, fn, needs);
  const { resetting, unanswered, untilFree, peers } = network;

  test("1 MiB of random bytes goes both ways at once", async () => {
    using ends = await network.pair();
    const { client, server } = ends;
    const [up, down] = [randomBytes(MIB), randomBytes(MIB)];
    const send = async (conn: Conn, data: Uint8Array) => {
      for (let at = 0; at < data.length; at += 1024) await conn.write(data.subarray(at, at + 1024));
      await conn.closeWrite();
    };
    const [, , gotUp, gotDown] = await Promise.all([
      send(client, up),
      send(server, down),
      readAll(server),
      readAll(client),
    ]);
    assert.deepEqual(gotUp, Buffer.from(up));
    assert.deepEqual(gotDown, Buffer.from(down));
  });

  test("ping-pong: 1,000 messages, each waiting for the last", async () => {
    using ends = await network.pair();
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
    using listener = await network.listen();
    const serving = (async () => {
      for (let i = 0; i < 100; i++) void echoAll(await listener.accept());
    })();
    await Promise.all(Array.from({ length: 100 }, async () => {
      using conn = await network.connect(listener.addr);
      const said = randomBytes(10_000);
      const [heard] = await Promise.all([readExactly(conn, said.length), conn.write(said)]);
      assert.deepEqual(heard, said);
    }));
    await serving;
  });

  test("read takes what fits and keeps the rest", async () => {
    using ends = await network.pair();
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
    using ends = await network.pair();
    const whole = new Uint8Array(32).fill(7);
    await ends.client.write(bytes("abc"));
    assert.equal(await ends.server.read(whole.subarray(8, 16)), 3);
    assert.deepEqual([...whole.subarray(0, 8)], Array(8).fill(7));
    assert.deepEqual([...whole.subarray(16)], Array(16).fill(7));
  });

  test("the writer's buffer is free once write resolves", async () => {
    using ends = await network.pair();
    const p = bytes("first");
    await ends.client.write(p);
    p.set(bytes("XXXXX"));
    assert.equal(await readText(ends.server, 5), "first");
  });

  test("FIN gives null once and for ever", async () => {
    using ends = await network.pair();
    const p = new Uint8Array(8);
    const pending = ends.client.read(p);
    await ends.server.closeWrite();
    assert.equal(await pending, null);
    assert.equal(await ends.client.read(p), null);
    assert.equal(await ends.client.read(p), null);
  });

  test("half-close: the other direction still carries 1 MiB", async () => {
    using ends = await network.pair();
    const { client, server } = ends;
    await client.write(bytes("last words"));
    await client.closeWrite();
    assert.equal(new TextDecoder().decode(await readAll(server)), "last words");
    const answer = randomBytes(MIB);
    const [got] = await Promise.all([
      readAll(client),
      server.write(answer).then(() => server.closeWrite()),
    ]);
    assert.deepEqual(got, Buffer.from(answer));
  });

  test("closeWrite twice is closeWrite once; writing after it is EPIPE", async () => {
    using ends = await network.pair();
    await ends.client.closeWrite();
    await ends.client.closeWrite();
    await rejects(ends.client.write(bytes("x")), "EPIPE");
    assert.equal(await ends.server.read(new Uint8Array(1)), null);
  });

  test("a peer that does not read holds the writer back, and lets it go on when it does", async () => {
    using ends = await network.pair();
    using other = await network.pair();
    const data = randomBytes(32 * MIB);
    let written = false;
    const writing = ends.client.write(data).then(() => written = true);
    for (let i = 0; i < 100; i++) {
      await other.client.write(bytes("tick"));
      await readExactly(other.server, 4);
    }
    assert.equal(written, false);
    assert.ok(ends.client.bytesWritten <= 16 * MIB, `${ends.client.bytesWritten} bytes are gone`);
    const got = await readExactly(ends.server, data.length);
    await writing;
    assert.ok(Buffer.from(data).equals(got));
    assert.equal(ends.client.bytesWritten, data.length);
    assert.equal(ends.server.bytesRead, data.length);
  });

  test("a loop of writes that never have to wait still lets timers ring", async () => {
    using ends = await network.pair();
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

  test("close delivers what was written, then FIN", async () => {
    using ends = await network.pair();
    const data = randomBytes(50_000);
    await ends.client.write(data);
    ends.client.close();
    assert.deepEqual(await readAll(ends.server), Buffer.from(data));
  });

  test("close unblocks a read with ECLOSED", async () => {
    using ends = await network.pair();
    const reading = rejects(ends.client.read(new Uint8Array(8)), "ECLOSED");
    ends.client.close();
    const error = await reading;
    assert.equal(error.op, "read");
    assert.deepEqual(error.addr, ends.listener.addr);
  });

  test("close unblocks a write with ECLOSED", async () => {
    using ends = await network.pair();
    const writing = rejects(ends.client.write(new Uint8Array(32 * MIB)), "ECLOSED");
    await until(() => ends.client.bytesWritten > 0, "a part to be written");
    ends.client.close();
    assert.equal((await writing).op, "write");
  });

  test("close unblocks an accept with ECLOSED", async () => {
    using listener = await network.listen();
    const accepting = rejects(listener.accept(), "ECLOSED");
    listener.close();
    await accepting;
    await rejects(listener.accept(), "ECLOSED");
  });

  test("closing twice is closing once, and everything after it is ECLOSED", async () => {
    using ends = await network.pair();
    const { client, listener } = ends;
    client.close();
    client.close();
    client.reset();
    client[Symbol.dispose]();
    listener.close();
    listener.close();
    await rejects(client.read(new Uint8Array(1)), "ECLOSED");
    await rejects(client.read(new Uint8Array(0)), "ECLOSED");
    await rejects(client.write(new Uint8Array(1)), "ECLOSED");
    await rejects(client.write(new Uint8Array(0)), "ECLOSED");
    await rejects(client.closeWrite(), "ECLOSED");
    assert.deepEqual(client.remoteAddr, listener.addr, "the addresses stay known");
  });

  test("close gives its reason to the pending read and to later calls", async () => {
    using ends = await network.pair();
    const reason = new SocketError("ETIMEDOUT", "read", { addr: ends.client.remoteAddr });
    const reading = ends.client.read(new Uint8Array(1));
    ends.client.close(reason);
    await assert.rejects(reading, (error) => error === reason);
    await assert.rejects(ends.client.write(bytes("x")), (error) => error === reason);
  });

  test("reset does not wait for a write that waits", async () => {
    using ends = await network.pair();
    const writing = rejects(ends.client.write(new Uint8Array(32 * MIB)), "ECLOSED");
    await until(() => ends.client.bytesWritten > 0, "a part to be written");
    ends.client.reset();
    await writing;
    // How the peer sees it is the runtime's matter; that it sees the end is not.
    const heard = readAll(ends.server).catch(() => new Uint8Array(0));
    assert.ok((await heard).length < 32 * MIB);
  });

  test("a reset gives ECONNRESET, behind what arrived before it, and then always", async () => {
    await using peer = await resetting();
    peer.reset("farewell");
    assert.equal(await readText(peer.conn, 8), "farewell");
    for (let i = 0; i < 3; i++) await rejects(peer.conn.read(new Uint8Array(8)), "ECONNRESET");
    await rejects(peer.conn.write(bytes("x")), "ECONNRESET");
  }, peers);

  test("a reset that comes together with bytes is still a reset", async () => {
    await using peer = await resetting();
    for (let i = 0; i < 10; i++) {
      const conn = i === 0 ? peer.conn : await peer.again();
      const reading = readText(conn, 8);
      peer.reset("farewell");
      assert.equal(await reading, "farewell");
      await rejects(conn.read(new Uint8Array(8)), "ECONNRESET");
    }
  }, peers);

  test("a reset unblocks a read with ECONNRESET", async () => {
    await using peer = await resetting();
    const reading = rejects(peer.conn.read(new Uint8Array(8)), "ECONNRESET");
    peer.reset("");
    await reading;
  }, peers);

  test(`a reset unblocks a write with ${network.brokenWrite.join(" or ")}`, async () => {
    await using peer = await resetting();
    const writing = rejects(peer.conn.write(new Uint8Array(32 * MIB)), ...network.brokenWrite);
    await until(() => peer.conn.bytesWritten > 0, "a part to be written");
    peer.reset("");
    await writing;
    await rejects(peer.conn.read(new Uint8Array(8)), "ECONNRESET");
  }, peers);

  test("after a reset, closeWrite and close still do no harm", async () => {
    await using peer = await resetting();
    peer.reset("");
    await rejects(peer.conn.read(new Uint8Array(8)), "ECONNRESET");
    await peer.conn.closeWrite();
    peer.conn.close();
    await rejects(peer.conn.read(new Uint8Array(8)), "ECLOSED");
  }, peers);

  test("writing to a peer that has closed soon fails", async () => {
    using ends = await network.pair();
    ends.server.close();
    assert.equal(await ends.client.read(new Uint8Array(1)), null);
    await rejects(
      (async () => {
        for (;;) await ends.client.write(new Uint8Array(1024));
      })(),
      "EPIPE",
      "ECONNRESET",
    );
    assert.equal(await ends.client.read(new Uint8Array(1)), null, "FIN stays FIN");
  });

  test("a write of no bytes sends nothing, and a read into an empty buffer is a RangeError", async () => {
    using ends = await network.pair();
    await ends.client.write(new Uint8Array(0));
    await mistakes(
      "RangeError",
      /conn\.read .* not a Uint8Array of 0 bytes/,
      ends.client.read(new Uint8Array(0)),
    );
    await ends.client.write(bytes("x"));
    assert.equal(await ends.server.read(new Uint8Array(8)), 1);
    assert.equal(ends.client.bytesWritten, 1);
  });

  test("writes that nobody awaits arrive, though the connection is closed behind them", async () => {
    using ends = await network.pair();
    const { client, server } = ends;
    const all = Array.from({ length: 100 }, (_, i) => `line ${i}\n`);
    const writing = all.map((line) => server.write(bytes(line)));
    server.close();
    assert.equal(new TextDecoder().decode(await readAll(client)), all.join(""));
    await Promise.all(writing);
    await rejects(server.write(bytes("x")), "ECLOSED");
  });

  test("a reset right behind a write harms nobody", async () => {
    for (const size of [100, 3_000_000]) {
      using ends = await network.pair();
      const { client, server } = ends;
      const reading = readAll(client).catch(() => {});
      const writing = server.write(new Uint8Array(size)).catch(() => {});
      server.reset();
      await Promise.all([reading, writing]);
    }
  });

  test("writes that nobody awaits arrive in order, and FIN behind them", async () => {
    using ends = await network.pair();
    const { client, server } = ends;
    const lines = Array.from({ length: 1000 }, (_, i) => `line ${i}\n`);
    const taken: number[] = [];
    const writes = lines.map((line, i) => client.write(bytes(line)).then(() => taken.push(i)));
    const ended = client.closeWrite();
    await rejects(client.write(bytes("too late")), "EPIPE");
    assert.equal(Buffer.from(await readAll(server)).toString(), lines.join(""));
    await Promise.all([...writes, ended]);
    assert.deepEqual(taken, [...lines.keys()]);
    assert.equal(client.bytesWritten, lines.join("").length);
  });

  test("writes queue behind one that has to wait, each with its own end, and FIN behind them", async () => {
    using ends = await network.pair();
    const { client, server } = ends;
    const data = randomBytes(32 * MIB);
    const settled: string[] = [];
    const note = (name: string) => () => void settled.push(name);
    const writes = [
      client.write(data).then(note("large")),
      client.write(bytes("small")).then(note("small")),
      client.closeWrite().then(note("FIN")),
      client.closeWrite(),
    ];
    await client.write(new Uint8Array(0)).catch((error) => assert.equal(error.code, "EPIPE"));
    assert.deepEqual(settled, []);
    const got = Buffer.from(await readAll(server));
    assert.ok(got.subarray(0, data.length).equals(data));
    assert.equal(got.subarray(data.length).toString(), "small");
    await Promise.all(writes);
    assert.deepEqual(settled, ["large", "small", "FIN"]);
  });

  test("close rejects all the writes that wait, and the half-close behind them", async () => {
    using ends = await network.pair();
    const { client } = ends;
    const writing = [
      client.write(new Uint8Array(32 * MIB)),
      client.write(bytes("x")),
      client.write(bytes("y")),
      client.closeWrite(),
    ];
    const ended = Promise.all(writing.map((write) => rejects(write, "ECLOSED")));
    client.close();
    await ended;
  });

  test("a second read or accept at the same time is EBUSY, and the first goes on", async () => {
    using ends = await network.pair();
    const { client, server, listener } = ends;
    const reading = client.read(new Uint8Array(8));
    await rejects(client.read(new Uint8Array(8)), "EBUSY");
    const accepting = listener.accept();
    await rejects(listener.accept(), "EBUSY");
    await server.write(bytes("hello"));
    assert.equal(await reading, 5);
    using second = await network.connect(listener.addr);
    using accepted = await accepting;
    assert.deepEqual(accepted.remoteAddr, second.localAddr);
  });

  test(`connecting to where nobody listens is ${network.nobody}`, async () => {
    const listener = await network.listen();
    listener.close();
    await untilFree?.(listener.addr);
    const error = await rejects(network.connect(listener.addr), network.nobody);
    assert.equal(error.op, "connect");
    assert.ok(error.message.includes(formatAddr(listener.addr)), error.message);
  });

  test("listening where somebody listens is EADDRINUSE", async () => {
    using listener = await network.listen();
    const error = await rejects(network.listen(listener.addr), "EADDRINUSE");
    assert.equal(error.op, "listen");
    assert.ok(error.message.includes(formatAddr(listener.addr)), error.message);
  });

  test("an address is free again as soon as its listener is closed", async () => {
    const first = await network.listen();
    const [client, server] = await Promise.all([network.connect(first.addr), first.accept()]);
    server.close();
    assert.equal(await client.read(new Uint8Array(1)), null);
    client.close();
    first.close();
    await untilFree?.(first.addr);
    using second = await network.listen(first.addr);
    assert.deepEqual(second.addr, first.addr);
  });

  test("connect: aborted before, it does not start", async () => {
    using listener = await network.listen();
    const signal = AbortSignal.abort();
    const error = await rejects(network.connect(listener.addr, signal), "ECANCELED");
    assert.equal(error.cause, signal.reason);
  });

  if (unanswered !== undefined) {
    test("connect: aborted while connecting, it gives up", async () => {
      await using silence = await unanswered();
      const controller = new AbortController();
      const { signal } = controller;
      const connecting = network.connect(silence.endpoint, signal);
      controller.abort(new Error("changed my mind"));
      const error = await rejects(connecting, "ECANCELED");
      assert.equal((error.cause as Error).message, "changed my mind");
    }, peers);

    test("connect: a deadline that passes is ETIMEDOUT", async () => {
      await using silence = await unanswered();
      const controller = new AbortController();
      const { signal } = controller;
      const connecting = network.connect(silence.endpoint, signal);
      const timedOut = rejects(connecting, "ETIMEDOUT");
      await until(() => silence.isAsked(), "the attempt to be kept waiting");
      controller.abort(new DOMException("late", "TimeoutError"));
      await timedOut;
    }, peers);
  }

  test("connect: aborted after, the connection lives", async () => {
    using listener = await network.listen();
    const controller = new AbortController();
    const { signal } = controller;
    using client = await network.connect(listener.addr, signal);
    using server = await listener.accept();
    controller.abort();
    await client.write(bytes("still here"));
    assert.equal(await readText(server, 10), "still here");
  });

  test("a connection and its first bytes wait in the backlog", async () => {
    using listener = await network.listen();
    using client = await network.connect(listener.addr);
    await client.write(bytes("early"));
    await client.closeWrite();
    using server = await listener.accept();
    assert.equal(new TextDecoder().decode(await readAll(server)), "early");
  });

  test("a closed listener leaves its connections alone, and takes no more", async () => {
    using ends = await network.pair();
    ends.listener.close();
    await ends.client.write(bytes("alive"));
    assert.equal(await readText(ends.server, 5), "alive");
    await untilFree?.(ends.listener.addr);
    await rejects(network.connect(ends.listener.addr), network.nobody);
  });

  test("a closed listener lets nobody wait in its backlog", async () => {
    const listener = await network.listen();
    using client = await network.connect(listener.addr);
    listener.close();
    const reading = client.read(new Uint8Array(1));
    if (network.leftWaiting === null) assert.equal(await reading, null);
    else await rejects(reading, network.leftWaiting);
  });

  test("iterating a listener accepts until it is closed; leaving the loop closes it", async () => {
    const listener = await network.listen();
    const client = await network.connect(listener.addr);
    for await (const conn of listener) {
      conn.close();
      client.close();
      listener.close();
    }
    const second = await network.listen();
    using visitor = await network.connect(second.addr);
    for await (const conn of second) {
      conn.close();
      break;
    }
    await rejects(second.accept(), "ECLOSED");
    visitor.close();
  });

  const { descriptors } = network;
  if (descriptors !== undefined) {
    const n = descriptors === "tls" ? "200" : "1,000";
    test(`${n} connections opened and closed leave no descriptor behind`, () => {
      return assertNoneLeft(descriptors);
    });
  }
}
