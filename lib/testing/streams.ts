/**
 * The part of the contract that is about connections and listeners, whatever they are made of.
 *
 * @module
 */

import type { Conn } from "../net/transport.ts";
import { testData } from "./stream_data.ts";
import { testEnds } from "./stream_ends.ts";
import { testListening } from "./stream_listening.ts";
import { testResets } from "./stream_resets.ts";
import type { ContractPeer, ResettingPeer, StreamSuite, StreamTests } from "./stream_suite.ts";
import { testUnread } from "./stream_unread.ts";
import { bytes, MOST_UNREAD, pairThrough, unsendable } from "./support.ts";

/**
 * Registers the tests of {@linkcode Conn} and {@linkcode Listener} for one kind of socket, such as the
 * Unix sockets of a transport, or its TLS: {@linkcode testTransport} does so for its TCP.
 *
 * @example Unix sockets of a transport
 * ```ts
 * import { MemoryTransport, testStreams } from "@plainsocket/plainsocket/testing";
 *
 * const transport = new MemoryTransport();
 * let paths = 0;
 * const tests = new Map<string, () => Promise<void>>();
 * testStreams({
 *   name: "memory, Unix",
 *   test: (name, run) => tests.set(name, run),
 *   listen: (at) => transport.listen({ path: at && "path" in at ? at.path : `/tmp/${++paths}` }),
 *   connect: (addr, signal) => transport.connect({ path: "path" in addr ? addr.path : "", signal }),
 *   nobody: "ENOENT",
 * });
 * await tests.get("memory, Unix: close delivers what was written, then FIN")!();
 * ```
 */
export function testStreams(tests: StreamTests): void {
  const { name, listen, connect, resetting, unanswered, mostUnread = MOST_UNREAD } = tests;
  const own: Readonly<Record<ContractPeer, boolean>> = {
    resetting: Boolean(resetting),
    unanswered: Boolean(unanswered),
  };
  const suite: StreamSuite = {
    nobody: "ECONNREFUSED",
    brokenWrite: ["ECONNRESET", "EPIPE"],
    mostUnread,
    unsendable: () => unsendable(mostUnread),
    ...tests,
    test: (title, run, uses) =>
      uses !== undefined && own[uses]
        ? tests.test(`${name}: ${title}`, run, uses)
        : tests.test(`${name}: ${title}`, run),
    pair: async () => await pairThrough(await listen(), connect),
    resetting: resetting === undefined ? () => ownResetting(tests) : resetting,
  };
  testData(suite);
  testEnds(suite);
  testResets(suite);
  testListening(suite);
  testUnread(suite);
}

/** A peer that is the other end of a connection of the same kind. */
export async function ownResetting(
  { listen, connect }: Pick<StreamTests, "listen" | "connect">,
): Promise<ResettingPeer> {
  const listener = await listen();
  const conns: Conn[] = [];
  let peer: Conn;
  const again = async () => {
    const [conn, accepted] = await Promise.all([connect(listener.addr), listener.accept()]);
    conns.push(conn);
    peer = accepted;
    return conn;
  };
  return {
    conn: await again(),
    async reset(data) {
      await peer.write(bytes(data));
      peer.reset();
    },
    again,
    [Symbol.asyncDispose]() {
      for (const conn of conns) conn.close();
      listener.close();
      return Promise.resolve();
    },
  };
}
