/**
 * What the functions that serve return: something to wait for, and to stop.
 *
 * @module
 */

import type { Addr } from "../base/addr.ts";
import { checkOptions, type Kinds, WAIT } from "../base/arguments.ts";

/** What {@linkcode Server.stop} takes. */
export interface StopOptions {
  /**
   * Milliseconds that connections get to finish, from this call on. Default: the `drainTimeout` that
   * the server was started with.
   */
  readonly drainTimeout?: number;
}

/**
 * A server that runs. `Summary` is what it has done in the end.
 *
 * @example A server for the time of a block
 * ```ts
 * import { echo, serve, systemTransport } from "@plainsocket/plainsocket";
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
    // Whoever stops it later, and waits only then, is not too late for a failure.
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
