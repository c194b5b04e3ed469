import assert from "node:assert/strict";
import { type OnRead, receiveFor } from "../../lib/net/shared_read_buffer.ts";
import { test } from "../support/runner.deno.ts";

const KIB = 1024;

/** A socket's reader, and what it was given. */
class Reader {
  room = 0;
  goesOn = true;
  readonly got: number[][] = [];

  onData(bytes: Uint8Array): boolean {
    this.got.push([...bytes]);
    return this.goesOn;
  }
}

/** Does what a socket does with bytes from the kernel. */
function arrive({ buffer, callback }: OnRead, ...bytes: number[]): boolean {
  const into = buffer();
  into.set(bytes);
  return callback(bytes.length, into);
}

test("inbox: the reader gets what has arrived, and no more", () => {
  const reader = new Reader();
  const socket = receiveFor(() => reader);
  for (const bytes of [[1, 2, 3], [4, 5, 6], [7]]) arrive(socket, ...bytes);
  assert.deepEqual(reader.got, [[1, 2, 3], [4, 5, 6], [7]]);
});

test("inbox: a reader with more room is read into a larger one, and two sockets get their own", () => {
  const [small, large] = [new Reader(), new Reader()];
  const [one, other] = [receiveFor(() => small), receiveFor(() => large)];
  large.room = 256 * KIB;
  arrive(one, 1, 1);
  arrive(other, 2, 2);
  assert.equal(one.buffer().length, 64 * KIB);
  assert.equal(other.buffer().length, 256 * KIB);
  arrive(one, 3, 3);
  arrive(other, 4, 4);
  assert.deepEqual([small.got, large.got], [[[1, 1], [3, 3]], [[2, 2], [4, 4]]]);
  large.room = 64 * KIB;
  arrive(other, 5);
  assert.equal(other.buffer().length, 64 * KIB);
});

test("inbox: a reader that has no room for more pauses its socket", () => {
  const reader = new Reader();
  reader.goesOn = false;
  assert.equal(arrive(receiveFor(() => reader), 1), false);
});
