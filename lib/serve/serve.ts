/**
 * The server's side of a listener: accept, hand over, clean up, and stop in good order.
 *
 * @module
 */

import type { Admission } from "../net/admission.ts";
import type { MetricsSink, RejectReason } from "../net/metrics_sink.ts";
import { formatAddr } from "../base/addr.ts";
import { checkArgument, checkOptions, HANDLER, LISTENER } from "../base/arguments.ts";
import { ExhaustionBackoff } from "../base/backoff.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { OpenConnection, RunningServer, type Server, warn } from "./server.ts";
import { deferred } from "../base/wait.ts";
import { SocketError } from "../base/errors.ts";
import { IdleWatch } from "./idle.ts";
import { ConnectionQueue } from "./connection_queue.ts";
import type { Conn, Listener } from "../net/transport.ts";
import { type Handler, SERVE_OPTIONS, type ServeOptions } from "./options.ts";

export type { Handler, ServeOptions };

/** The summary of {@linkcode serve}. */
export interface ServeSummary {
  /** The number of connections that were accepted, without those refused. */
  readonly accepted: number;
  /** The number of connections that {@linkcode ServeOptions.admission} refused. */
  readonly refused: number;
  /**
   * The number of accepted connections that did not finish within the drain timeout and were reset.
   */
  readonly reset: number;
}

/** How long to wait before `evict` is called again after it could close none, in milliseconds. */
const EVICT_AGAIN_MS = 250;

/** The time that handlers get to notice that their connection was reset, in milliseconds. */
const SETTLE_MS = 1000;

/**
 * Accepts connections and calls the handler for each, until it is stopped, `signal` is aborted or
 * the listener is closed. Then it stops the listener, and lets the connections finish for up to
 * `drainTimeout`. Those that the listener has taken and not returned yet are served as well: see
 * {@linkcode Listener.stop}. It resets those that are left, and has finished. An error of a handler
 * goes to {@linkcode ServeOptions.onError}, or is a process warning.
 *
 * {@linkcode Server.finished} rejects with a {@linkcode SocketError} if accepting fails for good. A
 * lack of descriptors or memory is waited out, 5 ms at first and a second at most.
 *
 * @example A server that says hello
 * ```ts
 * import { serve, systemTransport } from "@plainsocket/plainsocket";
 *
 * const listener = await systemTransport.listen({ host: "localhost" });
 * const server = serve(listener, async (conn) => {
 *   await conn.write(new TextEncoder().encode("hello\n"));
 * });
 *
 * await server.stop();
 * ```
 */
export function serve(
  listener: Listener,
  handler: Handler,
  options: ServeOptions = {},
): Server<ServeSummary> {
  checkArgument("serve", listener, LISTENER);
  checkArgument("serve", handler, HANDLER);
  checkOptions("serve", options, SERVE_OPTIONS, "{ signal }");
  const loop = new AcceptLoop(listener, handler, options);
  return new RunningServer(listener.addr, loop.run(), (drainTimeout) => loop.stop(drainTimeout));
}

class AcceptLoop {
  readonly #listener: Listener;
  readonly #handler: Handler;
  readonly #maxConnections: number;
  readonly #evict: ((newcomer: Conn) => boolean) | undefined;
  readonly #onFull: (() => void) | undefined;
  readonly #admission: Admission | undefined;
  readonly #drainTimeout: number;
  readonly #onError: (error: unknown, conn: Conn) => void;
  readonly #onStop: (() => void) | undefined;
  readonly #metrics: MetricsSink | undefined;
  readonly #clock: Clock;
  readonly #idle: IdleWatch;
  readonly #signal: AbortSignal | undefined;
  readonly #open = new Set<OpenConnection>();
  readonly #queue: ConnectionQueue;
  #accepted = 0;
  #refused = 0;
  #reset = 0;
  /** No more connections will come. */
  #acceptedAll = false;
  /** When what runs must have finished; undefined before it stops. */
  #drainUntil: number | undefined;
  readonly #stopped = deferred<void>();
  /** The drain timeout is over. */
  #isOver = false;
  /** The error of a callback of the user's, which ends the server. */
  #failure: { readonly cause: unknown } | undefined;
  /** Resolves when a connection ends or has to wait, or the server stops. */
  #changed = deferred<void>();

  constructor(listener: Listener, handler: Handler, options: ServeOptions) {
    this.#listener = listener;
    this.#handler = handler;
    this.#maxConnections = (options.maxConnections ?? 1024) || Infinity;
    this.#evict = options.evict;
    this.#queue = new ConnectionQueue(this.#maxConnections, options.givesWay);
    this.#onFull = options.onFull;
    this.#admission = options.admission;
    this.#drainTimeout = options.drainTimeout ?? 10_000;
    this.#onError = options.onError ?? warnOf;
    this.#onStop = options.onStop;
    this.#metrics = options.metrics;
    this.#clock = options.clock ?? systemClock;
    this.#idle = new IdleWatch(options.idleTimeout ?? 300_000, this.#clock);
    this.#signal = options.signal;
  }

  async run(): Promise<ServeSummary> {
    const stop = () => this.stop();
    if (this.#signal?.aborted) stop();
    this.#signal?.addEventListener("abort", stop);
    const accepting = this.#acceptAll().finally(() => {
      this.#acceptedAll = true;
      stop();
      this.#notify();
    });
    // Its error is reported in the end.
    accepting.catch(() => {});
    await this.#stopped.promise;
    this.#signal?.removeEventListener("abort", stop);
    await this.#end();
    await accepting;
    return { accepted: this.#accepted, refused: this.#refused, reset: this.#reset };
  }

  /** Stops accepting; what runs gets this time to finish. A later call with a time can cut that short. */
  stop(drainTimeout?: number): void {
    if (this.#drainUntil !== undefined && drainTimeout === undefined) return;
    const until = this.#clock.now() + (drainTimeout ?? this.#drainTimeout);
    this.#drainUntil = Math.min(until, this.#drainUntil ?? Infinity);
    this.#listener.stop();
    this.#stopped.resolve();
    this.#notify();
  }

  /** Lets the connections finish, and resets those that are left when the time is over. */
  async #end(): Promise<void> {
    this.#onStop?.();
    for (const connection of this.#open) connection.stop();
    await this.#drain(() => this.#drainUntil!);
    this.#isOver = true;
    this.#listener.close();
    this.#turnAllAway();
    this.#notify();
    this.#reset = this.#open.size;
    for (const connection of this.#open) connection.reset();
    const settled = this.#clock.now() + SETTLE_MS;
    await this.#drain(() => settled);
  }

  async #acceptAll(): Promise<void> {
    const backoff = new ExhaustionBackoff();
    for (;;) {
      // A connection is accepted before another one is evicted for it.
      if (this.#evict === undefined) await this.#untilPlace();
      else await this.#until(() => !this.#queue.isFull);
      try {
        const conn = await this.#listener.accept();
        backoff.reset();
        if (this.#admission?.admit(conn.remoteAddr) === false) this.#refuse(conn);
        else this.#take(conn);
      } catch (error) {
        const code = error instanceof SocketError ? error.code : undefined;
        if (code === "ECLOSED") break;
        if (code === "ECONNABORTED") continue;
        const wait = backoff.after(error);
        if (wait === undefined) throw error;
        await this.#sleep(wait);
      }
    }
    if (this.#failure !== undefined) throw this.#failure.cause;
  }

  get #isFull(): boolean {
    return this.#open.size >= this.#maxConnections;
  }

  /** Waits until a condition holds, or until the drain timeout is over. */
  async #until(holds: () => boolean): Promise<void> {
    while (!holds() && !this.#isOver) await this.#changed.promise;
  }

  async #untilPlace(): Promise<void> {
    if (this.#isFull && !this.#isOver) this.#onFull?.();
    await this.#until(() => !this.#isFull);
  }

  /** Serves a new connection, or has it wait for a place. */
  #take(conn: Conn): void {
    const waiting = this.#queue.size;
    if (!this.#isOver && waiting === 0 && !this.#isFull) return void this.#converse(conn);
    this.#metrics?.connectionsQueued(1);
    if (this.#isOver) return this.#turnAway(conn, "stopping");
    const dropped = this.#queue.add(conn);
    if (dropped !== undefined) this.#turnAway(dropped, "queue_full");
    if (waiting > 0) return this.#notify();
    this.#givePlaces().catch((cause) => {
      this.#failure = { cause };
      this.#turnAllAway();
      this.#listener.close();
      this.#notify();
    });
  }

  /** Gives places to those that wait, until none waits any more or the drain timeout is over. */
  async #givePlaces(): Promise<void> {
    let [isReported, isMade] = [false, false];
    while (this.#queue.size > 0 && !this.#isOver) {
      const next = this.#queue.next();
      const before = this.#open.size;
      if (isMade || this.#queue.mayEnter(next, before)) {
        isMade = false;
        this.#queue.delete(next);
        this.#metrics?.connectionsQueued(-1);
        void this.#converse(next);
        this.#notify();
      } else if (this.#evict?.(next)) {
        await this.#until(() => this.#open.size < before);
        isMade = true;
      } else {
        if (!isReported) this.#onFull?.();
        isReported = true;
        await this.#sleep(EVICT_AGAIN_MS);
      }
    }
  }

  #turnAllAway(): void {
    for (const conn of this.#queue.takeAll()) this.#turnAway(conn, "stopping");
  }

  /** Resets a connection that waits. */
  #turnAway(conn: Conn, reason: RejectReason): void {
    this.#metrics?.connectionsQueued(-1);
    this.#metrics?.connectionRejected(reason);
    this.#admission?.release(conn.remoteAddr);
    conn.reset();
  }

  #refuse(conn: Conn): void {
    this.#refused++;
    this.#metrics?.connectionRejected("access");
    conn.reset();
  }

  async #converse(conn: Conn): Promise<void> {
    this.#accepted++;
    const connection = new OpenConnection(conn);
    this.#open.add(connection);
    this.#idle.add(conn, undefined, (why) => connection.close(why));
    const metrics = this.#metrics;
    const since = metrics === undefined ? 0 : this.#clock.now();
    let failure: unknown;
    metrics?.connectionOpened(conn);
    try {
      const handled = this.#handler(conn, connection);
      // A handler that listens for it from the first is called.
      if (this.#drainUntil !== undefined) connection.stop();
      await handled;
    } catch (error) {
      failure = error;
      this.#onError(error, conn);
    } finally {
      conn.close();
      metrics?.connectionClosed(conn, this.#clock.now() - since, failure);
      this.#idle.delete(conn);
      this.#open.delete(connection);
      this.#admission?.release(conn.remoteAddr);
      this.#notify();
    }
  }

  /** Waits until no connection is left and none will come, or until `deadline`, which may come closer. */
  async #drain(deadline: () => number): Promise<void> {
    for (
      let late = false;
      !(this.#acceptedAll && this.#open.size + this.#queue.size === 0) && !late;
    ) {
      const left = deadline() - this.#clock.now();
      // Even with no time left, one turn lets those handlers finish that end because the server does.
      const clock = left > 0 ? this.#clock : systemClock;
      const cancel = clock.setTimer(Math.max(0, left), () => {
        late = true;
        this.#notify();
      });
      await this.#changed.promise;
      cancel();
    }
  }

  /** Waits for `ms` milliseconds, or until something has {@linkcode #changed}. */
  async #sleep(ms: number): Promise<void> {
    const cancel = this.#clock.setTimer(ms, () => this.#notify());
    await this.#changed.promise;
    cancel();
  }

  #notify(): void {
    this.#changed.resolve();
    this.#changed = deferred();
  }
}

function warnOf(error: unknown, { remoteAddr }: Conn): void {
  if (!(error instanceof SocketError)) warn(error, `with ${formatAddr(remoteAddr)}`);
}
