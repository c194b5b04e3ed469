/**
 * The part of the contract about the end of a connection in good order: half-close and close.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { SocketError } from "../base/errors.ts";
import type { StreamSuite } from "./stream_suite.ts";
import { begun, bytes, MIB, randomBytes, readAll, rejects, until } from "./support.ts";

/** Registers the tests. */
export function testEnds({ test, pair, unsendable }: StreamSuite): void {
  test("FIN gives null once and for ever", async () => {
    using ends = await pair();
    const p = new Uint8Array(8);
    const pending = begun(ends.client.read(p));
    await ends.server.closeWrite();
    assert.equal(await pending, null);
    assert.equal(await ends.client.read(p), null);
    assert.equal(await ends.client.read(p), null);
  });

  test("half-close: the other direction still carries 1 MiB", async () => {
    using ends = await pair();
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
    using ends = await pair();
    await ends.client.closeWrite();
    await ends.client.closeWrite();
    await rejects(ends.client.write(bytes("x")), "EPIPE");
    assert.equal(await ends.server.read(new Uint8Array(1)), null);
  });

  test("close delivers what was written, then FIN", async () => {
    using ends = await pair();
    const data = randomBytes(50_000);
    await ends.client.write(data);
    ends.client.close();
    assert.deepEqual(await readAll(ends.server), Buffer.from(data));
  });

  test("close unblocks a read with ECLOSED", async () => {
    using ends = await pair();
    const reading = begun(rejects(ends.client.read(new Uint8Array(8)), "ECLOSED"));
    ends.client.close();
    const error = await reading;
    assert.equal(error.op, "read");
    assert.deepEqual(error.addr, ends.listener.addr);
  });

  test("close unblocks a write with ECLOSED", async () => {
    using ends = await pair();
    const writing = begun(rejects(ends.client.write(unsendable()), "ECLOSED"));
    await until(() => ends.client.bytesWritten > 0, "a part to be written");
    ends.client.close();
    assert.equal((await writing).op, "write");
  });

  test("closing twice is closing once, and everything after it is ECLOSED", async () => {
    using ends = await pair();
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
    using ends = await pair();
    const reason = new SocketError("ETIMEDOUT", "read", { addr: ends.client.remoteAddr });
    const reading = begun(ends.client.read(new Uint8Array(1)));
    ends.client.close(reason);
    await assert.rejects(reading, (error) => error === reason);
    await assert.rejects(ends.client.write(bytes("x")), (error) => error === reason);
  });

  test("writing to a peer that has closed soon fails", async () => {
    using ends = await pair();
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

  test("writes that nobody awaits arrive, though the connection is closed behind them", async () => {
    using ends = await pair();
    const { client, server } = ends;
    const all = Array.from({ length: 100 }, (_, i) => `line ${i}\n`);
    const writing = all.map((line) => begun(server.write(bytes(line))));
    server.close();
    assert.equal(new TextDecoder().decode(await readAll(client)), all.join(""));
    await Promise.all(writing);
    await rejects(server.write(bytes("x")), "ECLOSED");
  });

  test("close rejects all the writes that wait, and the half-close behind them", async () => {
    using ends = await pair();
    const { client } = ends;
    const writing = [
      client.write(unsendable()),
      client.write(bytes("x")),
      client.write(bytes("y")),
      client.closeWrite(),
    ];
    const ended = begun(Promise.all(writing.map((write) => rejects(write, "ECLOSED"))));
    client.close();
    await ended;
  });
}
