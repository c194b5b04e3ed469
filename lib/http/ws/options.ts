/**
 * The options of WebSockets.
 *
 * @module
 */

import { CLOCK, FLAG, integer, type Kind, type Kinds, TIMEOUT } from "../../base/arguments.ts";
import { type Clock, systemClock } from "../../base/clock.ts";

/** Options of every WebSocket. */
export interface WsOptions {
  /**
   * Bytes of a message that `read()` returns, from 1 or `Infinity`: more closes with 1009. So does what
   * the runtime cannot hold, as a text of more than 512 MiB. Default: 1 MiB.
   */
  readonly maxSize?: number;
  /** Frames of one message: more closes with 1008. Default: 4,096. */
  readonly maxFragments?: number;
  /**
   * The time that a peer may be silent before it gets a Ping, in milliseconds. If nothing comes for as
   * long again, the connection is lost. 0 sends no Ping. Default: 30,000.
   */
  readonly pingInterval?: number;
  /** The time that the peer gets to answer a Close frame, in milliseconds. Default: 5,000. */
  readonly closeTimeout?: number;
  /** Whether messages are compressed where the peer can do it (RFC 7692). Default: false. */
  readonly deflate?: boolean;
  /** The clock. Default: the system's. */
  readonly clock?: Clock;
}

const SIZE: Kind = {
  takes: "bytes from 1, or Infinity for no limit,",
  is: (value) => typeof value === "number",
  fits: (value) => value === Infinity || Number.isSafeInteger(value) && (value as number) >= 1,
};

/** The kinds of {@linkcode WsOptions}. */
export const WS_OPTIONS: Kinds<WsOptions> = {
  maxSize: SIZE,
  maxFragments: integer(1),
  pingInterval: TIMEOUT,
  closeTimeout: TIMEOUT,
  deflate: FLAG,
  clock: CLOCK,
};

/** {@linkcode WsOptions} with nothing left out. */
export type WsSettings = Required<WsOptions>;

/** Fills in the defaults. */
export function wsSettings(options: WsOptions): WsSettings {
  return {
    maxSize: options.maxSize ?? 1024 * 1024,
    maxFragments: options.maxFragments ?? 4096,
    pingInterval: options.pingInterval ?? 30_000,
    closeTimeout: options.closeTimeout ?? 5000,
    deflate: options.deflate ?? false,
    clock: options.clock ?? systemClock,
  };
}
