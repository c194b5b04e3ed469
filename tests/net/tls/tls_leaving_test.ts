// TLS over a connection that takes nothing for a while: what was written leaves all the same, whole,
// and nobody is told that it has before it has.

import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { VirtualClock } from "../../../lib/base/virtual_clock.ts";
import { deferred } from "../../../lib/base/wait.ts";
import { MemoryTransport } from "../../../lib/net/memory/transport.ts";
import { selfSigned } from "../../../lib/net/tls/self_signed.ts";
import { storeOf } from "../../../lib/net/tls/handshake.ts";
import { acceptTlsOver, startTlsOver } from "../../../lib/net/tls/conn.ts";
import { CLOSE_TIMEOUT, StreamBelow } from "../../../lib/net/tls/stream_below.ts";
import type { Conn } from "../../../lib/net/transport.ts";
import {
  bytes,
  pair,
  randomBytes,
  readAll,
  readExactly,
  readText,
  rejects,
  until,
} from "../../support/helpers.ts";
import { test } from "../../support/runner.deno.ts";

const own = await selfSigned(["127.0.0.1"]);

/** Three of TLS's records: less than what is handed to it at once. */
const DATA = randomBytes(40_000);

/** What closes a stream: close_notify in a record of TLS 1.3 (RFC 8446 section 5.2). */
const CLOSE_NOTIFY_SIZE = 24;

/** Lets writes through when it is open. */
class Gate {
  /** The sizes of the writes that came to it. */
  readonly sizes: number[] = [];
  #opened = deferred<void>();

  constructor(conn: Conn) {
    this.open();
    const write = conn.write.bind(conn);
    conn.write = async (p) => {
      this.sizes.push(p.length);
      await this.#opened.promise;
      await write(p);
    };
  }

  open(): void {
    this.#opened.resolve();
  }

  shut(): void {
    this.#opened = deferred();
  }
}

/** Two ends that have shaken hands in memory, with a gate behind the client's. */
async function gated() {
  const ends = await pair(new MemoryTransport());
  const gate = new Gate(ends.client);
  const store = storeOf(own, ends.listener.addr);
  const [client, server] = await Promise.all([
    startTlsOver(ends.client, { caCerts: [own.cert] }),
    acceptTlsOver(ends.server, store, own, new AbortController().signal),
  ]);
  return {
    client,
    server,
    gate,
    [Symbol.dispose]() {
      gate.open();
      client.close();
      server.close();
      ends[Symbol.dispose]();
    },
  };
}

/** Whether a promise is settled, once all that is ready has run. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  promise.then(() => done = true, () => done = true);
  for (let i = 0; i < 10; i++) await setImmediate();
  return done;
}

test("TLS: a write is done when its bytes have left the connection below", async () => {
  using it = await gated();
  it.gate.shut();
  const writing = it.client.write(DATA);
  // What comes meanwhile changes nothing.
  await it.server.write(bytes("hello"));
  assert.equal(await readText(it.client, 5), "hello");
  assert.equal(await settled(writing), false);
  it.gate.open();
  await writing;
  assert.deepEqual(await readExactly(it.server, DATA.length), DATA);
});

test("TLS: closing gives up a write whose bytes have not left", async () => {
  using it = await gated();
  it.gate.shut();
  const writing = it.client.write(DATA);
  assert.equal(await settled(writing), false);
  it.client.close();
  await rejects(writing, "ECLOSED");
  it.gate.open();
});

test("TLS: a half-close is done when close_notify has left, and closing waits for it", async () => {
  using it = await gated();
  await it.client.write(DATA);
  const before = it.gate.sizes.length;
  it.gate.shut();
  const closing = it.client.closeWrite();
  await until(() => it.gate.sizes.length > before, "close_notify at the gate");
  assert.equal(await settled(closing), false);
  it.client.close();
  it.gate.open();
  await closing;
  assert.deepEqual(new Uint8Array(await readAll(it.server)), DATA);
  assert.deepEqual(it.gate.sizes.slice(before), [CLOSE_NOTIFY_SIZE]);
});

test("TLS: close_notify leaves when the connection has room again, though both sides have ended", async () => {
  using it = await gated();
  const before = it.gate.sizes.length;
  it.gate.shut();
  await it.server.closeWrite();
  assert.equal((await readAll(it.client)).length, 0);
  // Bun has answered close_notify by then.
  it.client.close();
  await until(() => it.gate.sizes.length > before, "close_notify at the gate");
  for (let i = 0; i < 10; i++) await setImmediate();
  it.gate.open();
  assert.equal((await readAll(it.server)).length, 0);
  assert.equal(it.server.truncated, false);
});

test("TLS: a connection that takes nothing is closed when the time for close_notify is over", async () => {
  using ends = await pair(new MemoryTransport());
  const gate = new Gate(ends.client);
  gate.shut();
  const clock = new VirtualClock();
  const stream = new StreamBelow(ends.client, clock);
  stream.write(bytes("close_notify"));
  stream.destroy();
  stream.destroy();
  await clock.advance(CLOSE_TIMEOUT - 1);
  assert.equal(stream.destroyed, false);
  await clock.advance(1);
  assert.equal(stream.destroyed, true);
  await rejects(ends.client.read(new Uint8Array(1)), "ECLOSED");
  gate.open();
});
