/**
 * A function of the runtime that does I/O.
 *
 * @module
 */

/** A function, by the object that has it. */
export interface IoFunction {
  readonly object: object;
  readonly method: string;
  /** Its name in messages: `Deno.connect`. */
  readonly name: string;
}
