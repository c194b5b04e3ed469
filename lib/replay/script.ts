/**
 * The script of one side of a recorded connection: what it sends, and what must have come before.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Party, RecordedConnection } from "../recording/connections.ts";

/** Something that is sent. */
export interface Chunk {
  /** The number of its event in the recording. */
  readonly event: number;
  readonly bytes: Uint8Array;
  /** The number of bytes of the other side that had come before. */
  readonly after: number;
  /** Milliseconds since the event before it. */
  readonly pause: number;
}

/** Bytes that came from the other side at once. */
export interface Expected {
  /** The number of its event in the recording. */
  readonly event: number;
  /** The position in all that comes. */
  readonly at: number;
}

/** The end of a side. */
export interface ScriptEnd {
  readonly event: number;
  readonly kind: "fin" | "close" | "reset";
  /** The number of bytes of the other side that had come before. */
  readonly after: number;
  readonly pause: number;
  /** Whether the other side had ended before. */
  readonly afterEnd: boolean;
}

/** One side of one connection. */
export interface Script {
  /** The number of the connection in the recording. */
  readonly connection: number;
  readonly chunks: readonly Chunk[];
  readonly end: ScriptEnd | undefined;
  /** All that comes from the other side. */
  readonly expected: Uint8Array;
  readonly expectedEvents: readonly Expected[];
}

/** A connection that cannot be replayed; the message says why, and what to do. */
export class ReplayError extends Error {
  /** Always `"ReplayError"`. */
  override readonly name: string = "ReplayError";
}

/**
 * Returns the script of `side` in a connection. Throws a {@linkcode ReplayError} if not all of it
 * was recorded.
 */
export function scriptOf(connection: RecordedConnection, side: Party): Script {
  const { number, steps, opened, began } = connection;
  const chunks: Chunk[] = [];
  const [expected, expectedEvents] = [[] as Uint8Array[], [] as Expected[]];
  let end: ScriptEnd | undefined;
  let [came, last, otherEnded] = [0, opened ?? began, false];
  for (const { event, time, kind, from, data, size } of steps) {
    const pause = Math.max(0, time - last);
    if (kind === "data") {
      last = time;
      if (data === undefined || data.length !== size) throw incomplete(number, event);
      if (from === side) chunks.push({ event, bytes: data, after: came, pause });
      else {
        expected.push(data);
        expectedEvents.push({ event, at: came });
        came += size;
      }
    } else if (kind === "fin" || kind === "close" || kind === "reset") {
      if (from === side) end ??= { event, kind, after: came, pause, afterEnd: otherEnded };
      else otherEnded = true;
    }
  }
  return { connection: number, chunks, end, expected: Buffer.concat(expected), expectedEvents };
}

function incomplete(connection: number, event: number): ReplayError {
  return new ReplayError(
    `Cannot replay connection ${connection}: the data of event ${event} was left out. Record it again ` +
      "without a limit, and with payloads.",
  );
}

/**
 * The connections that have another side to play: those that were accepted, and those that were made
 * and do not carry on an accepted one (a relay records both).
 */
export function playable(connections: readonly RecordedConnection[]): RecordedConnection[] {
  return connections.filter(({ datagrams, opened, recorded, peer }) =>
    !datagrams && opened !== undefined && (recorded === "server" || peer === undefined)
  );
}
