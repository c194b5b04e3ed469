/**
 * A call that does I/O.
 *
 * @module
 */

/** A function of an object, and how people write it. */
export interface RealCall {
  readonly object: object;
  readonly method: string;
  readonly name: string;
}
