/**
 * The part of the {@linkcode Listener} contract that does not depend on where connections come from.
 *
 * @module
 */

import { SocketError } from "../base/errors.ts";
import type { Addr } from "../base/addr.ts";
import type { Conn, Listener } from "./transport.ts";

/** See the module. */
export abstract class BaseListener<C extends Conn = Conn> implements Listener<Addr, C> {
  abstract readonly addr: Addr;
  /** {@linkcode close} was called. */
  protected closed = false;
  #accepting = false;

  /** Waits for a connection; no accept is under way. */
  protected abstract startAccept(): Promise<C>;
  /** Frees the socket and settles what is pending; called once. */
  protected abstract destroy(): void;

  async accept(): Promise<C> {
    if (this.closed) throw this.closedError();
    if (this.#accepting) throw new SocketError("EBUSY", "accept", { addr: this.addr });
    this.#accepting = true;
    try {
      return await this.startAccept();
    } finally {
      this.#accepting = false;
    }
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<C> {
    try {
      for (;;) yield await this.accept();
    } catch (error) {
      if (!this.closed) throw error;
    } finally {
      this.close();
    }
  }

  /** The error of an accept on a listener closed on this side. */
  protected closedError(): SocketError {
    return new SocketError("ECLOSED", "accept", { addr: this.addr });
  }
}
