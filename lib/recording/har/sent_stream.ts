/**
 * The bytes that one end of a connection has sent, as one piece, with the time of each.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { bytesFrom, type Party, type RecordedConnection } from "../connections.ts";

/** See the module. */
export interface SentStream {
  /** The bytes up to the first that was not recorded. */
  readonly bytes: Buffer;
  /** The number of bytes after them that were not recorded. */
  readonly missing: number;
  /** Whether it ended: there would be no more bytes. */
  readonly ended: boolean;
  /** The time at which a byte was sent. */
  timeAt(offset: number): number;
}

/** Returns the bytes that `party` has sent. */
export function streamOf(party: Party, connection: RecordedConnection): SentStream {
  const [pieces, starts, times] = [[] as Uint8Array[], [] as number[], [] as number[]];
  let length = 0;
  for (const { kind, from, data, size, time } of connection.steps) {
    if (kind !== "data" || from !== party) continue;
    if (data === undefined || data.length !== size) break;
    starts.push(length);
    times.push(time);
    pieces.push(data);
    length += size;
  }
  return {
    bytes: Buffer.concat(pieces),
    missing: bytesFrom(party, connection) - length,
    ended: connection.ended !== undefined ||
      connection.steps.some(({ kind, from }) => kind === "fin" && from === party),
    timeAt: (offset) => times[lastAtMost(starts, offset)] ?? connection.began,
  };
}

/** The index of the last number that is not greater than `value`, in ascending numbers. */
function lastAtMost(numbers: readonly number[], value: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = low + high >> 1;
    if (numbers[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
