/**
 * Ready-made protocols: echo, a relay, and joining a connection to the rest of a program.
 *
 * @module
 */

export { echo, echoDatagram } from "./echo.ts";
export type { EchoOptions } from "./echo.ts";
export { join } from "./join.ts";
export type { Joinable, JoinOptions, JoinOutcome, OnEof } from "./join.ts";
export { relay } from "./relay.ts";
export type { DialTarget, Relayed, RelayOptions } from "./relay.ts";
