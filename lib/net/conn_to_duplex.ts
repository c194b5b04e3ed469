/**
 * A {@linkcode Conn} as a stream of Node's, for those who know only these.
 *
 * @module
 */

import { Duplex } from "node:stream";
import { BufferPool, ReceiveBuffer } from "./buffer_pool.ts";
import { checkArgument, CONN } from "../base/arguments.ts";
import type { Conn } from "./transport.ts";

/** Large reads share these, so that a stream that waits holds a small buffer only. */
const pool = new BufferPool(64 * 1024);

/**
 * Makes a stream of Node's of a connection, which belongs to it from then on, for code that takes only
 * streams: `pipeline()`, compression, parsers. `end()` sends FIN, and reading goes on. `destroy()` closes
 * the connection. An error of the connection is that of the stream: a {@linkcode SocketError}.
 *
 * @example
 * ```ts
 * import { toDuplex } from "@plainsocket/plainsocket/streams";
 * import { MemoryTransport } from "@plainsocket/plainsocket/testing";
 * import assert from "node:assert/strict";
 * import { text } from "node:stream/consumers";
 *
 * const transport = new MemoryTransport();
 * const listener = await transport.listen({ port: 7 });
 * const [client, server] = await Promise.all([
 *   transport.connect({ host: "localhost", port: 7 }),
 *   listener.accept(),
 * ]);
 *
 * toDuplex(server).end("hello");
 * assert.equal(await text(toDuplex(client)), "hello");
 * ```
 */
export function toDuplex(conn: Conn): Duplex {
  checkArgument("toDuplex", conn, CONN);
  return new ConnStream(conn);
}

/**
 * Reads from and writes to a connection, which is the stream's from then on. The reader may keep the
 * chunks.
 */
export class ConnStream extends Duplex {
  /** Whether the reader of this has enough for now: Deno's TLS takes whatever it gets. */
  full: () => boolean = () => false;
  readonly #conn: Conn;
  readonly #buffer: ReceiveBuffer = new ReceiveBuffer(pool);
  #wanted = false;
  #reading = false;
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
    this.#reading = true;
    this.#conn.read(this.#buffer.bytes).then(this.#readDone, this.#readFailed);
  }

  readonly #readDone = (n: number | null): void => {
    this.#reading = false;
    // A copy, since the next read may begin within push().
    const chunk = n === null ? null : new Uint8Array(this.#buffer.first(n));
    if (n === null || this.destroyed) this.#buffer.release();
    else this.#buffer.adapt(n);
    this.push(chunk);
  };

  readonly #readFailed = (error: Error): void => {
    this.#reading = false;
    this.#buffer.release();
    this.destroy(error);
  };

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error) => void): void {
    this.#writing = this.#conn.write(chunk).then(() => done(), done);
  }

  override _final(done: (error?: Error) => void): void {
    this.#conn.closeWrite().then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#conn.close();
    // A read that is pending has the buffer until it settles.
    if (!this.#reading) this.#buffer.release();
    done(error);
  }
}
