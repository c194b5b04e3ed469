/**
 * CRC-32C (RFC 4960 appendix B), which neither runtime has.
 *
 * @module
 */

let table: Uint32Array | undefined;

/** For each byte, the remainder of dividing it by the reversed polynomial. */
function makeTable(): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let rest = byte;
    for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? rest >>> 1 ^ 0x82f63b78 : rest >>> 1;
    return rest;
  });
}

/** The checksum, from 0 to 2^32 - 1. */
export function crc32c(bytes: Uint8Array): number {
  table ??= makeTable();
  let crc = 0xffffffff;
  for (const byte of bytes) crc = table[(crc ^ byte) & 0xff] ^ crc >>> 8;
  return (crc ^ 0xffffffff) >>> 0;
}
