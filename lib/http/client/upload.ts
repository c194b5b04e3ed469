/**
 * The content of a request that comes bit by bit.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { counted } from "../../base/counted.ts";
import type { Conn } from "../../net/transport.ts";
import { StreamContent } from "../message/stream_content.ts";

/** A chunk up to this size leaves in one write with its frame. */
const MOST_TOGETHER = 64 * 1024;

/** Sends a stream; see the module. */
export class Upload {
  readonly #content: StreamContent;
  readonly #length: number | undefined;
  /** Whether it is the stream that is waited for. */
  waiting = false;
  /** The error of the stream. */
  failure: unknown;
  #dropped = false;

  /** Without a `length` it is sent chunked. */
  constructor(body: AsyncIterable<Uint8Array>, length: number | undefined) {
    this.#content = new StreamContent(body);
    this.#length = length;
  }

  /**
   * Sends it after `head`, which does not wait for the first chunk. An error that the stream
   * throws ends the connection, and is the one with which reading rejects.
   */
  async send(conn: Conn, head: Uint8Array): Promise<void> {
    let before = head;
    if (!await this.#content.isReady()) {
      await this.#write(conn, head);
      before = NOTHING;
    }
    let left = this.#length;
    for (;;) {
      const bytes = await this.#next(conn, left);
      if (bytes === undefined) break;
      if (bytes.length === 0) continue;
      if (left === undefined) {
        const frame = Buffer.from(`${bytes.length.toString(16)}\r\n`);
        await this.#write(conn, before, frame, bytes, CRLF);
      } else {
        left -= bytes.length;
        await this.#write(conn, before, bytes);
      }
      before = NOTHING;
    }
    await this.#write(conn, before, left === undefined ? LAST : NOTHING);
  }

  /** Cancels the rest: the stream is ended. */
  drop(reason: unknown): void {
    this.#dropped = true;
    this.#content.drop(reason);
  }

  /** The next bytes, of which `left` may come if there is a length; undefined at the end. */
  async #next(conn: Conn, left: number | undefined): Promise<Uint8Array | undefined> {
    this.waiting = true;
    try {
      const { done, value } = await this.#content.next();
      if (done && left) throw mismatch(`${counted(left, "byte")} shorter`, this.#length!);
      if (!done && left !== undefined && value.length > left) {
        throw mismatch("longer", this.#length!);
      }
      return done ? undefined : value;
    } catch (error) {
      if (!this.#dropped) this.failure = error;
      this.drop(error);
      conn.reset(error as Error);
      throw error;
    } finally {
      this.waiting = false;
    }
  }

  async #write(conn: Conn, ...parts: readonly Uint8Array[]): Promise<void> {
    const size = parts.reduce((sum, part) => sum + part.length, 0);
    try {
      if (size <= MOST_TOGETHER) return await conn.write(Buffer.concat(parts));
      for (const part of parts) await conn.write(part);
    } catch (error) {
      this.drop(error);
      throw error;
    }
  }
}

const NOTHING = new Uint8Array(0);
const CRLF = Buffer.from("\r\n");
const LAST = Buffer.from("0\r\n\r\n");

function mismatch(how: string, length: number): TypeError {
  return new TypeError(`The content of a request is ${how} than its length of ${length}`);
}
