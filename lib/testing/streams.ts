/**
 * The part of the contract that is about connections and listeners, whatever they are made of.
 *
 * @module
 */

import type { Addr, Endpoint } from "../base/addr.ts";
import type { SocketErrorCode } from "../base/error_codes.ts";
import type { Conn, Listener } from "../net/transport.ts";
import { testData } from "./stream_data.ts";
import { testEnds } from "./stream_ends.ts";
import { testListening } from "./stream_listening.ts";
import { testResets } from "./stream_resets.ts";
import { bytes, type Pair, pairThrough } from "./support.ts";

/** A peer that a test asks the caller for: see {@linkcode StreamTraits}. */
export type ContractPeer = "resetting" | "unanswered";

/**
 * Registers a test with a runner, as `test` of `node:test` and `Deno.test` do. `uses` names the peer
 * of the caller's own that the test asks for, so that it can be skipped where there is none today.
 */
export type RegisterTest = (name: string, run: () => Promise<void>, uses?: ContractPeer) => unknown;

/** A connection, and a peer that can break it off. */
export interface ResettingPeer extends AsyncDisposable {
  /** The connection that is tested. */
  readonly conn: Conn;
  /** Makes the peer send `data`, and then reset the connection. */
  reset(data: string): void;
  /** Makes another connection, after the last one was reset. */
  again(): Promise<Conn>;
}

/** An address that nobody answers at, so that connecting to it takes for ever. */
export interface UnansweredPeer extends AsyncDisposable {
  /** The address. */
  readonly endpoint: Endpoint;
  /** Whether somebody is connecting to it. */
  isAsked(): boolean;
}

/** Where a kind of socket differs from others and may, and the odd peers that the tests ask for. */
export interface StreamTraits {
  /**
   * Makes a connection whose peer resets it. Default: a connection of its own, reset by
   * {@linkcode Conn.reset}. `null` leaves the tests of resets out.
   */
  readonly resetting?: (() => Promise<ResettingPeer>) | null;
  /** Makes an address that nobody answers at. Default: the tests that need one are left out. */
  readonly unanswered?: () => Promise<UnansweredPeer>;
  /** Waits until the address of a closed listener is free. Default: it is free at once. */
  readonly untilFree?: (addr: Addr) => Promise<void>;
  /** The code of connecting to an address whose listener is closed. Default: ECONNREFUSED. */
  readonly nobody?: SocketErrorCode;
  /** The codes of a write that waits while the peer resets. Default: ECONNRESET and EPIPE. */
  readonly brokenWrite?: readonly SocketErrorCode[];
  /**
   * What a client reads that was not accepted when the listener closed: ECONNRESET, or `null` for the
   * end of the stream. Default: either will do.
   */
  readonly leftWaiting?: "ECONNRESET" | null;
}

/** What {@linkcode testStreams} takes: how a kind of socket listens and connects. */
export interface StreamTests extends StreamTraits {
  /** What the tests' names begin with. */
  readonly name: string;
  /** Registers a test. */
  readonly test: RegisterTest;
  /** Listens on an address of its own, or again on `at`, which a listener had before. */
  listen(at?: Addr): Promise<Listener>;
  /** Connects to an address; `signal` gives up, as that of {@linkcode Transport.connect}. */
  connect(addr: Addr | Endpoint, signal?: AbortSignal): Promise<Conn>;
}

/** What each part of the tests works with. */
export interface StreamSuite extends Omit<StreamTests, "name" | "resetting"> {
  /** Makes both ends of a connection. */
  pair(): Promise<Pair>;
  readonly resetting: (() => Promise<ResettingPeer>) | null;
  readonly nobody: SocketErrorCode;
  readonly brokenWrite: readonly SocketErrorCode[];
}

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
  const { name, listen, connect, resetting, unanswered } = tests;
  const own: Readonly<Record<ContractPeer, boolean>> = {
    resetting: Boolean(resetting),
    unanswered: Boolean(unanswered),
  };
  const suite: StreamSuite = {
    nobody: "ECONNREFUSED",
    brokenWrite: ["ECONNRESET", "EPIPE"],
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
}

/** A peer that is the other end of a connection of the same kind. */
async function ownResetting({ listen, connect }: StreamTests): Promise<ResettingPeer> {
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
