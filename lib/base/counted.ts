/**
 * A number with its noun, for messages.
 *
 * @module
 */

/** A number with its noun: `1 byte`, `2 bytes`. `shown` is how the number is written. */
export function counted(n: number, noun: string, shown: string = String(n)): string {
  return `${shown} ${noun}${n === 1 ? "" : "s"}`;
}
