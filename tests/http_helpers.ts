// What tests of HTTP parsers have in common.

import { Buffer } from "node:buffer";

/** A message whole, byte by byte, and cut in two or three at places spread over it. */
export function splits(message: Buffer): Buffer[][] {
  const cut = (...places: number[]) =>
    [0, ...places].map((place, i) => message.subarray(place, places[i]));
  const ways = [[message], Array.from(message, (byte) => Buffer.from([byte]))];
  const step = Math.max(1, Math.floor(message.length / 40));
  for (let place = 0; place <= message.length; place += step) {
    ways.push(cut(place));
    ways.push(cut(Math.floor(place / 2), place));
  }
  return ways;
}
