/**
 * Masking (RFC 6455 section 5.3).
 *
 * @module
 */

import { randomFillSync } from "node:crypto";

/** Below this size, single bytes are faster than a view of words. */
const WORTH_WORDS = 96;

const keyBytes = new Uint8Array(4);
const keyWord = new Int32Array(keyBytes.buffer);

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
  const shift = phase - from;
  let at = to - from < WORTH_WORDS ? from : maskWords(bytes, from, to, mask, shift);
  const a = mask[at + shift & 3];
  const b = mask[at + 1 + shift & 3];
  const c = mask[at + 2 + shift & 3];
  const d = mask[at + 3 + shift & 3];
  for (; at + 4 <= to; at += 4) {
    bytes[at] ^= a;
    bytes[at + 1] ^= b;
    bytes[at + 2] ^= c;
    bytes[at + 3] ^= d;
  }
  for (; at < to; at++) bytes[at] ^= mask[at + shift & 3];
}

/** Masks all whole groups of eight words. Returns where the rest begins. */
function maskWords(
  bytes: Uint8Array,
  from: number,
  to: number,
  mask: Uint8Array,
  shift: number,
): number {
  let at = from;
  while ((bytes.byteOffset + at & 3) !== 0) bytes[at] ^= mask[at++ + shift & 3];
  for (let i = 0; i < 4; i++) keyBytes[i] = mask[at + i + shift & 3];
  const key = keyWord[0];
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + at, to - at >>> 5 << 3);
  for (let i = 0; i < words.length; i += 8) {
    words[i] ^= key;
    words[i + 1] ^= key;
    words[i + 2] ^= key;
    words[i + 3] ^= key;
    words[i + 4] ^= key;
    words[i + 5] ^= key;
    words[i + 6] ^= key;
    words[i + 7] ^= key;
  }
  return at + words.length * 4;
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
