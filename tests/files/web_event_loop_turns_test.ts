// Work that would hold the event loop for long, and must not.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { systemTransport } from "../../lib/net/system.deno.ts";
import { compress, compressed } from "../../lib/files/compress.ts";
import { locate } from "../../lib/files/located_file.ts";
import { FileBody } from "../../lib/files/file_body.ts";
import { Semaphore } from "../../lib/files/semaphore.ts";
import { inTurn, sortInTurns } from "../../lib/files/event_loop_turns.ts";
import { bytes, echoAll, pair, randomBytes, readText, turn } from "../support/helpers.ts";
import { test } from "../support/runner.deno.ts";
import { atTime, descriptorsBelow, siteOf } from "./web_helpers.ts";

/** Holds the loop. */
function busy(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}

test("turns: what comes from the network is served in between", async () => {
  using ends = await pair(systemTransport);
  const echoed = echoAll(ends.server);
  let done = 0;
  const works = Array.from({ length: 80 }, () =>
    inTurn(() => {
      busy(3);
      done++;
    }));
  await ends.client.write(bytes("hello"));
  assert.equal(await readText(ends.client, 5), "hello");
  assert.ok(done < 50, `${done} were done before a byte came through`);
  ends.client.close();
  await Promise.all([echoed, ...works]);
  assert.equal(done, 80);
});

test("turns: one after the other goes on, and pauses only when it has held the loop for long", async () => {
  let working = true;
  let rounds = 0;
  const counting = (async () => {
    for (; working; rounds++) await new Promise((resolve) => setTimeout(resolve, 0));
  })();
  for (let i = 0; i < 2000; i++) await inTurn(() => {});
  const items = Array.from({ length: 20_000 }, (_, i) => (i * 7919) % 20_011);
  await sortInTurns(items, (a, b) => a - b);
  assert.ok(rounds < 200, `The loop went round ${rounds} times for short work`);
  const before = rounds;
  for (let i = 0; i < 200; i++) await inTurn(() => busy(1));
  assert.ok(rounds - before >= 40, `It went round ${rounds - before} times for long work`);
  working = false;
  await counting;
});

test("turns: each work has its result, in the order they came", async () => {
  const order: number[] = [];
  const work = (i: number) => () => {
    order.push(i);
    if (i === 1) throw new Error("no");
    return i;
  };
  const results = await Promise.allSettled([0, 1, 2].map((i) => inTurn(work(i))));
  assert.deepEqual(results.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
  assert.deepEqual(order, [0, 1, 2]);
});

test("turns: sorting is that of toSorted(), what is equal stays in its order", async () => {
  for (const length of [0, 1, 511, 512, 513, 5000]) {
    const items = Array.from({ length }, (_, i) => ({ key: (i * 7919) % 100, i }));
    const compare = (a: { key: number }, b: { key: number }) => a.key - b.key;
    assert.deepEqual(await sortInTurns(items, compare), [...items].sort(compare));
  }
});

test("semaphore: so many are inside at once, the others wait in their order, and not too many", async () => {
  const semaphore = new Semaphore(2, 3);
  const inside: (() => void)[] = [];
  const entered: number[] = [];
  const job = (i: number) => () => {
    entered.push(i);
    return new Promise<number>((resolve) => inside.push(() => resolve(i)));
  };
  const jobs = [0, 1, 2, 3, 4].map((i) => semaphore.run(job(i)));
  assert.deepEqual(entered, [0, 1]);
  assert.ok(semaphore.isFull);
  await assert.rejects(semaphore.run(job(5)), { code: "EBUSY" });
  for (let i = 0; i < 5; i++) {
    inside[i]();
    assert.equal(await jobs[i], i);
    await turn();
    assert.deepEqual(entered, [0, 1, 2, 3, 4].slice(0, i + 3));
  }
  assert.ok(!semaphore.isFull);
  await assert.rejects(semaphore.run(() => Promise.reject(new Error("no"))), /no/);
  assert.equal(await semaphore.run(() => Promise.resolve(6)), 6);
});

/** A mebibyte that is work to compress. */
const TEXT = Buffer.from(
  Array.from({ length: 200_000 }, (_, i) => `${(i * 2_654_435_761 % 50_021).toString(36)} `).join(
    "",
  ),
).subarray(0, 1024 * 1024);

const DECODE = { br: brotliDecompressSync, gzip: gunzipSync };

test("compression: the loop goes round while some mebibytes are compressed", async () => {
  for (const coding of ["br", "gzip"] as const) {
    let turns = 0;
    let compressing = true;
    const counting = (async () => {
      for (; compressing; turns++) await turn();
    })();
    const [coded] = await Promise.all(
      [TEXT, TEXT, TEXT, TEXT].map((text) => compress(text, coding)),
    );
    compressing = false;
    await counting;
    assert.ok(turns >= 8, `${turns} turns`);
    assert.ok(DECODE[coding](coded).equals(TEXT));
    assert.ok(coded.length < TEXT.length);
  }
});

test("compression: of pieces, and of none, and of what is left early", async () => {
  for (const coding of ["br", "gzip"] as const) {
    for (const pieces of [[], ["one"], ["one", "", "two"]]) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of compressed(pieces.map(bytes), coding)) chunks.push(chunk);
      assert.equal(String(DECODE[coding](Buffer.concat(chunks))), pieces.join(""));
    }
    let taken = 0;
    const endless = (function* () {
      for (;; taken++) yield randomBytes(64 * 1024);
    })();
    for await (const _ of compressed(endless, coding)) break;
    assert.ok(taken < 100);
    assert.ok(endless.next().done, "its source is told");
  }
});

test("compression: two files at a time, for those who accept nothing else, too", async () => {
  const names = Array.from({ length: 8 }, (_, i) => `${i}.html`);
  await using site = await siteOf(
    Object.fromEntries(
      names.map((name) => [name, Buffer.concat([bytes(name), TEXT.subarray(9999)])]),
    ),
  );
  await atTime(Date.now() + 10_000, async () => {
    // What is asked for again is not looked for again.
    for (const name of names) assert.equal((await site.ask(`/${name}`, {}, "HEAD")).status, 200);
    const accept = { "Accept-Encoding": "br, identity;q=0" };
    let most = 0;
    let asking = true;
    const watching = (async () => {
      for (; asking; await turn()) most = Math.max(most, descriptorsBelow(site.root));
    })();
    const answers = await Promise.all(names.map((name) => site.ask(`/${name}`, accept)));
    asking = false;
    await watching;
    for (const [i, { status, headers, body }] of answers.entries()) {
      assert.equal(status, 200);
      assert.equal(headers["content-encoding"], "br");
      assert.ok(brotliDecompressSync(body).subarray(0, 9).toString().startsWith(names[i]));
    }
    // One more may be about to be closed.
    assert.ok(most <= 4, `${most} files were open at once`);
  });
  assert.deepEqual(site.errors, []);
});

test("downloads: few chunks are read at once, so that small requests do not wait behind many", async () => {
  await using site = await siteOf({ "a.bin": randomBytes(1000) });
  const located = await locate(site.root, join(site.root, "a.bin"));
  let now = 0;
  let most = 0;
  const bodies = await Promise.all(Array.from({ length: 20 }, async () => {
    const handle = await open(located.real);
    const read = handle.read.bind(handle) as (...args: unknown[]) => Promise<unknown>;
    const counted = async (...args: unknown[]) => {
      most = Math.max(most, ++now);
      await turn();
      return await read(...args).finally(() => now--);
    };
    Object.defineProperty(handle, "read", { value: counted });
    return new FileBody(handle, located, [{ start: 0, end: 1000 }]);
  }));
  await Promise.all(bodies.map(async (body) => {
    let size = 0;
    for await (const chunk of body) size += chunk.length;
    assert.equal(size, 1000);
  }));
  assert.equal(most, 4);
});
