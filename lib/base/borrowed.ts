/**
 * Ownership of bytes. Bytes that are iterated or read belong to the reader. Bytes that
 * are lent, valid for a while only, come from methods whose name says so: that saves a copy where they
 * are done with at once.
 *
 * @module
 */

/** Something to iterate that also lends its pieces. */
interface Lender {
  /** The same pieces, each of them valid until the next one is asked for, at least. */
  borrowed(): AsyncIterable<Uint8Array>;
}

/**
 * The pieces of `source` for whoever is done with one before asking for the next: lent if it lends.
 * Undefined has none.
 */
export function borrowedFrom(
  source: AsyncIterable<Uint8Array> | undefined,
): AsyncIterable<Uint8Array> {
  if (source === undefined) return NOTHING;
  return lends(source) ? source.borrowed() : source;
}

const NOTHING: AsyncIterable<Uint8Array> = {
  [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: undefined }) }),
};

function lends(source: AsyncIterable<Uint8Array>): source is AsyncIterable<Uint8Array> & Lender {
  return typeof (source as Partial<Lender>).borrowed === "function";
}

/**
 * A copy in memory of its own, so that it may be kept, and its buffer be transferred. Of a Buffer,
 * `slice()` would be no copy.
 */
export function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}
