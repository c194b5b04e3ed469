/**
 * Sends frames. Those that come while others are on their way leave together, in one write.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { type Deferred, deferred } from "../../base/wait.ts";
import { DONE } from "../../net/conn_base.ts";
import type { Conn } from "../../net/transport.ts";
import { putShortAscii } from "./ascii.ts";
import { type FrameFlags, MAX_HEADER, putHeader, type WsRole } from "./frame.ts";
import { applyMask, newMask } from "./mask.ts";

/** The most bytes of small frames that leave together; larger ones leave by themselves. */
const MAX_TOGETHER = 64 * 1024;

/** The first size of a buffer, and the size of one that is kept. */
const SMALL = 1024;

const NOTHING = Buffer.alloc(0);

/** See the module. */
export class FrameSender {
  readonly #conn: Conn;
  readonly #masks: boolean;
  /** The frames to send once the write under way is done, and the promise of their sending. */
  #gathered: Buffer | undefined;
  #length = 0;
  #next: Deferred<void> | undefined;
  /** How many writes are under way. */
  #writes = 0;
  /**
   * The buffer of the next frame while no write is under way, and the part that the last one took.
   */
  #scratch: Buffer = NOTHING;
  #view: Buffer = NOTHING;

  constructor(conn: Conn, role: WsRole) {
    this.#conn = conn;
    this.#masks = role === "client";
  }

  /**
   * Sends a frame after those before it. Resolves when the kernel has taken it. The payload must stay
   * as it is until then.
   */
  send(opcode: number, flags: FrameFlags, payload: string | Uint8Array): Promise<void> {
    // A character takes up to three bytes.
    const most = (typeof payload === "string" ? payload.length * 3 : payload.length) + MAX_HEADER;
    if (most > MAX_TOGETHER) return this.#large(opcode, flags, payload);
    if (this.#writes > 0) {
      const buffer = this.#room(most);
      this.#length = this.#put(buffer, this.#length, opcode, flags, payload);
      return (this.#next ??= deferred()).promise;
    }
    if (this.#scratch.length < most) {
      this.#scratch = Buffer.allocUnsafeSlow(Math.max(most, SMALL));
      this.#view = NOTHING;
    }
    const end = this.#put(this.#scratch, 0, opcode, flags, payload);
    // Messages repeat lengths.
    if (this.#view.length !== end) this.#view = this.#scratch.subarray(0, end);
    return this.#write(this.#view);
  }

  /** Sends bytes that are frames already. */
  sendBytes(bytes: Uint8Array): Promise<void> {
    this.#flush();
    const written = this.#conn.write(bytes);
    // The kernel has taken it already, as it mostly does when a message goes to many.
    return written === DONE ? written : this.#wait(written);
  }

  #large(opcode: number, flags: FrameFlags, payload: string | Uint8Array): Promise<void> {
    this.#flush();
    const bytes = typeof payload === "string" ? Buffer.from(payload) : payload;
    if (this.#masks) {
      const buffer = Buffer.allocUnsafeSlow(bytes.length + MAX_HEADER);
      return this.#write(buffer.subarray(0, this.#put(buffer, 0, opcode, flags, bytes)));
    }
    const head = Buffer.alloc(MAX_HEADER);
    const end = putHeader(head, 0, opcode, flags, bytes.length, false);
    void this.#write(head.subarray(0, end)).catch(() => {});
    return this.#write(bytes);
  }

  /** Writes a frame into a buffer with room for it, from `at` on. Returns the index of its end. */
  #put(
    buffer: Buffer,
    at: number,
    opcode: number,
    flags: FrameFlags,
    payload: string | Uint8Array,
  ): number {
    const masks = this.#masks;
    // The length of text is known once it is encoded. The guess is right for ASCII.
    const guess = payload.length < 126 ? 2 : payload.length < 0x10000 ? 4 : 10;
    let start = at + guess + (masks ? 4 : 0);
    let length = payload.length;
    if (typeof payload === "string") {
      if (!putShortAscii(payload, buffer, start)) length = buffer.write(payload, start);
    } else buffer.set(payload, start);
    const size = length < 126 ? 2 : length < 0x10000 ? 4 : 10;
    if (size !== guess) {
      buffer.copyWithin(start + size - guess, start, start + length);
      start += size - guess;
    }
    const end = putHeader(buffer, at, opcode, flags, length, masks);
    if (masks) applyMask(buffer, start, start + length, newMask(buffer, end), 0);
    return start + length;
  }

  /** Returns a buffer with room for `most` bytes after the gathered frames. */
  #room(most: number): Buffer {
    if (this.#gathered !== undefined && this.#length + most > MAX_TOGETHER) this.#flush();
    const gathered = this.#gathered;
    if (gathered !== undefined && gathered.length >= this.#length + most) return gathered;
    const larger = Buffer.allocUnsafeSlow(Math.max(SMALL, 2 * (this.#length + most)));
    gathered?.copy(larger, 0, 0, this.#length);
    return this.#gathered = larger;
  }

  /** Writes what is gathered, after the writes under way. */
  #flush(): void {
    if (this.#gathered === undefined) return;
    const bytes = this.#gathered.subarray(0, this.#length);
    const next = this.#next!;
    this.#gathered = this.#next = undefined;
    this.#length = 0;
    this.#write(bytes).then(next.resolve, next.reject);
  }

  #write(bytes: Uint8Array): Promise<void> {
    return this.#wait(this.#conn.write(bytes));
  }

  /** Gathers frames until a write is done. */
  #wait(written: Promise<void>): Promise<void> {
    this.#writes++;
    return written.then(this.#written, this.#failed);
  }

  readonly #written = (): void => {
    // As long as anything is on its way, the buffer may be.
    if (--this.#writes > 0) return;
    // No large buffer is kept.
    if (this.#scratch.length > SMALL) this.#scratch = this.#view = NOTHING;
    this.#flush();
  };

  readonly #failed = (error: unknown): never => {
    this.#writes--;
    this.#next?.promise.catch(() => {});
    this.#next?.reject(error);
    this.#gathered = this.#next = undefined;
    this.#length = 0;
    throw error;
  };
}
