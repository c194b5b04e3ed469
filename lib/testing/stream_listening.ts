/**
 * The part of the contract about connecting, listening and accepting.
 *
 * @module
 */

import assert from "node:assert/strict";
import { formatAddr } from "../base/addr.ts";
import type { SocketError } from "../base/errors.ts";
import type { StreamSuite } from "./stream_suite.ts";
import { begun, bytes, echoAll, readAll, readText, rejects, until } from "./support.ts";

/** Registers the tests. */
export function testListening(suite: StreamSuite): void {
  const { test, pair, listen, connect, unanswered, untilFree, nobody, leftWaiting } = suite;

  test("close unblocks an accept with ECLOSED", async () => {
    using listener = await listen();
    const accepting = begun(rejects(listener.accept(), "ECLOSED"));
    listener.close();
    await accepting;
    await rejects(listener.accept(), "ECLOSED");
  });

  test(`connecting to where nobody listens is ${nobody}`, async () => {
    const listener = await listen();
    listener.close();
    await untilFree?.(listener.addr);
    const error = await rejects(connect(listener.addr), nobody);
    assert.equal(error.op, "connect");
    assert.ok(error.message.includes(formatAddr(listener.addr)), error.message);
  });

  test("listening where somebody listens is EADDRINUSE", async () => {
    using listener = await listen();
    const error = await rejects(listen(listener.addr), "EADDRINUSE");
    assert.equal(error.op, "listen");
    assert.ok(error.message.includes(formatAddr(listener.addr)), error.message);
  });

  test("an address is free again as soon as its listener is closed", async () => {
    const first = await listen();
    const [client, server] = await Promise.all([connect(first.addr), first.accept()]);
    server.close();
    assert.equal(await client.read(new Uint8Array(1)), null);
    client.close();
    first.close();
    await untilFree?.(first.addr);
    using second = await listen(first.addr);
    assert.deepEqual(second.addr, first.addr);
  });

  test("connect: aborted before, it does not start", async () => {
    using listener = await listen();
    const signal = AbortSignal.abort();
    const error = await rejects(connect(listener.addr, signal), "ECANCELED");
    assert.equal(error.cause, signal.reason);
  });

  if (unanswered !== undefined) {
    test("connect: aborted while connecting, it gives up", async () => {
      await using silence = await unanswered();
      const controller = new AbortController();
      const { signal } = controller;
      const connecting = begun(connect(silence.endpoint, signal));
      controller.abort(new Error("changed my mind"));
      const error = await rejects(connecting, "ECANCELED");
      assert.equal((error.cause as Error).message, "changed my mind");
    }, "unanswered");

    test("connect: a deadline that passes is ETIMEDOUT", async () => {
      await using silence = await unanswered();
      const controller = new AbortController();
      const { signal } = controller;
      const connecting = begun(connect(silence.endpoint, signal));
      const timedOut = begun(rejects(connecting, "ETIMEDOUT"));
      await until(() => silence.isAsked(), "the attempt to be kept waiting");
      controller.abort(new DOMException("late", "TimeoutError"));
      await timedOut;
    }, "unanswered");
  }

  test("connect: aborted after, the connection lives", async () => {
    using listener = await listen();
    const controller = new AbortController();
    const { signal } = controller;
    using client = await connect(listener.addr, signal);
    using server = await listener.accept();
    controller.abort();
    await client.write(bytes("still here"));
    assert.equal(await readText(server, 10), "still here");
  });

  test("a connection and its first bytes wait in the backlog", async () => {
    using listener = await listen();
    using client = await connect(listener.addr);
    await client.write(bytes("early"));
    await client.closeWrite();
    using server = await listener.accept();
    assert.equal(new TextDecoder().decode(await readAll(server)), "early");
  });

  test("a closed listener leaves its connections alone, and takes no more", async () => {
    using ends = await pair();
    ends.listener.close();
    await ends.client.write(bytes("alive"));
    assert.equal(await readText(ends.server, 5), "alive");
    await untilFree?.(ends.listener.addr);
    await rejects(connect(ends.listener.addr), nobody);
  });

  test("a closed listener lets nobody wait in its backlog", async () => {
    const listener = await listen();
    using client = await connect(listener.addr);
    listener.close();
    const reading = begun(client.read(new Uint8Array(1)));
    const seen = await reading.catch((error) => (error as SocketError).code);
    const expected = leftWaiting === undefined ? [null, "ECONNRESET"] : [leftWaiting];
    assert.ok(expected.includes(seen as null), `${seen}, not ${expected.join(" or ")}`);
  });

  test("stop unblocks an accept with ECLOSED, and the listener takes no more", async () => {
    using ends = await pair();
    const { listener } = ends;
    const accepting = begun(rejects(listener.accept(), "ECLOSED"));
    listener.stop();
    await accepting;
    await rejects(listener.accept(), "ECLOSED");
    await untilFree?.(listener.addr);
    await rejects(connect(listener.addr), nobody);
    await ends.client.write(bytes("alive"));
    assert.equal(await readText(ends.server, 5), "alive");
    listener.stop();
    listener.close();
    listener.stop();
  });

  test("a stopped listener returns those that it has taken, and resets the others", async () => {
    using listener = await listen();
    const clients = await Promise.all(Array.from({ length: 3 }, () => connect(listener.addr)));
    for (const client of clients) {
      await client.write(bytes("early"));
      await client.closeWrite();
    }
    listener.stop();
    const served: Promise<void>[] = [];
    for await (const conn of listener) served.push(begun(echoAll(conn)));
    await Promise.all(served);
    const heard = await Promise.all(
      clients.map((client) => readAll(client).catch(() => new Uint8Array(0))),
    );
    const texts = heard.map((all) => new TextDecoder().decode(all)).filter((text) => text !== "");
    assert.deepEqual(texts, Array(served.length).fill("early"));
    for (const client of clients) client.close();
  });

  test("closing a stopped listener resets those that are left", async () => {
    const listener = await listen();
    using client = await connect(listener.addr);
    listener.stop();
    listener.close();
    const heard = await readAll(client).catch(() => new Uint8Array(0));
    assert.equal(heard.length, 0);
    await rejects(listener.accept(), "ECLOSED");
  });

  test("iterating a listener accepts until it is closed; leaving the loop closes it", async () => {
    const listener = await listen();
    const client = await connect(listener.addr);
    for await (const conn of listener) {
      conn.close();
      client.close();
      listener.close();
    }
    const second = await listen();
    using visitor = await connect(second.addr);
    for await (const conn of second) {
      conn.close();
      break;
    }
    await rejects(second.accept(), "ECLOSED");
    visitor.close();
  });
}
