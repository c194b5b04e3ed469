// What connections are told to do, with networks that are slow, lossy and cut: 1,000 seeds for each
// contract.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { TcpAddr } from "../../lib/base/addr.ts";
import { SocketError } from "../../lib/base/errors.ts";
import { dial } from "../../lib/dial.ts";
import {
  delimiter,
  fixedLength,
  FrameReader,
  FrameWriter,
  type Framing,
  lengthPrefix,
  lines,
  untilClose,
} from "../../lib/frames/mod.ts";
import type { Conn, Listener, Transport } from "../../lib/net/transport.ts";
import { chat } from "../../lib/protocols/chat/chat.ts";
import { echo } from "../../lib/protocols/echo.ts";
import { relay, type Relayed } from "../../lib/protocols/relay.ts";
import { type Handler, serve } from "../../lib/serve/serve.ts";
import type { World } from "../../lib/simulate/simulate.ts";
import {
  disturb,
  holds,
  networkOf,
  randomBytes,
  range,
  receive,
  send,
} from "./simulated_worlds.ts";

const HERE = { host: "", port: 7 };
const SERVER = { host: "server", port: 7 };

/** Serves a handler on the host `server`; `stop()` resolves when all of it has ended. */
async function serving(world: World, handler: Handler): Promise<{ stop(): Promise<void> }> {
  const listener = await world.host("server").listen(HERE);
  const [end, errors] = [new AbortController(), [] as unknown[]];
  const { clock } = world;
  const served = serve(listener, handler, {
    signal: end.signal,
    clock,
    // How peers behave is no mistake.
    onError: (error) => error instanceof SocketError || errors.push(error),
  }).finished;
  return {
    async stop(): Promise<void> {
      end.abort();
      await served;
      assert.deepEqual(errors, []);
    },
  };
}

holds(
  "echo returns every byte in order, whoever else resets, and stops when told",
  async (world) => {
    const server = await serving(world, echo());
    disturb(world, "client", "server");
    await Promise.all(
      range(1 + world.random.integer(2)).map(async () => {
        const conn = await world.host("client").connect(SERVER);
        const data = randomBytes(world, 2000);
        if (world.random.integer(4) === 0) {
          await conn.write(data);
          conn.reset();
          return;
        }
        const sending = send(world, conn, data).then(() => conn.closeWrite());
        assert.deepEqual(await receive(world, conn), data);
        await sending;
        conn.close();
      }),
    );
    await server.stop();
  },
);

/** A framing, and the payloads that it can carry. */
const FRAMINGS: readonly [framing: () => Framing, payload: (world: World) => Buffer][] = [
  [lines, (world) => Buffer.from(randomBytes(world, 300).toString("hex"))],
  [() => lengthPrefix("u8"), (world) => randomBytes(world, 255)],
  [() => lengthPrefix("u16"), (world) => randomBytes(world, 600)],
  [() => lengthPrefix("varint"), (world) => randomBytes(world, 600)],
  [
    () => delimiter(Buffer.from("--")),
    (world) => Buffer.from(randomBytes(world, 300).toString("hex")),
  ],
  [() => fixedLength(16), (world) => Buffer.alloc(16, world.random.integer(256))],
];

holds("frames arrive as they were sent, one by one", async (world) => {
  const { random } = world;
  const listener = await world.host("server").listen(HERE);
  disturb(world, "client", "server");
  const [conn, accepted] = await Promise.all([
    world.host("client").connect(SERVER),
    listener.accept(),
  ]);
  const [framing, payload] = FRAMINGS[random.integer(FRAMINGS.length)];
  const frames = range(random.integer(8)).map(() => payload(world));
  const writing = (async () => {
    const writer = new FrameWriter(conn, framing());
    for (const frame of frames) {
      await writer.write(frame);
      if (random.integer(2) === 0) await writer.flush();
      if (random.integer(3) === 0) await world.sleep(random.integer(50));
    }
    await writer.flush();
    await conn.closeWrite();
  })();
  const got: Buffer[] = [];
  for await (const frame of new FrameReader(accepted, framing())) got.push(Buffer.from(frame));
  await writing;
  assert.deepEqual(got, frames);
  for (const each of [conn, accepted, listener]) each.close();
});

holds("a stream that has no frames is one message, up to its end", async (world) => {
  const listener = await world.host("server").listen(HERE);
  const [conn, accepted] = await Promise.all([
    world.host("client").connect(SERVER),
    listener.accept(),
  ]);
  disturb(world, "client", "server");
  const data = randomBytes(world, 2000);
  const sending = send(world, conn, data).then(() => conn.closeWrite());
  const reader = new FrameReader(accepted, untilClose());
  assert.deepEqual(Buffer.from((await reader.read())!), data);
  await sending;
  for (const each of [conn, accepted, listener]) each.close();
});

/** The transport of a host on which each name has these addresses. */
function withAddresses(host: Transport, addrs: readonly TcpAddr[]): Transport {
  return new Proxy(host, {
    get: (target, key) => {
      if (key === "resolve") return () => Promise.resolve([...addrs]);
      const member = Reflect.get(target, key);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

/** What a listener has accepted: the bytes of each connection that has ended. */
async function accepting(listener: Listener, ended: string[]): Promise<void> {
  const one = async (conn: Conn) => {
    const buffer = new Uint8Array(9);
    const n = await conn.read(buffer).catch(() => null);
    if (n !== null) await conn.read(buffer).catch(() => null);
    ended.push(n === null ? "" : "winner");
    conn.close();
  };
  const ones: Promise<void>[] = [];
  try {
    for (;;) ones.push(one(await listener.accept()));
  } catch {
    await Promise.all(ones);
  }
}

/** After this time the network has given up each attempt to connect, in milliseconds. */
const ALL_OVER = 200_000;

holds(
  "dial finds an address that answers, in time, and leaves no other connection",
  async (world) => {
    const { random, clock } = world;
    const names = ["one", "two", "three"];
    const [ended, listeners, accepts] = [[] as string[], [] as Listener[], [] as Promise<void>[]];
    const up: string[] = [];
    let steady = false;
    const addrs: TcpAddr[] = [];
    for (const name of names) {
      const host = world.host(name);
      const kind = random.integer(4);
      if (kind > 0 && kind < 3) {
        const listener = await host.listen(HERE);
        listeners.push(listener);
        accepts.push(accepting(listener, ended));
        up.push(name);
        steady ||= kind === 1;
      }
      if (kind === 2) clock.setTimer(random.integer(500), () => world.partition("client", name));
      if (kind === 3) world.crash(name);
      const [addr] = await world.host("client").resolve({ host: name, port: 7 });
      addrs.push(addr);
    }
    const transport = withAddresses(world.host("client"), addrs);
    const options = { host: "service", port: 7, timeout: 30_000, clock };
    const began = clock.now();
    const conn = await dial(transport, options).catch((error: unknown) => {
      assert.ok(error instanceof SocketError, String(error));
      // One answers, and no packet is lost.
      if (steady && networkOf(world.seed).loss === 0) throw error;
      return undefined;
    });
    assert.ok(clock.now() - began <= 30_000, `it took ${clock.now() - began} ms`);
    if (conn !== undefined) {
      const winner = names[addrs.findIndex(({ host }) => host === conn.remoteAddr.host)];
      assert.ok(up.includes(winner), winner);
      await conn.write(Uint8Array.of(1));
    }
    conn?.close();
    await world.sleep(1000);
    world.heal();
    await world.sleep(ALL_OVER);
    for (const listener of listeners) listener.close();
    await Promise.all(accepts);
    const winners = ended.filter((text) => text === "winner");
    assert.equal(winners.length, conn === undefined ? 0 : 1);
  },
);

holds("a relay passes all bytes on both ways, and ends and resets, too", async (world) => {
  const { random, clock } = world;
  const target = await world.host("target").listen(HERE);
  const relayed: Relayed[] = [];
  const toTarget = (signal: AbortSignal) =>
    dial(world.host("server"), { host: "target", port: 7, timeout: 0, signal, clock });
  const handler = relay(toTarget, { clock, onEnd: (each) => relayed.push(each) });
  const server = await serving(world, handler);
  disturb(world, "client", "server");
  disturb(world, "server", "target");
  const [up, down] = [randomBytes(world, 1500), randomBytes(world, 1500)];
  const [client, end] = await Promise.all([
    world.host("client").connect(SERVER),
    target.accept(),
  ]);
  if (random.integer(4) === 0) {
    const [gone, other] = random.integer(2) === 0 ? [client, end] : [end, client];
    await send(world, gone, up);
    const reading = receive(world, other);
    const heard = assert.rejects(reading, { code: "ECONNRESET" });
    gone.reset();
    await heard;
  } else {
    const [atTarget, atClient] = await Promise.all([
      receive(world, end),
      receive(world, client),
      send(world, client, up).then(() => client.closeWrite()),
      send(world, end, down).then(() => end.closeWrite()),
    ]);
    assert.deepEqual([atTarget, atClient], [up, down]);
  }
  for (const each of [client, end, target]) each.close();
  await server.stop();
  assert.equal(relayed.length, 1);
});

/** Reads lines up to the one that `isLast`; returns all. */
async function linesUntil(
  conn: Conn,
  isLast: (line: string, lines: string[]) => boolean,
): Promise<string[]> {
  const got: string[] = [];
  for await (const frame of new FrameReader(conn, lines())) {
    const line = new TextDecoder().decode(frame);
    got.push(line);
    if (isLast(line, got)) return got;
  }
  throw new Error(`The stream ended after ${got.join("\n")}`);
}

holds("in a chat each hears what all others say, in the order of each", async (world) => {
  const { random, clock } = world;
  const server = await serving(world, chat({ clock }));
  disturb(world, "client0", "server");
  const [members, each] = [2 + random.integer(2), 1 + random.integer(3)];
  let there = 0;
  let leave = () => {};
  const all = new Promise<void>((resolve) => leave = resolve);
  let come = () => {};
  const everybody = new Promise<void>((resolve) => come = resolve);
  await Promise.all(
    range(members).map(async (i) => {
      const conn = await world.host(`client${i}`).connect(SERVER);
      const said = (by: string) => range(each).map((n) => `${by} says ${n}`);
      let welcomed = false;
      const hearing = linesUntil(conn, (line, got) => {
        if (!welcomed && line.startsWith("* You are")) {
          welcomed = true;
          if (++there === members) come();
        }
        return got.filter((line) => / says /.test(line)).length === (members - 1) * each;
      });
      await everybody;
      for (const line of said(`c${i}`)) {
        await conn.write(Buffer.from(`${line}\n`));
        if (random.integer(2) === 0) await world.sleep(random.integer(100));
      }
      const heard = (await hearing).filter((line) => / says /.test(line))
        .map((line) => line.slice(line.indexOf(": ") + 2));
      for (const other of range(members)) {
        const expected = other === i ? [] : said(`c${other}`);
        assert.deepEqual(heard.filter((line) => line.startsWith(`c${other} `)), expected);
      }
      if (--there === 0) leave();
      await all;
      conn.close();
    }),
  );
  await server.stop();
});
