/**
 * Inflating the messages of a WebSocket whose peers keep a context: a message may refer to those before
 * it (RFC 7692 section 7.2.3.2).
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { Deflate } from "../../http/ws/deflate.ts";

/** The most bytes that are referred to. */
const WINDOW = 32 * 1024;

/** Inflates the messages of one direction, in order. */
export class DeflateContext extends Deflate {
  /** The end of what was inflated so far. */
  #window: Buffer = Buffer.alloc(0);

  constructor() {
    super({ windowBits: 15 });
  }

  /** Inflates a message of at most `maxSize` bytes. Throws a `WsError`. */
  override inflate(compressed: Uint8Array, maxSize: number): Buffer {
    const { length } = this.#window;
    // The window goes in front as a block without compression, since Deno 2.9 takes no dictionary.
    const known = Buffer.from([0, 0, 0, 0, 0]);
    known.writeUInt16LE(length, 1);
    known.writeUInt16LE(0xffff - length, 3);
    const all = super.inflate(Buffer.concat([known, this.#window, compressed]), length + maxSize);
    this.#window = Buffer.from(all.subarray(-WINDOW));
    return all.subarray(length);
  }
}
