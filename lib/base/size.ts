/**
 * Sizes as people write and read them: the one style that they are shown in, and the units that they
 * are taken in.
 *
 * @module
 */

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/** Writes a number of bytes with a unit of 1024 (IEC 80000-13): `512 B`, `1.5 KiB`, `10.0 GiB`. */
export function formatSize(bytes: number): string {
  const whole = Math.round(bytes);
  if (whole < 1024) return `${whole} B`;
  let unit = 0;
  // A size that would be rounded to 1024.0 is 1 of the next unit.
  do {
    bytes /= 1024;
    unit++;
  } while (bytes >= 1023.95 && unit < UNITS.length - 1);
  return `${bytes.toFixed(1)} ${UNITS[unit]}`;
}

/** A number and a unit: a prefix with `iB`, `i`, `B` or nothing after it, in any case; or bytes. */
const SIZE = /^(\d+(?:\.\d+)?) ?(?:([kmgtp])(i?b?)|b|bytes?)?$/i;

/**
 * Reads a number of bytes: `65536`, `64K` and `64KiB` are the same, and `10MB` is 10,000,000. Returns
 * undefined if it is not a size.
 */
export function parseSize(text: string): number | undefined {
  const [, digits, prefix, rest = ""] = SIZE.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const power = prefix === undefined ? 0 : "kmgtp".indexOf(prefix.toLowerCase()) + 1;
  const size = Number(digits) * (rest.toLowerCase() === "b" ? 1000 : 1024) ** power;
  return power > 0 ? Math.round(size) : size;
}
