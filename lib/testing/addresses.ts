/**
 * The part of the contract that is about names, ports and IP addresses.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Transport } from "../net/transport.ts";
import type { RegisterTest } from "./stream_suite.ts";
import { pairOn, refuses, rejects } from "./support.ts";

/** Options of {@linkcode testAddresses}. */
export interface AddressTests {
  /** The transport under test. */
  readonly transport: Transport;
  /** Registers a test. */
  readonly test: RegisterTest;
  /** The beginning of the tests' names. Default: the transport's name. */
  readonly name?: string;
}

/** Registers the tests of what a {@linkcode Transport} makes of names, ports and IP addresses. */
export function testAddresses(tests: AddressTests): void {
  const { transport, name = transport.name } = tests;
  const test = (title: string, run: () => Promise<void>) => tests.test(`${name}: ${title}`, run);

  test("a port out of range is a RangeError, a name that is none ENOTFOUND", async () => {
    for (const port of [-1, 65536, 1.5, NaN]) {
      const wrong = { host: "127.0.0.1", port };
      await refuses(transport.listen(wrong), /port/);
      await refuses(transport.connect(wrong), /port/);
      await refuses(transport.resolve(wrong), /port/);
    }
    const nowhere = { host: "nowhere.invalid", port: 1 };
    await rejects(transport.resolve(nowhere), "ENOTFOUND");
    await rejects(transport.listen(nowhere), "ENOTFOUND");
    await rejects(transport.connect(nowhere), "ENOTFOUND");
  });

  test("resolve gives a literal itself, and localhost a loopback address", async () => {
    assert.deepEqual(await transport.resolve({ host: "::1", port: 7 }), [
      { transport: "tcp", host: "::1", port: 7 },
    ]);
    for (const addr of await transport.resolve({ host: "localhost", port: 7 })) {
      assert.ok(addr.host === "::1" || addr.host.startsWith("127."), addr.host);
      assert.equal(addr.port, 7);
    }
  });

  test("listening and connecting take a name", async () => {
    using listener = await transport.listen({ host: "localhost" });
    using client = await transport.connect({ host: "localhost", port: listener.addr.port });
    using server = await listener.accept();
    assert.deepEqual(server.localAddr, client.remoteAddr);
  });

  for (const host of ["127.0.0.1", "::1"]) {
    test(`addresses are right on ${host}`, async () => {
      using ends = await pairOn(transport, host);
      const { client, server, listener } = ends;
      assert.deepEqual(listener.addr, { transport: "tcp", host, port: listener.addr.port });
      assert.ok(listener.addr.port > 0);
      assert.deepEqual(client.remoteAddr, listener.addr);
      assert.deepEqual(server.localAddr, listener.addr);
      assert.deepEqual(server.remoteAddr, client.localAddr);
      assert.equal(client.localAddr.host, host);
      assert.notEqual(client.localAddr.port, listener.addr.port);
    });
  }

  test("the empty host listens on any address, and IPv4 clients look like IPv4", async () => {
    using listener = await transport.listen({ host: "" });
    const { port } = listener.addr;
    for (const host of ["127.0.0.1", "::1"]) {
      using client = await transport.connect({ host, port });
      using server = await listener.accept();
      assert.equal(server.remoteAddr.host, host);
      assert.equal(server.localAddr.host, host);
      assert.equal(server.remoteAddr.port, client.localAddr.port);
    }
  });
}
