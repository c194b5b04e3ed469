/**
 * UTF-8 that comes in pieces (RFC 3629): what is not valid is noticed with its first byte.
 *
 * @module
 */

import { isUtf8 } from "node:buffer";

/** Returns the number of bytes of a character with this first byte. 0 if no character has it. */
function lengthOf(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/** Whether these may be the first bytes of a character of several. */
function isBeginning([lead, second, ...more]: readonly number[]): boolean {
  if (lengthOf(lead) < 2) return false;
  if (second === undefined) return true;
  const least = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const most = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  return second >= least && second <= most && more.every((byte) => (byte & 0xc0) === 0x80);
}

/** Returns the number of bytes at the end that belong to a character that is not whole. */
function openAtEnd(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back];
    if ((byte & 0xc0) !== 0x80) return lengthOf(byte) > back ? back : 0;
  }
  return 0;
}

/** Checks a text in pieces; see the module. */
export class Utf8Check {
  /** The first bytes of a character that is not whole. */
  readonly #open: number[] = [];

  /** Whether all so far may be the beginning of a text. After `false` it is of no use. */
  push(bytes: Uint8Array): boolean {
    const open = this.#open;
    let at = 0;
    while (open.length > 0 && at < bytes.length) {
      open.push(bytes[at++]);
      if (!isBeginning(open)) return false;
      if (open.length === lengthOf(open[0])) open.length = 0;
    }
    const rest = bytes.subarray(at);
    const tail = openAtEnd(rest);
    if (!isUtf8(rest.subarray(0, rest.length - tail))) return false;
    open.push(...rest.subarray(rest.length - tail));
    return open.length === 0 || isBeginning(open);
  }

  /** Whether the text may end here. */
  get whole(): boolean {
    return this.#open.length === 0;
  }
}
