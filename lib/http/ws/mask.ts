/**
 * Masking (RFC 6455 section 5.3).
 *
 * @module
 */

import { randomFillSync } from "node:crypto";

/** Below this size, single bytes are faster than words. */
const WORTH_WORDS = 48;

const keyBytes = new Uint8Array(4);
const keyWord = new Uint32Array(keyBytes.buffer);

/**
 * Masks the bytes from `from` to `to` in place, or unmasks them. `phase` is how many bytes of the
 * payload came before.
 */
export function applyMask(
  bytes: Uint8Array,
  from: number,
  to: number,
  mask: Uint8Array,
  phase: number,
): void {
  let at = from;
  const shift = phase - from;
  if (to - from >= WORTH_WORDS) {
    while ((bytes.byteOffset + at & 3) !== 0) bytes[at] ^= mask[at++ + shift & 3];
    for (let i = 0; i < 4; i++) keyBytes[i] = mask[at + i + shift & 3];
    const key = keyWord[0];
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset + at, to - at >>> 2);
    for (let i = 0; i < words.length; i++) words[i] ^= key;
    at += words.length * 4;
  }
  for (; at < to; at++) bytes[at] ^= mask[at + shift & 3];
}

/** Random bytes are taken in stock, since asking for four costs as much as for many. */
const STOCK = new Uint8Array(8192);
let left = 0;

/** Puts a new key, from the system's secure source, at a place of a buffer. */
export function newMask(out: Uint8Array, at: number): Uint8Array {
  if (left === 0) {
    randomFillSync(STOCK);
    left = STOCK.length;
  }
  left -= 4;
  for (let i = 0; i < 4; i++) out[at + i] = STOCK[left + i];
  return out.subarray(at, at + 4);
}
