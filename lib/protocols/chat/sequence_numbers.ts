/**
 * Sequence numbers, with which servers on a bus notice late and missing messages. All that may
 * publish there can forge one: it must not silence the server in whose name it came.
 *
 * @module
 */

/**
 * How far behind the last number one may be and still count as late. The lines that a lost
 * connection delivers late were sent within seconds: they are fewer than this. A number further
 * behind shows that the last one was not true.
 */
const MAX_LATE = 100_000;

/** Whether a number comes again, or late: it is the last one of its server, or a little before it. */
export function isLate(number: number, last: number): boolean {
  return number <= last && last - number <= MAX_LATE;
}

/**
 * The number with which a server goes on when it hears one in its own name. Others may have believed that
 * one, so it goes on after it. One that is far ahead needs no answer: what the server says next is so far
 * behind it that it does not count as late.
 */
export function afterForged(own: number, heard: number): number {
  const isNear = heard > own && heard - own <= 2 * MAX_LATE;
  return isNear ? heard + 1 : own;
}
