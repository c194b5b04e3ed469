/**
 * What a server and a handler know of each other while a conversation goes on.
 *
 * @module
 */

import { SocketError } from "../base/errors.ts";
import type { Conn } from "../net/transport.ts";

/** What a handler of `serve()` is told besides its connection. */
export interface Conversation {
  /**
   * Aborted when the server closes the connection before the handler has settled: it is idle, or the
   * drain timeout is over. Reads and writes under way fail then anyway; this is for a handler that waits for
   * something else. The reason is the {@linkcode SocketError} that they fail with.
   */
  readonly signal: AbortSignal;
  /**
   * Aborted when the server begins to stop, and when {@linkcode signal} is: for a handler that waits
   * for something it need not finish, such as a connection that is not made yet.
   */
  readonly stopping: AbortSignal;
}

/** The server's side of it. */
export class OpenConversation implements Conversation {
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
  }
}
