// join(): what the end of one side does to the other, in memory and by a clock turned by hand.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { deferred } from "../../lib/base/wait.ts";
import { join, type JoinOptions, type JoinOutcome, type OnEof } from "../../lib/protocols/join.ts";
import { MemoryTransport } from "../../lib/net/memory/transport.ts";
import type { Conn } from "../../lib/net/transport.ts";
import { bytes, pair, randomBytes, readAll, readText, rejects } from "../support/helpers.ts";
import { test } from "../support/runner.deno.ts";

const MODES: readonly OnEof[] = ["half-close", "close", "wait"];

/** A source that gives what it is told to, when it is told to. */
class Script implements AsyncIterable<Uint8Array> {
  /** Whether it was told that nobody wants more. */
  stopped = false;
  readonly #given: IteratorResult<Uint8Array, undefined>[] = [];
  #changed = deferred<void>();

  /** Gives some bytes; ends without. */
  give(text?: string): void {
    this.#given.push(
      text === undefined ? { done: true, value: undefined } : { done: false, value: bytes(text) },
    );
    this.#changed.resolve();
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return {
      next: async () => {
        while (this.#given.length === 0) {
          await this.#changed.promise;
          this.#changed = deferred();
        }
        return this.#given.shift()!;
      },
      return: () => {
        this.stopped = true;
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }
}

/** A conversation that is joined, with all that it is made of. */
interface Joined extends AsyncDisposable {
  readonly peer: Conn;
  readonly source: Script;
  readonly clock: VirtualClock;
  readonly outcome: Promise<JoinOutcome>;
  /** Whether the outcome is there, after all that is ready has run. */
  over(): Promise<boolean>;
  /** What the sink has got. */
  heard(): string;
}

async function joined(options: Partial<JoinOptions> = {}): Promise<Joined> {
  const ends = await pair(new MemoryTransport());
  const source = new Script();
  const clock = new VirtualClock();
  let heard = "";
  let over = false;
  const sink = (data: Uint8Array) => void (heard += new TextDecoder().decode(data));
  const outcome = join(ends.client, { source, sink, clock, ...options });
  outcome.then(() => over = true, () => over = true);
  return {
    peer: ends.server,
    source,
    clock,
    outcome,
    heard: () => heard,
    over: async () => {
      await clock.advance(0);
      return over;
    },
    async [Symbol.asyncDispose]() {
      ends[Symbol.dispose]();
      source.give();
      await outcome.catch(() => {});
    },
  };
}

test("join: the source ends, half-close: FIN at once, and the answer is received", async () => {
  await using it = await joined();
  it.source.give("question");
  assert.equal(await readText(it.peer, 8), "question");
  it.source.give();
  assert.equal(await it.peer.read(new Uint8Array(1)), null);
  await it.clock.advance(60_000);
  assert.equal(await it.over(), false);
  await it.peer.write(bytes("answer"));
  it.peer.close();
  assert.deepEqual(await it.outcome, { sourceEnded: true, peerEnded: true });
  assert.equal(it.heard(), "answer");
});

test("join: the source ends, close: FIN at once, and it is over", async () => {
  await using it = await joined({ onEof: "close" });
  it.source.give("question");
  it.source.give();
  assert.deepEqual(await it.outcome, { sourceEnded: true, peerEnded: false });
  assert.equal(Buffer.from(await readAll(it.peer)).toString(), "question");
  await rejects(it.peer.write(bytes("answer")), "EPIPE");
});

test("join: the source ends, wait: no FIN before the peer's", async () => {
  await using it = await joined({ onEof: "wait" });
  it.source.give("question");
  assert.equal(await readText(it.peer, 8), "question");
  it.source.give();
  const fin = it.peer.read(new Uint8Array(1));
  let finCame = false;
  fin.then(() => finCame = true);
  await it.clock.advance(60_000);
  assert.deepEqual([finCame, await it.over()], [false, false]);
  await it.peer.write(bytes("answer"));
  await it.peer.closeWrite();
  assert.deepEqual(await it.outcome, { sourceEnded: true, peerEnded: true });
  assert.equal(await fin, null);
  assert.equal(it.heard(), "answer");
});

test("join: the peer ends, half-close: over when the source was silent for half a second", async () => {
  await using it = await joined();
  await it.peer.write(bytes("bye"));
  await it.peer.closeWrite();
  for (const text of ["one", "two"]) {
    await it.clock.advance(499);
    it.source.give(text);
    assert.equal(await readText(it.peer, 3), text);
  }
  await it.clock.advance(499);
  assert.equal(await it.over(), false);
  await it.clock.advance(1);
  assert.deepEqual(await it.outcome, { sourceEnded: false, peerEnded: true });
  assert.equal(await it.peer.read(new Uint8Array(1)), null);
  assert.equal(it.heard(), "bye");
  assert.ok(it.source.stopped);
});

test("join: the peer ends, half-close: a peer that takes its time is no silent source", async () => {
  const big = randomBytes(200_000);
  const source = (async function* () {
    yield big;
  })();
  await using it = await joined({ source });
  await it.peer.closeWrite();
  await it.clock.advance(60_000);
  assert.equal(await it.over(), false);
  const [got, outcome] = await Promise.all([readAll(it.peer), it.outcome]);
  assert.ok(Buffer.from(big).equals(got));
  assert.deepEqual(outcome, { sourceEnded: true, peerEnded: true });
});

test("join: the peer ends, close: over at once", async () => {
  await using it = await joined({ onEof: "close" });
  await it.peer.write(bytes("bye"));
  await it.peer.closeWrite();
  assert.deepEqual(await it.outcome, { sourceEnded: false, peerEnded: true });
  assert.equal(await it.peer.read(new Uint8Array(1)), null);
  assert.equal(it.heard(), "bye");
});

test("join: the peer ends, close: a write that waits is given up", async () => {
  await using it = await joined({ onEof: "close", source: endless() });
  await it.clock.advance(0);
  await it.peer.closeWrite();
  assert.deepEqual(await it.outcome, { sourceEnded: false, peerEnded: true });
});

test("join: the peer ends, wait: all of the source is sent, however long it takes", async () => {
  await using it = await joined({ onEof: "wait" });
  await it.peer.closeWrite();
  await it.clock.advance(60_000);
  it.source.give("at last");
  assert.equal(await readText(it.peer, 7), "at last");
  assert.equal(await it.over(), false);
  it.source.give();
  assert.deepEqual(await it.outcome, { sourceEnded: true, peerEnded: true });
  assert.equal(await it.peer.read(new Uint8Array(1)), null);
});

async function* endless(): AsyncGenerator<Uint8Array> {
  for (;;) yield new Uint8Array(64 * 1024);
}

for (const onEof of MODES) {
  test(`join: the peer resets, ${onEof}: ECONNRESET, after what came before`, async () => {
    await using it = await joined({ onEof });
    await it.peer.write(bytes("then"));
    await it.clock.advance(0);
    it.peer.reset();
    await rejects(it.outcome, "ECONNRESET");
    assert.equal(it.heard(), "then");
    assert.ok(it.source.stopped);
  });

  test(`join: aborted, ${onEof}: ECANCELED, and the peer reads a reset`, async () => {
    const stop = new AbortController();
    await using it = await joined({ onEof, signal: stop.signal });
    await it.clock.advance(0);
    stop.abort();
    await rejects(it.outcome, "ECANCELED");
    await rejects(it.peer.read(new Uint8Array(1)), "ECONNRESET");
  });

  test(`join: nothing moves, ${onEof}: ETIMEDOUT after the idle timeout, not before`, async () => {
    await using it = await joined({ onEof, idleTimeout: 10_000 });
    await it.clock.advance(9000);
    it.source.give("still here");
    await it.clock.advance(9999);
    assert.equal(await it.over(), false);
    const failed = rejects(it.outcome, "ETIMEDOUT");
    await it.clock.advance(2000);
    assert.match((await failed).message, /nothing moved for 10 s/);
  });
}

test("join: wait: an idle timeout ends the waiting for the source, too", async () => {
  await using it = await joined({ onEof: "wait", idleTimeout: 10_000 });
  await it.peer.closeWrite();
  const failed = rejects(it.outcome, "ETIMEDOUT");
  await it.clock.advance(12_000);
  await failed;
});

/** An end whose peer takes nothing: what was written has left, and FIN cannot. */
async function fullEnd() {
  const ends = await pair(new MemoryTransport());
  ends.client.closeWrite = () => new Promise(() => {});
  return ends;
}

test("join: an end that cannot be sent is ETIMEDOUT after 5 s, or after the idle timeout", async () => {
  for (const idleTimeout of [0, 60_000]) {
    using ends = await fullEnd();
    const clock = new VirtualClock();
    const source = new Script();
    source.give();
    const sink = () => {};
    const options: JoinOptions = { source, sink, onEof: "close", idleTimeout, clock };
    const failed = rejects(join(ends.client, options), "ETIMEDOUT");
    let over = false;
    void failed.then(() => over = true);
    const limit = idleTimeout || 5000;
    await clock.advance(limit - 1);
    assert.equal(over, false);
    await clock.advance(1);
    const { message } = await failed;
    assert.match(message, idleTimeout ? /60 s/ : /the end could not be sent for 5 s/);
    await rejects(ends.server.read(new Uint8Array(1)), "ECONNRESET");
  }
});

test("join: an end that cannot be sent can be aborted", async () => {
  using ends = await fullEnd();
  const stop = new AbortController();
  const clock = new VirtualClock();
  const source = new Script();
  source.give();
  const { signal } = stop;
  const options: JoinOptions = { source, sink: () => {}, onEof: "close", signal, clock };
  const failed = rejects(join(ends.client, options), "ECANCELED");
  await clock.advance(1000);
  stop.abort();
  await failed;
});

test("join: a sink that takes its time is no idle peer", async () => {
  const took = deferred<void>();
  await using it = await joined({ sink: () => took.promise, idleTimeout: 1000 });
  await it.peer.write(bytes("x"));
  await it.clock.advance(60_000);
  assert.equal(await it.over(), false);
  took.resolve();
  it.source.give();
  it.peer.close();
  await it.outcome;
});

test("join: a peer that closes while there is more to send is ECONNRESET", async () => {
  for (const onEof of ["half-close", "wait"] as const) {
    await using it = await joined({ onEof, source: endless() });
    await it.clock.advance(0);
    it.peer.close();
    assert.match(
      (await rejects(it.outcome, "ECONNRESET")).message,
      /took no more, after \d+ bytes/,
    );
  }
});

test("join: a source or a sink that fails ends it with that error, and with a reset", async () => {
  const failure = new Error("disk on fire");
  const failing = {
    source: (async function* () {
      yield bytes("so far");
      throw failure;
    })(),
    sink: () => Promise.reject(failure),
  };
  for (const which of ["source", "sink"] as const) {
    await using it = await joined({ [which]: failing[which] });
    await it.peer.write(bytes("x"));
    await assert.rejects(it.outcome, failure);
    await rejects(readAll(it.peer), "ECONNRESET");
  }
});

test("join: when the source ends, close: what the sink is busy with is done first", async () => {
  const took = deferred<void>();
  await using it = await joined({ onEof: "close", sink: () => took.promise });
  await it.peer.write(bytes("x"));
  await it.clock.advance(0);
  it.source.give();
  assert.equal(await it.over(), false);
  took.resolve();
  await it.outcome;
});

test("join: megabytes go both ways at once, whole, and memory is bounded by the readers", async () => {
  const [up, down] = [randomBytes(2_000_000), randomBytes(3_000_000)];
  const heard: Uint8Array[] = [];
  const source = (async function* () {
    for (let at = 0; at < up.length; at += 50_000) yield up.subarray(at, at + 50_000);
  })();
  await using it = await joined({ source, sink: (data) => void heard.push(data.slice()) });
  const sending = it.peer.write(down).then(() => it.peer.closeWrite());
  const [got] = await Promise.all([readAll(it.peer), sending, it.outcome]);
  assert.ok(Buffer.from(up).equals(got));
  assert.ok(Buffer.from(down).equals(Buffer.concat(heard)));
});
