/**
 * Ready-made protocols: echo, a relay to one target or several, and joining a connection to the rest of a program.
 *
 * @module
 */

export { Balancer } from "./balance.ts";
export type {
  BalancedTarget,
  BalancerOptions,
  TargetChange,
  TargetState,
  TargetStatus,
} from "./balance.ts";
export { echo, echoDatagram } from "./echo.ts";
export type { EchoOptions } from "./echo.ts";
export { join } from "./join.ts";
export type { Joinable, JoinOptions, JoinOutcome, OnEof } from "./join.ts";
export { relay } from "./relay.ts";
export type { DialTarget, Relayed, RelayOptions, TargetPool } from "./relay.ts";
