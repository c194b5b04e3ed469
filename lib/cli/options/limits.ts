/**
 * Flags of a server about its limits.
 *
 * @module
 */

import { type Flag, integer, seconds, type Values } from "../io/flags.ts";

/** The flags of a server's limits. */
export const LIMIT_FLAGS: {
  readonly "max-connections": Flag<number>;
  readonly "idle-timeout": Flag<number>;
  readonly grace: Flag<number>;
} = {
  "max-connections": integer("N", [1, 1e6], 1024, "connections at once (default 1024)"),
  "idle-timeout": seconds(300, "close a silent connection; 0 = never (default 300)"),
  grace: seconds(10, "time to finish after Ctrl-C or SIGTERM (default 10)"),
};

/** The limits of a server. */
export interface LimitOptions {
  /** The most connections at once. */
  readonly maxConnections: number;
  /** The silence after which a connection is closed, in milliseconds; 0 for no limit. */
  readonly idleTimeout: number;
  /**
   * The drain timeout: the time that connections get to finish when the server stops, in
   * milliseconds.
   */
  readonly drainTimeout: number;
}

/** Makes the limits that the flags say. */
export function parseLimits(values: Values<typeof LIMIT_FLAGS>): LimitOptions {
  return {
    maxConnections: values["max-connections"],
    idleTimeout: values["idle-timeout"],
    drainTimeout: values.grace,
  };
}
