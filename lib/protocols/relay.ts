/**
 * A switchboard: each client is joined to a connection of its own to a target.
 *
 * @module
 */

import {
  checkArgument,
  checkOptions,
  CLOCK,
  FUNCTION,
  having,
  type Kind,
  type Kinds,
} from "../base/arguments.ts";
import { BufferPool, pump } from "../net/buffer_pool.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { SocketError } from "../base/errors.ts";
import { reportLink } from "../observe/observed_sockets.ts";
import type { Handler } from "../serve/serve.ts";
import type { Addr } from "../base/addr.ts";
import type { Conn } from "../net/transport.ts";

/** The most bytes that are received at once, in either direction. */
const RECV_SIZE = 64 * 1024;

/**
 * Connects to the target for one client. It is to give up when `signal` is aborted: when the server
 * closes the client, such as at the end of its drain timeout. `client` is undefined where a {@linkcode Balancer} checks
 * whether the target is there.
 */
export type DialTarget = (signal: AbortSignal, client?: Conn) => Promise<Conn>;

/** Several targets, of which each client gets one, such as a {@linkcode Balancer}. */
export interface TargetPool {
  /** Connects to one of them for one client. */
  readonly dial: DialTarget;
  /** Called when a connection that `dial` has made has ended. */
  release(conn: Conn): void;
}

/** Options of {@linkcode relay}. */
export interface RelayOptions {
  /** Called for each connection when it has ended, with or without an error. */
  readonly onEnd?: (relayed: Relayed) => void;
  /** The clock. Default: the system's. */
  readonly clock?: Clock;
}

const TARGET: Kind = {
  takes: "a Balancer, or a function that connects to the target, such as " +
    "(signal) => dial(transport, { host, port, signal })",
  is: (value) => FUNCTION.is(value) || having("", "dial", "release").is(value),
};

const OPTIONS: Kinds<RelayOptions> = { onEnd: FUNCTION, clock: CLOCK };

/** The summary of one connection of {@linkcode relay}. */
export interface Relayed {
  /** The client. */
  readonly client: Addr;
  /** The target; undefined if it could not be reached. */
  readonly target: Addr | undefined;
  /** The number of bytes from the client that the target's socket has taken. */
  readonly toTarget: number;
  /** The number of bytes from the target that the client's socket has taken. */
  readonly toClient: number;
  /** How long it took, dialing included, in milliseconds. */
  readonly duration: number;
  /**
   * The error that ended it, with which the handler rejects. Undefined if it ended in good order.
   */
  readonly error: unknown;
}

/**
 * Makes a handler for {@linkcode serve} that dials a target for its client and carries bytes both
 * ways, unchanged. The two may be of different kinds: TCP, TLS or Unix. For several targets there is
 * {@linkcode Balancer}.
 *
 * - A side that reads slowly holds the other one back: at most 64 KiB of a direction are under way here.
 * - FIN is passed on as FIN, after all that came before it, and the other direction goes on. When
 *   both have ended, the handler is done.
 * - When one side resets, the other is reset, as far as its runtime can ({@linkcode Conn.reset}).
 *   When one side takes no more bytes, what it said before is passed on first.
 * - When the target cannot be reached the client is reset, and nothing of what it sent is read.
 * - When {@linkcode serve} closes the client, as nothing moves or the drain is over, the target is
 *   reset. Bytes in either direction count as movement, so `idleTimeout` bounds a connection
 *   that only one side has ended, too.
 *
 * The handler rejects with what dialing the target rejected with, or with the first failure of either side.
 *
 * @example A port that leads to another one
 * ```ts
 * import { dial, serve } from "@plainsocket/plainsocket";
 * import { echo, relay } from "@plainsocket/plainsocket/protocols";
 * import { MemoryTransport } from "@plainsocket/plainsocket/testing";
 * import assert from "node:assert/strict";
 *
 * const transport = new MemoryTransport();
 * const [target, front] = [await transport.listen({ port: 7 }), await transport.listen({ port: 8 })];
 * const toTarget = (signal: AbortSignal) => dial(transport, { host: "localhost", port: 7, signal });
 * await using _echoing = serve(target, echo());
 * await using _relaying = serve(front, relay(toTarget));
 *
 * using conn = await transport.connect({ host: "localhost", port: 8 });
 * await conn.write(new Uint8Array([1, 2, 3]));
 * assert.equal(await conn.read(new Uint8Array(10)), 3);
 * ```
 */
export function relay(
  target: DialTarget | TargetPool,
  options: RelayOptions = {},
): Handler {
  checkArgument("relay", target, TARGET);
  checkOptions("relay", options, OPTIONS, "{ onEnd }");
  const { onEnd, clock = systemClock } = options;
  const buffers = new BufferPool(RECV_SIZE);
  const targets: TargetPool = typeof target === "function"
    ? { dial: target, release: () => {} }
    : target;
  return async (client, context) => {
    const started = clock.now();
    let conn: Conn | undefined;
    let before = 0;
    let error: unknown;
    try {
      conn = await targets.dial(context.signal, client);
      before = conn.bytesWritten;
      reportLink(client, conn);
      await new Junction(client, conn, buffers).run(context.signal);
    } catch (failure) {
      error = failure;
      client.reset();
      throw failure;
    } finally {
      if (conn !== undefined) targets.release(conn);
      onEnd?.({
        client: client.remoteAddr,
        target: conn?.remoteAddr,
        toTarget: (conn?.bytesWritten ?? 0) - before,
        toClient: client.bytesWritten,
        duration: clock.now() - started,
        error,
      });
    }
  };
}

/** Two connections that are joined. */
class Junction {
  readonly #client: Conn;
  readonly #target: Conn;
  readonly #buffers: BufferPool;
  #failure: unknown;
  /** The side that sends no more, and the one that takes no more, once there are such. */
  #ended: Conn | undefined;
  #deaf: Conn | undefined;

  constructor(client: Conn, target: Conn, buffers: BufferPool) {
    this.#client = client;
    this.#target = target;
    this.#buffers = buffers;
  }

  /** Carries until both directions have ended; rejects with the first failure. */
  async run(signal: AbortSignal): Promise<void> {
    const onAbort = () => this.#target.reset(signal.reason);
    // A pump that waits for the target would not notice that the client was closed.
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort);
    await Promise.all([
      this.#carry(this.#client, this.#target),
      this.#carry(this.#target, this.#client),
    ]);
    signal.removeEventListener("abort", onAbort);
    if (this.#failure === undefined) return this.#target.close();
    this.#reset();
    throw this.#failure;
  }

  /** Carries one direction, and passes its end on. */
  async #carry(from: Conn, to: Conn): Promise<void> {
    try {
      await pump(from, to, this.#buffers);
      // A peer that takes no more either is gone: no answer is waited for.
      if (this.#deaf === from) return this.#reset();
      this.#ended ??= from;
      await to.closeWrite();
    } catch (error) {
      this.#failure ??= error;
      this.#deaf ??= to;
      // A side that takes no more may have sent something before, so it is read to its end. A peer that
      // cannot be read, or has ended before, is gone, and the other side does not wait for it.
      const isRead = !(error instanceof SocketError) || error.op === "read";
      if (isRead || this.#ended === to) this.#reset();
    }
  }

  #reset(): void {
    this.#client.reset();
    this.#target.reset();
  }
}
