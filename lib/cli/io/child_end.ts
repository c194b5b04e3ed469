/**
 * The end of a program of others.
 *
 * @module
 */

/** See the module. */
export interface ChildEnd {
  /** Why it failed, as the end of a sentence about it. Undefined if it exited with 0. */
  readonly failure?: string;
  /** The text that it printed on stdout, if it went well. */
  readonly stdout: string;
}

/** The failure of a program that a signal has ended. */
export function endedBy(signal: string): string {
  return `was ended by ${signal}`;
}
