/**
 * Bytes that come in pieces, as one array.
 *
 * @module
 */

/**
 * Gathers pieces in one array that grows: a peer may send each byte by itself, for which an array of
 * its own takes hundreds.
 */
export class Gathered {
  #bytes = new Uint8Array(0);
  #length = 0;

  /** Adds a copy of `piece`. */
  add(piece: Uint8Array): void {
    const needed = this.#length + piece.length;
    if (needed > this.#bytes.length) {
      const size = this.#length === 0 ? needed : Math.max(needed, 2 * this.#length);
      const larger = new Uint8Array(size);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(piece, this.#length);
    this.#length = needed;
  }

  /** All bytes, in an array without room after them. Nothing may be added any more. */
  whole(): Uint8Array<ArrayBuffer> {
    return this.#length === this.#bytes.length ? this.#bytes : this.#bytes.slice(0, this.#length);
  }
}
