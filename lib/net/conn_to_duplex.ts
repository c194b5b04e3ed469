/**
 * A {@linkcode Conn} as a stream of Node's, for those who know only these.
 *
 * @module
 */

import { Duplex } from "node:stream";
import type { Conn } from "./transport.ts";

const CHUNK = 64 * 1024;

/**
 * Reads from and writes to a connection, which is the stream's from then on. What it gives is the
 * reader's to keep.
 */
export class ConnStream extends Duplex {
  /** Tells whether who reads from this has enough for now: Deno's TLS takes what it is given. */
  full: () => boolean = () => false;
  readonly #conn: Conn;
  #wanted = false;
  /** The write under way. */
  #writing: Promise<void> | undefined;

  constructor(conn: Conn) {
    super({ allowHalfOpen: true });
    this.#conn = conn;
  }

  /** To be called when it may no longer be {@linkcode full}. */
  goOn(): void {
    if (this.#wanted && !this.full()) this._read();
  }

  /** Resolves when all that was written has left, or cannot any more; `undefined` if that is so now. */
  flushed(): Promise<void> | undefined {
    return this.writableLength === 0 || this.destroyed ? undefined : this.#flush();
  }

  async #flush(): Promise<void> {
    while (this.writableLength > 0 && !this.destroyed) await this.#writing;
  }

  override _read(): void {
    this.#wanted = this.full();
    if (this.#wanted) return;
    const p = new Uint8Array(CHUNK);
    this.#conn.read(p).then(
      (n) => this.push(n === null ? null : p.subarray(0, n)),
      (error) => this.destroy(error),
    );
  }

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error) => void): void {
    this.#writing = this.#conn.write(chunk).then(() => done(), done);
  }

  override _final(done: (error?: Error) => void): void {
    this.#conn.closeWrite().then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#conn.close();
    done(error);
  }
}
