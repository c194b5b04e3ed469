// The switchboard as a handler: in memory where time and sizes are exact, and over real sockets.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { dial } from "../../lib/dial.ts";
import { echo } from "../../lib/protocols/echo.ts";
import type { SocketError } from "../../lib/base/errors.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import { type DialTarget, relay, type Relayed } from "../../lib/protocols/relay.ts";
import { serve, type ServeOptions } from "../../lib/serve/serve.ts";
import { selfSigned } from "../../lib/net/tls/self_signed.ts";
import { systemTransport } from "../../lib/net/system.deno.ts";
import type { Addr, TcpAddr } from "../../lib/base/addr.ts";
import type { Conn, Listener, Transport } from "../../lib/net/transport.ts";
import { assertNoneLeft, openAndClose } from "../contract/descriptors.ts";
import {
  bytes,
  OWN_HOST,
  pair,
  randomBytes,
  readAll,
  readExactly,
  readText,
  rejects,
} from "../support/helpers.ts";
import { python } from "../support/peers.ts";
import { test } from "../support/runner.deno.ts";

/** A relay that serves, and what it told. */
class Switchboard implements AsyncDisposable {
  readonly ended: Relayed[] = [];
  readonly errors: unknown[] = [];
  readonly #listener: Listener;
  readonly #stop = new AbortController();
  readonly #served: Promise<unknown>;

  constructor(listener: Listener, dialTarget: DialTarget, options: ServeOptions = {}) {
    this.#listener = listener;
    const handler = relay(dialTarget, { onEnd: (relayed) => this.ended.push(relayed) });
    this.#served = serve(listener, handler, {
      signal: this.#stop.signal,
      onError: (error) => this.errors.push(error),
      ...options,
    }).finished;
  }

  get addr(): Addr {
    return this.#listener.addr;
  }

  /** Stops and waits for the conversations. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#served;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** A client that is joined to a target. */
interface Joined extends AsyncDisposable {
  readonly board: Switchboard;
  readonly client: Conn;
  readonly target: Conn;
}

async function joinUp(transport: Transport, options: ServeOptions = {}): Promise<Joined> {
  const [behind, front] = [
    await transport.listen({ host: "127.0.0.1" }),
    await transport.listen({ host: "127.0.0.1" }),
  ];
  const board = new Switchboard(front, to(transport, behind.addr), options);
  const [client, target] = await Promise.all([transport.connect(front.addr), behind.accept()]);
  behind.close();
  return {
    board,
    client,
    target,
    async [Symbol.asyncDispose]() {
      client.close();
      target.close();
      await board.stop();
    },
  };
}

function to(transport: Transport, { host, port }: TcpAddr): DialTarget {
  return (signal) => dial(transport, { host, port, signal });
}

/** Asserts that the other end was reset; on Deno a socket cannot, and closes. */
async function assertReset(transport: Transport, conn: Conn): Promise<void> {
  const reading = conn.read(new Uint8Array(1));
  if (transport.name === "deno") assert.equal(await reading, null);
  else await rejects(reading, "ECONNRESET");
}

/**
 * Writes until the other side holds it back; resolves to how much it took. It does when nothing has
 * moved while others of this process, on the same transport, said something and heard it a hundred times.
 */
async function fill(transport: Transport, conn: Conn): Promise<number> {
  void conn.write(new Uint8Array(64 * 1024 * 1024)).catch(() => {});
  using others = await pair(transport);
  for (let before = -1; before !== conn.bytesWritten;) {
    before = conn.bytesWritten;
    for (let i = 0; i < 100; i++) {
      await others.client.write(bytes("tick"));
      await readExactly(others.server, 4);
    }
  }
  return conn.bytesWritten;
}

for (const transport of [new MemoryTransport(), systemTransport]) {
  const name = transport === systemTransport ? "sockets" : "memory";

  test(`relay (${name}): carries bytes both ways unchanged, and counts them`, async () => {
    await using joined = await joinUp(transport);
    const { board, client, target } = joined;
    const [there, back] = [randomBytes(300_000), randomBytes(200_000)];
    const say = async (conn: Conn, data: Uint8Array) => {
      await conn.write(data);
      await conn.closeWrite();
    };
    const [gotThere, gotBack] = await Promise.all([
      readAll(target),
      readAll(client),
      say(client, there),
      say(target, back),
    ]);
    assert.ok(Buffer.from(there).equals(gotThere));
    assert.ok(Buffer.from(back).equals(gotBack));
    await board.stop();
    assert.deepEqual(board.errors, []);
    const [{ duration, ...relayed }] = board.ended;
    assert.ok(duration >= 0);
    assert.deepEqual(relayed, {
      client: client.localAddr,
      target: target.localAddr,
      toTarget: 300_000,
      toClient: 200_000,
      error: undefined,
    });
  });

  for (const first of ["client", "target"] as const) {
    test(`relay (${name}): when the ${first} half-closes the other direction goes on`, async () => {
      await using joined = await joinUp(transport);
      const [ending, other] = first === "client"
        ? [joined.client, joined.target]
        : [joined.target, joined.client];
      await ending.write(bytes("that is all"));
      await ending.closeWrite();
      assert.equal((await readAll(other)).toString(), Buffer.from("that is all").toString());
      for (const word of ["not", "for", "me!"]) {
        await other.write(bytes(word));
        assert.equal(await readText(ending, 3), word);
      }
      await other.closeWrite();
      assert.equal(await ending.read(new Uint8Array(1)), null);
      await joined.board.stop();
      assert.equal(joined.board.ended[0].error, undefined);
    });

    test(`relay (${name}): when the ${first} resets the other side is reset`, async () => {
      await using joined = await joinUp(transport);
      const [resetting, other] = first === "client"
        ? [joined.client, joined.target]
        : [joined.target, joined.client];
      await resetting.write(bytes("x"));
      await readText(other, 1);
      // On Deno it takes bytes unread to have the kernel send RST.
      await other.write(bytes("unread"));
      while (resetting.bytesRead < 1) await resetting.read(new Uint8Array(1));
      resetting.reset();
      await assertReset(transport, other);
      // Where it was an end and no reset, the relay waits for the other's.
      other.close();
      await joined.board.stop();
      const { error } = joined.board.ended[0];
      if (transport.name !== "deno") assert.equal((error as SocketError).code, "ECONNRESET");
      assert.deepEqual(joined.board.errors, error === undefined ? [] : [error]);
    });

    test(`relay (${name}): who reads slowly holds the ${first} back`, async () => {
      await using joined = await joinUp(transport);
      const [sender, reader] = first === "client"
        ? [joined.client, joined.target]
        : [joined.target, joined.client];
      const taken = await fill(transport, sender);
      // In memory a connection holds 64 KiB; the kernel chooses for itself, a few MiB at the most.
      if (name === "memory") assert.ok(taken <= 3 * 64 * 1024, `${taken} bytes`);
      assert.ok(taken < 32 * 1024 * 1024, `${taken} bytes`);
      await readExactly(reader, taken);
      // It goes on: what the sender could not get rid of before arrives.
      await readExactly(reader, 1024 * 1024);
    });
  }

  test(`relay (${name}): a target that cannot be reached resets the client and tells why`, async () => {
    const closed = await transport.listen({ host: OWN_HOST });
    closed.close();
    const front = await transport.listen({ host: "127.0.0.1" });
    await using board = new Switchboard(front, to(transport, closed.addr));
    using client = await transport.connect(front.addr);
    await assertReset(transport, client);
    await board.stop();
    const [{ target, toTarget, toClient, error }] = board.ended;
    assert.deepEqual([target, toTarget, toClient], [undefined, 0, 0]);
    assert.equal((error as SocketError).code, "ECONNREFUSED");
    assert.deepEqual(board.errors, [error]);
  });
}

test("relay (memory): what a target said before it closed arrives, though it takes no more", async () => {
  const transport = new MemoryTransport();
  await using joined = await joinUp(transport);
  const { client, target } = joined;
  const answer = randomBytes(50_000);
  await fill(transport, client);
  await target.write(answer);
  target.close();
  assert.ok(Buffer.from(answer).equals(await readExactly(client, answer.length)));
  client.close();
  await joined.board.stop();
  const { error, toClient } = joined.board.ended[0];
  assert.notEqual(error, undefined);
  assert.equal(toClient, answer.length);
});

// The client is not one of ours: what has arrived and was not read is gone on Node and Bun when a
// write of the same socket fails (docs/semantics.md), and this client's write always does.
test(
  "relay (sockets): what a target said before it closed arrives, though it takes no more",
  async () => {
    const [behind, front] = [
      await systemTransport.listen({ host: "127.0.0.1" }),
      await systemTransport.listen({ host: "127.0.0.1" }),
    ];
    await using board = new Switchboard(front, to(systemTransport, behind.addr));
    await using client = await python(`
import select
s = socket.create_connection(("127.0.0.1", ${front.addr.port}))
s.setblocking(False)
while select.select([], [s], [], 0.2)[1]:
    s.send(bytes(65536))
say("full")
s.setblocking(True)
sys.stdin.readline()
came = b""
try:
    while data := s.recv(65536):
        came += data
except ConnectionResetError:
    pass
say(came.hex())
`);
    using target = await behind.accept();
    behind.close();
    assert.equal(await client.hear(), "full");
    const answer = randomBytes(50_000);
    await target.write(answer);
    target.close();
    client.say("read");
    assert.equal(await client.hear(), Buffer.from(answer).toString("hex"));
    await board.stop();
    const { error, toClient } = board.ended[0];
    assert.notEqual(error, undefined);
    assert.equal(toClient, answer.length);
  },
  ["python3"],
);

/** Joins in memory, with a clock to turn, and fills the way to a target that does not read. */
async function stuck(options: ServeOptions) {
  const clock = new VirtualClock();
  const transport = new MemoryTransport();
  const joined = await joinUp(transport, { ...options, clock });
  await fill(transport, joined.client);
  return { ...joined, clock };
}

test("relay: a conversation that is stuck ends with the idle timeout, on both sides", async () => {
  const { board, client, target, clock } = await stuck({ idleTimeout: 60_000 });
  await clock.advance(62_000);
  assert.equal(await client.read(new Uint8Array(1)), null);
  assert.equal((board.ended[0].error as SocketError).code, "ETIMEDOUT");
  assert.deepEqual(board.errors, [board.ended[0].error]);
  await assert.rejects(readAll(target), { code: "ECONNRESET" });
  client.close();
  await board.stop();
});

test("relay: one that only one side has ended is bounded by the idle timeout", async () => {
  const clock = new VirtualClock();
  const joined = await joinUp(new MemoryTransport(), { idleTimeout: 60_000, clock });
  const { board, client, target } = joined;
  await client.closeWrite();
  assert.equal(await target.read(new Uint8Array(1)), null);
  for (let minute = 0; minute < 3; minute++) {
    await target.write(bytes("."));
    await readText(client, 1);
    await clock.advance(40_000);
  }
  assert.equal(board.ended.length, 0);
  await clock.advance(62_000);
  assert.equal((board.ended[0].error as SocketError).code, "ETIMEDOUT");
  await rejects(target.write(bytes(".")), "ECONNRESET");
  await board.stop();
});

test("relay: a conversation that is stuck when the drain timeout is over is reset on both sides", async () => {
  const { board, client, target, clock } = await stuck({ drainTimeout: 5000 });
  const stopped = board.stop();
  await clock.advance(5000);
  await stopped;
  await rejects(client.read(new Uint8Array(1)), "ECONNRESET");
  await assert.rejects(readAll(target), { code: "ECONNRESET" });
});

test("relay: dialing goes on while the server drains, and is given up when that is over", async () => {
  const transport = new MemoryTransport();
  const clock = new VirtualClock();
  const front = await transport.listen({ port: 7 });
  let aborted: unknown;
  const never: DialTarget = (signal) =>
    new Promise((_, reject) =>
      signal.addEventListener("abort", () => {
        aborted = signal.reason;
        reject(signal.reason);
      })
    );
  await using board = new Switchboard(front, never, { drainTimeout: 1000, clock });
  using client = await transport.connect({ host: "localhost", port: 7 });
  await clock.advance(0);
  // The client was accepted: in a restart nobody else would serve it.
  const stopped = board.stop();
  await clock.advance(999);
  assert.deepEqual([aborted], [undefined]);
  await clock.advance(1);
  await stopped;
  await rejects(client.read(new Uint8Array(1)), "ECONNRESET");
  assert.equal((aborted as SocketError).code, "ECLOSED");
  assert.deepEqual(board.errors, [aborted]);
});

test("relay: 1,000 short conversations leave no descriptor behind", async () => {
  assertNoneLeft("relay", await openAndClose("relay"));
});

/** Sends through a relay, and asserts that the echo behind it answers. */
async function assertEcho(conn: Conn): Promise<void> {
  const data = randomBytes(100_000);
  const [got] = await Promise.all([
    readExactly(conn, data.length),
    conn.write(data),
  ]);
  assert.ok(Buffer.from(data).equals(got));
  await conn.closeWrite();
  assert.equal(await conn.read(new Uint8Array(1)), null);
}

test("relay: joins Unix and TCP sockets, both ways round", async () => {
  const path = join(tmpdir(), `plainsocket-relay-${process.pid}.sock`);
  for (const [fronts, targets] of [["unix", "tcp"], ["tcp", "unix"]]) {
    const listen = (kind: string): Promise<Listener> =>
      kind === "unix"
        ? systemTransport.listen({ path })
        : systemTransport.listen({ host: "127.0.0.1" });
    const [behind, front] = [await listen(targets), await listen(fronts)];
    const echoing = serve(behind, echo()).finished;
    await using board = new Switchboard(
      front,
      (signal) => dial(systemTransport, { ...behind.addr as TcpAddr, signal }),
    );
    using client = await systemTransport.connect(front.addr as TcpAddr);
    await assertEcho(client);
    await board.stop();
    assert.deepEqual(board.errors, []);
    behind.close();
    await echoing;
  }
});

test("relay: TLS in front of plain TCP, and plain TCP in front of TLS", async () => {
  const { cert, key } = await selfSigned(["127.0.0.1"]);
  const host = "127.0.0.1";
  for (const secureFront of [true, false]) {
    const listen = (secure: boolean): Promise<Listener<TcpAddr>> =>
      secure
        ? systemTransport.listen({ host, tls: { cert, key } })
        : systemTransport.listen({ host });
    const connect = (port: number, secure: boolean, signal?: AbortSignal): Promise<Conn> =>
      secure
        ? dial(systemTransport, { host, port, signal, tls: { caCerts: [cert] } })
        : dial(systemTransport, { host, port, signal });
    const [behind, front] = [await listen(!secureFront), await listen(secureFront)];
    const echoing = serve(behind, echo()).finished;
    await using board = new Switchboard(
      front,
      (signal) => connect(behind.addr.port, !secureFront, signal),
    );
    using client = await connect(front.addr.port, secureFront);
    await assertEcho(client);
    await board.stop();
    assert.deepEqual(board.errors, []);
    behind.close();
    await echoing;
  }
});
