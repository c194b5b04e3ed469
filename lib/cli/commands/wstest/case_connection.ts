/**
 * One connection of a case: reads that have a deadline, and writes in pieces.
 *
 * @module
 */

import type { Clock } from "../../../base/clock.ts";
import { within } from "../../../base/wait.ts";
import { SocketError } from "../../../base/errors.ts";
import type { Conn } from "../../../net/transport.ts";

/** The end of the other side's stream. */
export type StreamEnd = "end" | "reset";

/** The most bytes of a request or response without its body. */
const MOST_HEAD = 16 * 1024;

/** The result of {@linkcode Link.readHead}. */
export interface ReceivedHead {
  /** The lines of the head, without the empty one at its end. */
  readonly head: string;
  /** The bytes that have come after it. */
  readonly rest: Uint8Array;
}

/** See the module. Its owner closes it. */
export class Link implements Disposable {
  /** The bytes that were written first, for the report. */
  written: Uint8Array = new Uint8Array(0);
  readonly #conn: Conn;
  readonly #clock: Clock;
  readonly #buffer = new Uint8Array(16 * 1024);
  #pending: Promise<Uint8Array | StreamEnd> | undefined;

  constructor(conn: Conn, clock: Clock) {
    this.#conn = conn;
    this.#clock = clock;
  }

  /** Writes all, `by` bytes at a time. A side that has closed is not an error: reading tells. */
  async write(bytes: Uint8Array, by: number = bytes.length): Promise<void> {
    if (this.written.length === 0) this.written = bytes;
    try {
      for (let at = 0; at < bytes.length; at += by) {
        await this.#conn.write(bytes.subarray(at, at + by));
      }
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
    }
  }

  /** Reads what comes within `ms` milliseconds. Undefined if nothing does; a later call reads it. */
  async read(ms: number): Promise<Uint8Array | StreamEnd | undefined> {
    this.#pending ??= this.#read();
    const got = await within(this.#pending, ms, this.#clock);
    if (got !== undefined) this.#pending = undefined;
    return got;
  }

  /** Waits for the end of the stream, for `ms` milliseconds at most; `more` is that bytes come first. */
  async readEnd(ms: number): Promise<StreamEnd | "open" | "more"> {
    const got = await this.read(ms);
    if (got === undefined) return "open";
    return typeof got === "string" ? got : "more";
  }

  async #read(): Promise<Uint8Array | StreamEnd> {
    try {
      const n = await this.#conn.read(this.#buffer);
      return n === null ? "end" : this.#buffer.slice(0, n);
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
      return "reset";
    }
  }

  /** Reads the head of a request or response. Returns a string that says why, if it cannot. */
  async readHead(ms: number): Promise<ReceivedHead | string> {
    const until = this.#clock.now() + ms;
    let all = new Uint8Array(0);
    while (all.length <= MOST_HEAD) {
      const got = await this.read(Math.max(0, until - this.#clock.now()));
      if (got === undefined) return "nothing comes back";
      if (got === "end") return "the connection is closed";
      if (got === "reset") return "the connection is reset";
      all = Uint8Array.from([...all, ...got]);
      const text = new TextDecoder("latin1").decode(all);
      const end = text.indexOf("\r\n\r\n");
      if (end >= 0) return { head: text.slice(0, end), rest: all.subarray(end + 4) };
    }
    return "the head has more than 16 KiB";
  }

  [Symbol.dispose](): void {
    this.#conn.close();
  }
}
