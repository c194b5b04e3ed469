/**
 * The rest of a connection whose first bytes were received already.
 *
 * @module
 */

import type { Addr } from "../base/addr.ts";
import { SocketError } from "../base/errors.ts";
import type { Conn, TlsConn } from "./transport.ts";
import type { TlsInfo } from "./tls/options.ts";

/**
 * The bytes that were received and not taken yet: `chunk` from `from` to `to`, and those that
 * {@linkcode fill} reads.
 */
export interface Received {
  readonly chunk: Uint8Array;
  from: number;
  readonly to: number;
  /** The number of bytes that were received and not taken. */
  readonly waiting: number;
  /** Whether nothing was received that is not taken, and nothing is being received. */
  readonly drained: boolean;
  /** Waits for what is being received; false at the end of the stream. */
  fill(): Promise<boolean>;
  /** Drops what was not taken, and frees what it was received into. */
  release(): void;
}

/**
 * The connection, whose next bytes are those that were received already. Its peer is at `remoteAddr`: by
 * default that of the connection; behind a proxy, the client's.
 */
export function restOf(conn: Conn, input: Received, remoteAddr: Addr = conn.remoteAddr): Conn {
  if (input.drained) {
    input.release();
    if (remoteAddr === conn.remoteAddr) return conn;
  }
  const ends = { localAddr: conn.localAddr, remoteAddr };
  return "tls" in conn ? new RestOfTls(conn as TlsConn, input, ends) : new Rest(conn, input, ends);
}

/** A connection whose first bytes were received already. Its addresses are `ends`. */
export class Rest<C extends Conn = Conn> implements Conn {
  readonly localAddr: Addr;
  readonly remoteAddr: Addr;
  protected readonly conn: C;
  readonly #input: Received;
  #before: number;
  #reading = false;
  #closed = false;

  constructor(
    conn: C,
    input: Received,
    ends: { readonly localAddr: Addr; readonly remoteAddr: Addr },
  ) {
    this.localAddr = ends.localAddr;
    this.remoteAddr = ends.remoteAddr;
    this.conn = conn;
    this.#input = input;
    this.#before = conn.bytesRead - input.waiting;
  }

  get bytesRead(): number {
    return this.conn.bytesRead - this.#input.waiting - this.#before;
  }

  get bytesWritten(): number {
    return this.conn.bytesWritten;
  }

  read(p: Uint8Array): Promise<number | null> {
    // The connection refuses an argument that is not a buffer or has no room, and a late call.
    if (this.#closed || this.#input.drained || !(p?.length > 0)) return this.conn.read(p);
    return this.#received(p);
  }

  async #received(p: Uint8Array): Promise<number | null> {
    if (this.#reading) throw new SocketError("EBUSY", "read", { addr: this.remoteAddr });
    const input = this.#input;
    this.#reading = true;
    try {
      if (input.from === input.to && !await input.fill()) return null;
      const n = Math.min(p.length, input.to - input.from);
      // It was closed meanwhile.
      if (n === 0) return await this.conn.read(p);
      p.set(input.chunk.subarray(input.from, input.from += n));
      if (input.drained) input.release();
      return n;
    } finally {
      this.#reading = false;
    }
  }

  write(p: Uint8Array): Promise<void> {
    return this.conn.write(p);
  }

  closeWrite(): Promise<void> {
    return this.conn.closeWrite();
  }

  close(reason?: Error): void {
    this.#drop();
    this.conn.close(reason);
  }

  reset(reason?: Error): void {
    this.#drop();
    this.conn.reset(reason);
  }

  /** Nothing is delivered any more. */
  #drop(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#before += this.#input.waiting;
    this.#input.release();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

class RestOfTls extends Rest<TlsConn> implements TlsConn {
  get tls(): TlsInfo {
    return this.conn.tls;
  }

  get truncated(): boolean | undefined {
    return this.conn.truncated;
  }
}
