/**
 * The shared state of one HTTP server's connections: buffers, the Date, and the clock that sweeps
 * their deadlines.
 *
 * @module
 */

import { setSweep } from "../../base/clock.ts";
import { BufferPool } from "../../net/buffer_pool.ts";
import type { Conn, Listener } from "../../net/transport.ts";
import { serve, type ServeSummary } from "../../serve/serve.ts";
import { type HandlerContext, RunningServer, type Server } from "../../serve/server.ts";
import { type ConnectionServer, HttpConnection } from "./connection.ts";
import type { LightHandler } from "./light.ts";
import { checkServer, type HttpOptions, type HttpSettings, settingsOf } from "./options.ts";
import { OutputBuffers } from "./output.ts";
import { ResponseHeads } from "./response.ts";
import { Eviction, hostOf } from "./eviction.ts";
import type { Spoken } from "./upgraded_connection.ts";
import { type HeadEnds, headEndsOfNow } from "./head_ends.ts";

const TICK_MS = 250;

/**
 * Answers HTTP/1.1 and HTTP/1.0 requests on every connection of a listener, until it is stopped,
 * `signal` is aborted or the listener is closed. Then requests under way get `drainTimeout` to finish.
 *
 * An error of a handler is answered with 500 and goes to {@linkcode HttpOptions.onError}, or is a
 * process warning. Requests that are refused (400, 413 and similar) are not errors:
 * {@linkcode HttpOptions.onResponse} is called for them, as for every response.
 *
 * Fails as {@linkcode serve} does.
 *
 * @example
 * ```ts
 * import { systemTransport } from "@plainsocket/plainsocket";
 * import { serveLight } from "@plainsocket/plainsocket/http";
 * import assert from "node:assert/strict";
 *
 * const listener = await systemTransport.listen({ host: "127.0.0.1" });
 * const server = serveLight(listener, ({ target }) => ({ status: 200, body: `You want ${target}` }));
 *
 * const response = await fetch(`http://127.0.0.1:${listener.addr.port}/this`);
 * assert.equal(await response.text(), "You want /this");
 *
 * await server.stop();
 * ```
 */
export function serveLight(
  listener: Listener,
  handler: LightHandler,
  options: HttpOptions = {},
): Server<ServeSummary> {
  checkServer("serveLight", listener, handler, options);
  return new HttpServer(handler, options).run(listener, options);
}

/** See the module. */
export class HttpServer implements ConnectionServer {
  readonly settings: HttpSettings;
  readonly buffers: BufferPool = new BufferPool(64 * 1024);
  readonly responseHeads: ResponseHeads = new ResponseHeads();
  readonly outputBuffers: OutputBuffers = new OutputBuffers();
  now: number;
  headEnds: HeadEnds = headEndsOfNow();
  readonly handler: LightHandler;
  readonly #connections = new Set<HttpConnection>();
  readonly #eviction = new Eviction(this.#connections);
  #cancelTick: (() => void) | undefined;
  #isStopping = false;

  constructor(handler: LightHandler, options: HttpOptions) {
    this.handler = handler;
    this.settings = settingsOf(options);
    this.now = this.settings.clock.now();
  }

  run(listener: Listener, options: HttpOptions): Server<ServeSummary> {
    const { signal, maxConnections, onFull, admission, drainTimeout, metrics } = options;
    const server = serve(listener, (...accepted) => this.#converse(...accepted), {
      signal,
      maxConnections,
      onFull,
      evict: (newcomer) => this.#eviction.evictFor(hostOf(newcomer, this.settings.proxies)),
      givesWay: (newcomer) => this.#eviction.isCrowd(hostOf(newcomer, this.settings.proxies)),
      admission,
      drainTimeout,
      idleTimeout: 0, // each phase of a connection has its own deadline
      onStop: () => {
        this.#isStopping = true;
        for (const connection of this.#connections) connection.stop();
      },
      metrics,
      clock: this.settings.clock,
    });
    const finished = server.finished.finally(() => this.#cancelTick?.());
    return new RunningServer(
      server.addr,
      finished,
      (drainTimeout) => server.stop({ drainTimeout }),
    );
  }

  /** Speaks HTTP, and then another protocol if there is one; what HTTP took is free meanwhile. */
  #converse(conn: Conn, context: HandlerContext): Promise<void> {
    return this.#speakHttp(conn, context).then((spoken) => spoken?.end);
  }

  async #speakHttp(conn: Conn, context: HandlerContext): Promise<Spoken | undefined> {
    if (this.#connections.size === 0) this.#tick();
    const connection = new HttpConnection(conn, context, this);
    this.#connections.add(connection);
    if (this.#isStopping) connection.stop();
    try {
      return await connection.run();
    } finally {
      this.#connections.delete(connection);
    }
  }

  /** Ticks for as long as there are connections. */
  #tick(): void {
    this.#cancelTick?.();
    this.now = this.settings.clock.now();
    this.headEnds = headEndsOfNow(this.headEnds);
    for (const connection of this.#connections) connection.sweep();
    this.#cancelTick = setSweep(this.settings.clock, TICK_MS, (isLate) => {
      this.#cancelTick = undefined;
      this.#eviction.tick(isLate);
      if (this.#connections.size > 0) this.#tick();
    }, () => this.#catchUp());
  }

  /** Notes the time: what begins from now on did not begin at the last tick, which is long ago. */
  #catchUp(): void {
    this.now = this.settings.clock.now();
    for (const connection of this.#connections) connection.catchUp();
  }
}
