/**
 * The limits of a drawing.
 *
 * @module
 */

import { connectionsOf, type RecordedConnection } from "./connections.ts";
import type { Recording } from "./format.ts";

/** The most steps of a drawing: browsers take seconds for that many, and memory without end for more. */
export const MAX_DRAWN = 10_000;

/** The connections of a recording. Throws a RangeError if a drawing of them is too large. */
export function drawnConnections(recording: Recording): RecordedConnection[] {
  const connections = connectionsOf(recording);
  const steps = connections.reduce((sum, { steps }) => sum + 1 + steps.length, 0);
  if (steps <= MAX_DRAWN) return connections;
  throw new RangeError(`a drawing has at most ${MAX_DRAWN} steps, and these are ${steps}`);
}
