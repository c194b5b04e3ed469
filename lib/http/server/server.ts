/**
 * What the connections of one HTTP server share: buffers, the Date, and the clock that sweeps their
 * deadlines.
 *
 * @module
 */

import { BufferPool } from "../../net/buffer_pool.ts";
import type { Conn, Listener } from "../../net/transport.ts";
import { serve, type ServeSummary } from "../../serve/serve.ts";
import { type ConnectionServer, HttpConnection } from "./connection.ts";
import type { LightHandler } from "./light.ts";
import { checkServer, type HttpOptions, type HttpSettings, settingsOf } from "./options.ts";
import { OutputBuffers } from "./output.ts";
import { ReplyHeads } from "./reply.ts";
import { type Tails, tailsOfNow } from "./date_fields.ts";

const TICK_MS = 250;

/** How long a connection has waited for a request before it makes room for another: the first request
 * may be on its way. */
const LEAST_WAIT_MS = 500;

/**
 * Answers HTTP/1.1 and HTTP/1.0 requests on every connection of a listener, until `signal` is aborted
 * or the listener is closed. Then requests under way get `grace` to finish, and it resolves.
 *
 * What a handler throws is answered with 500 and told to {@linkcode HttpOptions.onError}, or is a
 * process warning. Requests that are refused (400, 413 and their kin) are no errors:
 * {@linkcode HttpOptions.onReply} is told of them, as of every reply.
 *
 * Rejects as {@linkcode serve} does.
 *
 * @example
 * ```ts
 * import { systemTransport } from "@plainsocket/plainsocket";
 * import { serveLight } from "@plainsocket/plainsocket/http";
 * import assert from "node:assert/strict";
 *
 * const listener = await systemTransport.listen({ host: "127.0.0.1" });
 * const stop = new AbortController();
 * const served = serveLight(listener, ({ target }) => ({ status: 200, body: `You want ${target}` }), {
 *   signal: stop.signal,
 * });
 *
 * const response = await fetch(`http://127.0.0.1:${listener.addr.port}/this`);
 * assert.equal(await response.text(), "You want /this");
 *
 * stop.abort();
 * await served;
 * ```
 */
export async function serveLight(
  listener: Listener,
  handler: LightHandler,
  options: HttpOptions = {},
): Promise<ServeSummary> {
  checkServer("serveLight", listener, handler, options);
  return await new HttpServer(handler, options).run(listener, options);
}

/** See the module. */
export class HttpServer implements ConnectionServer {
  readonly settings: HttpSettings;
  readonly buffers: BufferPool = new BufferPool(64 * 1024);
  readonly replyHeads: ReplyHeads = new ReplyHeads();
  readonly outputBuffers: OutputBuffers = new OutputBuffers();
  now: number;
  tails: Tails = tailsOfNow();
  readonly handler: LightHandler;
  readonly #connections = new Set<HttpConnection>();
  #cancelTick: (() => void) | undefined;

  constructor(handler: LightHandler, options: HttpOptions) {
    this.handler = handler;
    this.settings = settingsOf(options);
    this.now = this.settings.clock.now();
  }

  async run(listener: Listener, options: HttpOptions): Promise<ServeSummary> {
    const { signal, maxConnections, admission, grace } = options;
    try {
      return await serve(listener, (conn) => this.#converse(conn), {
        signal,
        maxConnections,
        makeRoom: () => this.#makeRoom(),
        admission,
        grace,
        idleTimeout: 0, // each phase of a connection has its own deadline
        onStop: () => {
          for (const connection of this.#connections) connection.stop();
        },
        clock: this.settings.clock,
      });
    } finally {
      this.#cancelTick?.();
    }
  }

  async #converse(conn: Conn): Promise<void> {
    if (this.#connections.size === 0) this.#tick();
    const connection = new HttpConnection(conn, this);
    this.#connections.add(connection);
    try {
      await connection.run();
    } finally {
      this.#connections.delete(connection);
    }
  }

  /**
   * Closes the connection on which nobody has waited for an answer for longest, unless that is not long:
   * no request is under way, or its client has sent FIN.
   */
  #makeRoom(): boolean {
    let longest: HttpConnection | undefined;
    let most = LEAST_WAIT_MS - 1;
    for (const connection of this.#connections) {
      const { spare } = connection;
      if (spare <= most) continue;
      most = spare;
      longest = connection;
    }
    longest?.close();
    return longest !== undefined;
  }

  /** Ticks for as long as there are connections. */
  #tick(): void {
    this.#cancelTick?.();
    this.now = this.settings.clock.now();
    this.tails = tailsOfNow(this.tails);
    for (const connection of this.#connections) connection.sweep();
    this.#cancelTick = this.settings.clock.setTimer(TICK_MS, () => {
      this.#cancelTick = undefined;
      if (this.#connections.size > 0) this.#tick();
    });
  }
}
