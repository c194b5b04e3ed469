/**
 * Heads that come again: a client that asks for the same thing over and over sends the same bytes,
 * and comparing these is several times faster than parsing them.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import type { Framing } from "../message/request_framing.ts";
import type { RequestHead } from "../message/request_head.ts";
import type { Input } from "./input.ts";

/** A head, and what it says of the message. */
export interface ParsedHead {
  readonly head: RequestHead;
  readonly framing: Framing;
}

/** The number of bytes from which a call of the runtime is faster than a loop. */
const SHORT = 64;

/** Longer heads are not remembered. */
const MOST_BYTES = 1024;

/** Remembers the last head of one connection, from the second one of its length on. */
export class HeadMemory {
  #length = 0;
  #bytes: Uint8Array | undefined;
  #parsed: ParsedHead | undefined;

  /** Takes the head off the input if it is the one remembered. */
  recall(input: Input): ParsedHead | undefined {
    const bytes = this.#bytes;
    if (bytes === undefined) return undefined;
    const { chunk, from, to } = input;
    const { length } = bytes;
    if (to - from < length) return undefined;
    if (!begins(chunk, from, bytes)) return undefined;
    input.from = from + length;
    return this.#parsed;
  }

  /** Remembers what the bytes of the input from `start` on, up to its `from`, were parsed to. */
  remember({ chunk, from }: Input, start: number, parsed: ParsedHead): void {
    const length = from - start;
    this.#bytes = undefined;
    if (length === this.#length && length <= MOST_BYTES) {
      this.#bytes = new Uint8Array(chunk.subarray(start, from));
      this.#parsed = parsed;
    }
    this.#length = length;
  }
}

/** Whether what stands in `chunk` from `from` on begins with `bytes`; it has as many at least. */
function begins(chunk: Buffer, from: number, bytes: Uint8Array): boolean {
  const { length } = bytes;
  if (length > SHORT) return chunk.compare(bytes, 0, length, from, from + length) === 0;
  for (let i = 0; i < length; i++) if (chunk[from + i] !== bytes[i]) return false;
  return true;
}
