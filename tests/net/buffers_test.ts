import assert from "node:assert/strict";
import { BufferPool, ReceiveBuffer } from "../../lib/net/buffer_pool.ts";
import { test } from "../support/runner.deno.ts";

const SMALL = 2048;
const LARGE = 64 * 1024;

test("receive buffer: starts small, and grows when a read fills it", () => {
  const buffer = new ReceiveBuffer(new BufferPool(LARGE));
  assert.equal(buffer.bytes.length, SMALL);
  buffer.adapt(SMALL - 1);
  assert.equal(buffer.bytes.length, SMALL);
  buffer.adapt(SMALL);
  assert.equal(buffer.bytes.length, LARGE);
});

test("receive buffer: stays large for one small read, and shrinks at the second in a row", () => {
  const buffer = new ReceiveBuffer(new BufferPool(LARGE));
  buffer.adapt(SMALL);
  buffer.adapt(10);
  buffer.adapt(LARGE);
  buffer.adapt(10);
  assert.equal(buffer.bytes.length, LARGE);
  buffer.adapt(10);
  assert.equal(buffer.bytes.length, SMALL);
});

test("receive buffer: never exceeds the size asked for", () => {
  for (const size of [1, 16, SMALL]) {
    const buffer = new ReceiveBuffer(new BufferPool(size));
    buffer.adapt(size);
    assert.equal(buffer.bytes.length, size);
  }
});

test("receive buffer: first(n) is the first n bytes of what was read into", () => {
  const buffer = new ReceiveBuffer(new BufferPool(LARGE));
  for (const n of [3, 3, SMALL]) {
    buffer.bytes.fill(n);
    assert.deepEqual([...new Set(buffer.first(n))], [n % 256]);
    assert.equal(buffer.first(n).length, n);
    buffer.adapt(n);
  }
  buffer.bytes.fill(9);
  assert.equal(buffer.first(SMALL)[0], 9, "the view is of the large buffer now");
});

test("buffer pool: lends 64 large buffers and no more, and lends a returned one again", () => {
  const pool = new BufferPool(LARGE);
  const buffers = Array.from({ length: 65 }, () => new ReceiveBuffer(pool));
  for (const buffer of buffers) buffer.adapt(SMALL);
  assert.equal(buffers.filter(({ bytes }) => bytes.length === LARGE).length, 64);
  const [first, last] = [buffers[0], buffers[64]];
  const lent = first.bytes;
  first.release();
  assert.equal(first.bytes.length, SMALL);
  last.adapt(SMALL);
  assert.equal(last.bytes, lent);
});

test("buffer pool: connections that fall silent after a large read leave buffers for others", () => {
  const pool = new BufferPool(LARGE);
  const silent = Array.from({ length: 1000 }, () => new ReceiveBuffer(pool));
  for (const buffer of silent) {
    buffer.adapt(SMALL);
    assert.equal(buffer.bytes.length, LARGE);
    buffer.adapt(LARGE - SMALL);
  }
  assert.equal(silent.filter(({ bytes }) => bytes.length === LARGE).length, 48);
});

test("receive buffer: is kept while reads fill it, though buffers are scarce", () => {
  const pool = new BufferPool(LARGE);
  const buffers = Array.from({ length: 64 }, () => new ReceiveBuffer(pool));
  for (const buffer of buffers) buffer.adapt(SMALL);
  const [buffer] = buffers;
  buffer.adapt(LARGE);
  assert.equal(buffer.bytes.length, LARGE);
  buffer.adapt(LARGE - 1);
  assert.equal(buffer.bytes.length, SMALL);
});

test("buffer pool: whoever may not wait gets a buffer beyond the bound, and 64 of them are kept", () => {
  const pool = new BufferPool(LARGE);
  const buffers = Array.from({ length: 100 }, () => pool.takeAnyway());
  assert.equal(new Set(buffers).size, 100);
  for (const buffer of buffers) pool.give(buffer);
  const again = Array.from({ length: 100 }, () => pool.takeAnyway());
  assert.equal(again.filter((buffer) => buffers.includes(buffer)).length, 64);
});
