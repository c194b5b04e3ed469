/**
 * Replays: one side of a recording is played, and the other side is compared with it.
 *
 * @module
 */

export { ReplayMismatch } from "./match.ts";
export type { ReplayPiece, ReplayProgress } from "./player.ts";
export { Replays } from "./replays.ts";
export type { ReplayMiss, ReplaysOptions } from "./replays.ts";
export { replayed } from "./replay_transport.ts";
export type { ReplayedTransport, ReplayOptions } from "./replay_transport.ts";
export { ReplayError } from "./script.ts";
