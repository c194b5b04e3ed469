/**
 * Frames to a connection.
 *
 * @module
 */

import { BYTES, checkArgument, WRITABLE } from "../base/arguments.ts";
import { DONE } from "../net/conn_base.ts";
import type { Conn } from "../net/transport.ts";
import { WriteBuffer } from "./buffer.ts";
import { FRAMING, type Framing, putFrame } from "./framing.ts";

/**
 * Writes frames to a connection, which stays the caller's to close and to half-close. Frames gather
 * in a buffer of at most 64 KiB, and leave together when it is full or {@linkcode flush} is called:
 * **without a flush, the last ones never leave.** Nothing else may write to the connection meanwhile.
 *
 * @example
 * ```ts
 * import { FrameWriter, lengthPrefix } from "@plainsocket/plainsocket/frames";
 * import { MemoryTransport } from "@plainsocket/plainsocket/testing";
 * import assert from "node:assert/strict";
 *
 * const transport = new MemoryTransport();
 * using listener = await transport.listen({ port: 7 });
 * using client = await transport.connect({ host: "localhost", port: 7 });
 * using server = await listener.accept();
 *
 * const writer = new FrameWriter(client, lengthPrefix("u16"));
 * await writer.write(new Uint8Array([65]));
 * await writer.write(new Uint8Array([66, 67]));
 * await writer.flush();
 *
 * const received = new Uint8Array(64);
 * const n = await server.read(received);
 * assert.deepEqual(received.subarray(0, n!), new Uint8Array([0, 1, 65, 0, 2, 66, 67]));
 * ```
 */
export class FrameWriter {
  readonly #conn: Conn;
  readonly #framing: Framing;
  readonly #buffer = new WriteBuffer();
  /** The number of bytes in the buffer that wait to be sent; the first #sending are on their way. */
  #length = 0;
  #sending = 0;
  #flushing: Promise<void> | undefined;
  /** A write waits for room, and no frame may overtake it. */
  #writing = false;
  /** The number of writes that wait behind that one. */
  #waiting = 0;
  /** The last write that waits for room or behind another one. */
  #last: Promise<void> = DONE;

  /** Writes to `conn`; the frames end as `framing` says. */
  constructor(conn: Conn, framing: Framing) {
    checkArgument("new FrameWriter", conn, WRITABLE);
    checkArgument("new FrameWriter", framing, FRAMING);
    this.#conn = conn;
    this.#framing = framing;
  }

  /**
   * Takes a frame in, if there is room for it now. If not it takes nothing and returns false:
   * {@linkcode write} waits for room. `payload` is copied.
   *
   * Throws a {@linkcode FrameError} if the payload cannot be sent so; then nothing is sent of it.
   */
  tryWrite(payload: Uint8Array): boolean {
    checkArgument("writer.write", payload, BYTES);
    this.#framing.check(payload);
    return !this.#writing && this.#waiting === 0 && this.#put(payload);
  }

  /**
   * Takes a frame in. Resolves at once if there is room, and otherwise when those before it have
   * been sent, so a peer that does not read holds the promise back. `payload` belongs to the writer
   * until then. A payload larger than the buffer is sent from where it is. Writes queue.
   *
   * Rejects with a {@linkcode FrameError} if the payload cannot be sent so, and then nothing is sent
   * of it; with a {@linkcode SocketError} as {@linkcode Conn.write} does.
   */
  write(payload: Uint8Array): Promise<void> {
    try {
      if (this.tryWrite(payload)) return DONE;
    } catch (error) {
      return Promise.reject(error);
    }
    if (!this.#writing && this.#waiting === 0) return this.#last = this.#writeLater(payload);
    this.#waiting++;
    const next = () => {
      this.#waiting--;
      return this.#put(payload) ? DONE : this.#writeLater(payload);
    };
    return this.#last = this.#last.then(next, next);
  }

  /**
   * Sends all frames written so far, in one write if none is under way. Resolves when the kernel has
   * them. Rejects with a {@linkcode SocketError} as {@linkcode Conn.write} does.
   */
  flush(): Promise<void> {
    if (!this.#writing && this.#waiting === 0) return this.#flush();
    return this.#last.then(this.#flushAgain, this.#flushAgain);
  }

  /** Sends the frames taken in. */
  #flush(): Promise<void> {
    if (this.#flushing !== undefined) return this.#flushing.then(this.#flushAgain);
    if (this.#length === 0) return DONE;
    this.#sending = this.#length;
    const bytes = this.#buffer.first(this.#sending);
    return this.#flushing = this.#conn.write(bytes).then(this.#sent, this.#failed);
  }

  #put(payload: Uint8Array): boolean {
    const { bytes } = this.#buffer;
    if (this.#length + payload.length + this.#framing.overhead > bytes.length) return false;
    this.#length = putFrame(this.#framing, payload, bytes, this.#length);
    return true;
  }

  async #writeLater(payload: Uint8Array): Promise<void> {
    this.#writing = true;
    try {
      await this.#flush();
      this.#buffer.grow();
      if (!this.#put(payload)) await this.#writeLarge(payload);
    } finally {
      this.#writing = false;
    }
  }

  /** Writes a payload that the buffer, which is empty, is too small for. */
  async #writeLarge(payload: Uint8Array): Promise<void> {
    const { tail } = this.#framing;
    this.#length = this.#framing.putHead(payload.length, this.#buffer.bytes, 0);
    await this.#flush();
    await this.#conn.write(payload);
    this.#buffer.bytes.set(tail);
    this.#length = tail.length;
  }

  readonly #flushAgain = (): Promise<void> => this.#flush();

  readonly #sent = (): void => {
    const n = this.#sending;
    this.#length -= n;
    this.#sending = 0;
    this.#flushing = undefined;
    if (this.#length === 0) this.#buffer.empty(n);
    else this.#buffer.bytes.copyWithin(0, n, n + this.#length);
  };

  readonly #failed = (error: unknown): never => {
    this.#sending = 0;
    this.#flushing = undefined;
    throw error;
  };
}
