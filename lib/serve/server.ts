/**
 * The server that the functions that serve return, the context of a handler,
 * and the process warning about a mistake of a handler.
 *
 * @module
 */

import process from "node:process";
import { inspect } from "node:util";
import type { Addr } from "../base/addr.ts";
import { checkOptions, type Kinds, WAIT } from "../base/arguments.ts";
import { SocketError } from "../base/errors.ts";
import { escapeText } from "../base/escape.ts";
import type { Conn } from "../net/transport.ts";

/** Options of {@linkcode Server.stop}. */
export interface StopOptions {
  /**
   * The time that connections get to finish, from this call on, in milliseconds. Default: the
   * `drainTimeout` that the server was started with.
   */
  readonly drainTimeout?: number;
}

/**
 * A server that runs. `Summary` is what it has done in the end.
 *
 * @example A server for the time of a block
 * ```ts
 * import { serve, systemTransport } from "@plainsocket/plainsocket";
 * import { echo } from "@plainsocket/plainsocket/protocols";
 *
 * {
 *   await using server = serve(await systemTransport.listen({ host: "localhost" }), echo());
 *   using conn = await systemTransport.connect(server.addr);
 *   await conn.write(new TextEncoder().encode("hello"));
 * } // the connection is closed, and then the server is stopped
 * ```
 */
export interface Server<Summary, Address = Addr> extends AsyncDisposable {
  /** The address that it listens on. */
  readonly addr: Address;
  /**
   * Resolves when the server has stopped and its connections have ended. Rejects if it fails; nothing
   * else reports that, so a program that does not stop its server waits for this.
   */
  readonly finished: Promise<Summary>;
  /**
   * Stops the server as its signal does, and returns {@linkcode Server.finished}. On a server that is
   * stopping already, a `drainTimeout` that ends earlier cuts the drain short, and nothing else has an
   * effect: `stop({ drainTimeout: 0 })` resets what is left at once.
   */
  stop(options?: StopOptions): Promise<Summary>;
  /** Stops the server and waits until it has finished. */
  [Symbol.asyncDispose](): Promise<void>;
}

const OPTIONS: Kinds<StopOptions> = { drainTimeout: WAIT };

/** See {@linkcode Server}. */
export class RunningServer<Summary, Address = Addr> implements Server<Summary, Address> {
  readonly addr: Address;
  readonly finished: Promise<Summary>;
  readonly #stop: (drainTimeout: number | undefined) => void;

  /** `stop` begins to stop it, as often as it is called. */
  constructor(
    addr: Address,
    finished: Promise<Summary>,
    stop: (drainTimeout: number | undefined) => void,
  ) {
    this.addr = addr;
    this.finished = finished;
    this.#stop = stop;
    // A failure before the first wait for it is not an unhandled rejection.
    finished.catch(() => {});
  }

  stop(options: StopOptions = {}): Promise<Summary> {
    checkOptions("stop", options, OPTIONS, "{ drainTimeout: 5000 }");
    this.#stop(options.drainTimeout);
    return this.finished;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** The context that a handler of `serve()` receives besides its connection. */
export interface HandlerContext {
  /**
   * Aborted when the server closes the connection before the handler has settled: it is idle, or the
   * drain timeout is over. Reads and writes under way fail then anyway; this is for a handler that waits for
   * something else. The reason is the {@linkcode SocketError} that they fail with.
   */
  readonly signal: AbortSignal;
  /**
   * Aborted when the server begins to stop, and when {@linkcode signal} is: for a handler that waits
   * for something it need not finish, such as a connection that is not made yet. The connection may
   * have come just before the stop: look at `stopping.aborted` before you wait for the event.
   */
  readonly stopping: AbortSignal;
}

/** The server's side of it. */
export class OpenConnection implements HandlerContext {
  readonly #conn: Conn;
  readonly #ended = new LazySignal();
  readonly #stopping = new LazySignal();

  constructor(conn: Conn) {
    this.#conn = conn;
  }

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Calls `stop` when {@linkcode stopping} is aborted, which costs less than a signal. */
  onStopping(stop: () => void): void {
    this.#stopping.onAbort(stop);
  }

  /** The server begins to stop. */
  stop(): void {
    this.#stopping.abort(this.#stopped());
  }

  close(reason: SocketError): void {
    this.#conn.close(reason);
    this.#end(reason);
  }

  reset(): void {
    const reason = this.#stopped();
    this.#conn.reset(reason);
    this.#end(reason);
  }

  #stopped(): SocketError {
    const { remoteAddr: addr } = this.#conn;
    return new SocketError("ECLOSED", "read", { addr, why: "the server stopped" });
  }

  #end(reason: SocketError): void {
    this.#ended.abort(reason);
    this.#stopping.abort(reason);
  }
}

/** A signal that is made when it is asked for: most handlers do not ask. */
class LazySignal {
  #controller: AbortController | undefined;
  #reason: SocketError | undefined;
  #listener: (() => void) | undefined;

  /** Calls `listener` when it is aborted, or at once if it is. */
  onAbort(listener: () => void): void {
    if (this.#reason === undefined) this.#listener = listener;
    else listener();
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  abort(reason: SocketError): void {
    this.#reason ??= reason;
    this.#controller?.abort(reason);
    this.#listener?.();
    this.#listener = undefined;
  }
}

/**
 * Makes a process warning of what a handler threw, with its stack; `doing` says what the handler was
 * doing, as in `for GET / from 127.0.0.1:50000`.
 */
export function warn(error: unknown, doing: string): void {
  const warning = new Error(escapeText(`A handler failed ${doing}`), { cause: error });
  warning.name = "HandlerWarning";
  const detail = inspect(error).split("\n").map(escapeText).join("\n");
  // The runtimes print a warning without its stack, and `detail` after it.
  process.emitWarning(Object.assign(warning, { detail }));
}
