/**
 * The client of the echo protocol (RFC 862): sends, receives at the same time, and compares.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { deferred } from "../../../base/wait.ts";
import { SocketError } from "../../../base/errors.ts";
import type { Conn } from "../../../net/transport.ts";

/**
 * The most bytes that are sent and not yet echoed. They are kept to compare the echo with; the sender
 * waits when there are more. The kernels on both sides hold less.
 */
const WINDOW = 16 * 1024 * 1024;

/** The outcome of an {@linkcode EchoExchange}. */
export interface EchoOutcome {
  /** The number of bytes that were sent. */
  readonly sent: number;
  /** The number of bytes that came back, up to and with the chunk that differed. */
  readonly received: number;
  /** The position at which the echo differs from what was sent. Undefined if it does not. */
  readonly differsAt: number | undefined;
  /** All was sent and all came back. */
  readonly complete: boolean;
}

/** Options of {@linkcode EchoExchange}. */
export interface EchoExchangeOptions {
  /** The bytes to send. */
  readonly source: AsyncIterable<Uint8Array>;
  /** Takes what comes back; the next bytes are received when it resolves. */
  readonly sink: (data: Uint8Array) => void | Promise<void>;
  /** The most bytes to receive at once. */
  readonly recvSize: number;
}

/** One exchange with an echo server, on a connection that the caller closes. */
export class EchoExchange {
  readonly #conn: Conn;
  readonly #options: EchoExchangeOptions;
  /** The bytes that were sent and have not come back. */
  readonly #outstanding: Uint8Array[] = [];
  #outstandingBytes = 0;
  #sent = 0;
  #received = 0;
  #sentAll = false;
  #room = deferred<void>();

  constructor(conn: Conn, options: EchoExchangeOptions) {
    this.#conn = conn;
    this.#options = options;
  }

  /** Whether the server owes something: bytes, or its FIN. */
  get waiting(): boolean {
    return this.#outstandingBytes > 0 || this.#sentAll;
  }

  /** Whether all that there was to send is sent. */
  get sentAll(): boolean {
    return this.#sentAll;
  }

  /**
   * Sends all, half-closes, and receives until the server closes or what comes differs. Rejects with
   * the error of reading, or with that of the source.
   */
  async run(): Promise<EchoOutcome> {
    const sourceFailed = deferred<never>();
    this.#send().catch((error) => {
      // A failure to send says that the server went away, and reading shows how.
      if (!(error instanceof SocketError)) sourceFailed.reject(error);
    });
    const differsAt = await Promise.race([this.#receive(), sourceFailed.promise]);
    return {
      sent: this.#sent,
      received: this.#received,
      differsAt,
      complete: this.#sentAll && this.#outstandingBytes === 0 && differsAt === undefined,
    };
  }

  async #send(): Promise<void> {
    for await (const chunk of this.#options.source) {
      while (this.#outstandingBytes >= WINDOW) await this.#room.promise;
      this.#outstanding.push(chunk);
      this.#outstandingBytes += chunk.length;
      this.#sent += chunk.length;
      await this.#conn.write(chunk);
    }
    this.#sentAll = true;
    await this.#conn.closeWrite();
  }

  async #receive(): Promise<number | undefined> {
    const buffer = new Uint8Array(this.#options.recvSize);
    for (;;) {
      const n = await this.#conn.read(buffer);
      if (n === null) return undefined;
      const data = buffer.subarray(0, n);
      await this.#options.sink(data);
      const differsAt = this.#compare(data);
      this.#received += n;
      if (differsAt !== undefined) return differsAt;
      this.#room.resolve();
      this.#room = deferred();
    }
  }

  /**
   * Compares the bytes that came back. Returns the position of a difference, counted from the start
   * of the stream.
   */
  #compare(data: Uint8Array): number | undefined {
    for (let at = 0; at < data.length;) {
      const next = this.#outstanding[0];
      if (next === undefined) return this.#received + at;
      const n = Math.min(next.length, data.length - at);
      const got = data.subarray(at, at + n);
      if (Buffer.compare(got, next.subarray(0, n)) !== 0) {
        return this.#received + at + got.findIndex((byte, i) => byte !== next[i]);
      }
      if (n === next.length) this.#outstanding.shift();
      else this.#outstanding[0] = next.subarray(n);
      this.#outstandingBytes -= n;
      at += n;
    }
    return undefined;
  }
}
