/**
 * The part of the contract about connections that break off.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { StreamSuite } from "./stream_suite.ts";
import { begun, bytes, readAll, readText, rejects, until } from "./support.ts";

/** Registers the tests. */
export function testResets(suite: StreamSuite): void {
  const { test, pair, resetting, brokenWrite, unsendable } = suite;

  test("reset does not wait for a write that waits", async () => {
    using ends = await pair();
    const writing = begun(rejects(ends.client.write(unsendable()), "ECLOSED"));
    await until(() => ends.client.bytesWritten > 0, "a part to be written");
    ends.client.reset();
    await writing;
    // The form in which the peer sees it depends on the runtime. It must see the end.
    const heard = readAll(ends.server).catch(() => new Uint8Array(0));
    assert.ok((await heard).length < unsendable().length);
  });

  test("a reset right behind a write harms nobody", async () => {
    for (const size of [100, 3_000_000]) {
      using ends = await pair();
      const { client, server } = ends;
      const reading = readAll(client).catch(() => {});
      const writing = server.write(new Uint8Array(size)).catch(() => {});
      server.reset();
      await Promise.all([reading, writing]);
    }
  });

  if (resetting === null) return;

  test("a reset gives ECONNRESET, behind what arrived before it, and then always", async () => {
    await using peer = await resetting();
    peer.reset("farewell");
    assert.equal(await readText(peer.conn, 8), "farewell");
    for (let i = 0; i < 3; i++) await rejects(peer.conn.read(new Uint8Array(8)), "ECONNRESET");
    await rejects(peer.conn.write(bytes("x")), "ECONNRESET");
  }, "resetting");

  test("a reset that comes together with bytes is still a reset", async () => {
    await using peer = await resetting();
    for (let i = 0; i < 10; i++) {
      const conn = i === 0 ? peer.conn : await peer.again();
      const reading = readText(conn, 8);
      peer.reset("farewell");
      assert.equal(await reading, "farewell");
      await rejects(conn.read(new Uint8Array(8)), "ECONNRESET");
    }
  }, "resetting");

  test("a reset unblocks a read with ECONNRESET", async () => {
    await using peer = await resetting();
    const reading = begun(rejects(peer.conn.read(new Uint8Array(8)), "ECONNRESET"));
    peer.reset("");
    await reading;
  }, "resetting");

  test(`a reset unblocks a write with ${brokenWrite.join(" or ")}`, async () => {
    await using peer = await resetting();
    const writing = begun(rejects(peer.conn.write(unsendable()), ...brokenWrite));
    await until(() => peer.conn.bytesWritten > 0, "a part to be written");
    peer.reset("");
    await writing;
    await rejects(peer.conn.read(new Uint8Array(8)), "ECONNRESET");
  }, "resetting");

  test("after a reset, closeWrite and close still do no harm", async () => {
    await using peer = await resetting();
    peer.reset("");
    await rejects(peer.conn.read(new Uint8Array(8)), "ECONNRESET");
    await peer.conn.closeWrite();
    peer.conn.close();
    await rejects(peer.conn.read(new Uint8Array(8)), "ECLOSED");
  }, "resetting");
}
