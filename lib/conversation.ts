/**
 * What a server and a handler know of each other while a conversation goes on.
 *
 * @module
 */

import { SocketError } from "./errors.ts";
import type { Conn } from "./transport.ts";

/** What a handler of `serve()` is told besides its connection. */
export interface Conversation {
  /**
   * Aborted when the server closes the connection before the handler has settled: it is idle, or the
   * grace is over. Reads and writes under way fail then anyway; this is for a handler that waits for
   * something else. The reason is the {@linkcode SocketError} that they fail with.
   */
  readonly signal: AbortSignal;
}

/** The server's side of it. */
export class OpenConversation implements Conversation {
  readonly #conn: Conn;
  #controller: AbortController | undefined;
  #endReason: SocketError | undefined;

  constructor(conn: Conn) {
    this.#conn = conn;
  }

  /** Made when asked for: most handlers do not ask. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#endReason !== undefined) this.#controller.abort(this.#endReason);
    }
    return this.#controller.signal;
  }

  close(reason: SocketError): void {
    this.#conn.close(reason);
    this.#end(reason);
  }

  reset(): void {
    const { remoteAddr: addr } = this.#conn;
    const reason = new SocketError("ECLOSED", "read", { addr, why: "the server stopped" });
    this.#conn.reset(reason);
    this.#end(reason);
  }

  #end(reason: SocketError): void {
    this.#endReason = reason;
    this.#controller?.abort(reason);
  }
}
