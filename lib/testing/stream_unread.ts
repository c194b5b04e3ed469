/**
 * The part of the contract about who does not read: the peer is held back, and what it sends does not
 * fill the memory.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Conn } from "../net/transport.ts";
import type { StreamSuite } from "./stream_suite.ts";
import { begun, MOST_UNREAD, unsendable, until } from "./support.ts";

/** Registers the tests. */
export function testUnread({ test, pair, listen, connect, mostUnread }: StreamSuite): void {
  test("whoever never reads, or reads once, holds the peer back: memory is bounded", () => {
    return assertHeldBack(pair, mostUnread);
  });

  test("whoever is not accepted is held back, too", async () => {
    using listener = await listen();
    using client = await connect(listener.addr);
    await assertTakesFew(client, mostUnread);
  });
}

/** Asserts of both ends of connections that they hold the other back, reading nothing or once. */
export async function assertHeldBack(
  pair: () => Promise<Disposable & { readonly client: Conn; readonly server: Conn }>,
  mostUnread: number = MOST_UNREAD,
): Promise<void> {
  for (const reads of [0, 1]) {
    for (const sender of ["client", "server"] as const) {
      using ends = await pair();
      const peer = sender === "client" ? ends.server : ends.client;
      const reading = reads === 1 ? begun(peer.read(new Uint8Array(8))) : undefined;
      await assertTakesFew(ends[sender], mostUnread);
      await reading;
    }
  }
}

/** Asserts that a connection whose peer does not read takes some bytes, but not many; resets it. */
async function assertTakesFew(conn: Conn, mostUnread: number): Promise<void> {
  const piece = unsendable(mostUnread).subarray(0, 64 * 1024);
  const sending = (async () => {
    while (conn.bytesWritten <= mostUnread) await conn.write(piece);
  })().catch(() => {});
  let [taken, turns] = [-1, 0];
  await until(() => {
    turns = conn.bytesWritten === taken ? turns + 1 : 0;
    taken = conn.bytesWritten;
    return turns === 30 || taken > mostUnread;
  }, "the connection to take no more");
  conn.reset();
  await sending;
  assert.ok(taken > 0 && taken <= mostUnread, `${taken} bytes were taken`);
}
