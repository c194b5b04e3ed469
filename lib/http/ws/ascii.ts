/**
 * Short texts of ASCII, which most messages are, without the calls of the runtime that cost more than a
 * look at each byte.
 *
 * @module
 */

import type { Buffer } from "node:buffer";

/** The most characters that are looked at one by one. */
const SHORT = 128;

/** The text of these bytes; undefined if they are many, or not ASCII. */
export function shortAscii(bytes: Buffer, from: number, to: number): string | undefined {
  if (to - from > SHORT) return undefined;
  let bits = 0;
  for (let i = from; i < to; i++) bits |= bytes[i];
  return bits > 0x7f ? undefined : bytes.toString("latin1", from, to);
}

/** Puts a text into bytes, from `at` on; false, and nothing of use done, if it is long, or not ASCII. */
export function putShortAscii(text: string, bytes: Uint8Array, at: number): boolean {
  const { length } = text;
  if (length > SHORT) return false;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return false;
    bytes[at + i] = code;
  }
  return true;
}
