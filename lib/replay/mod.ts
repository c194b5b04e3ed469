/**
 * Replays: one side of a recording is played, and the other side is compared with it.
 *
 * @module
 */

export { ReplayMismatch } from "./match.ts";
export { replayed } from "./replayed.ts";
export type { ReplayedTransport, ReplayOptions } from "./replayed.ts";
export { ReplayError } from "./script.ts";
