/**
 * The log of a server that has as many connections as it may have.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { counted } from "../../base/counted.ts";
import type { Log } from "../io/log.ts";

/** The time for which one line is enough, in milliseconds. */
const QUIET_MS = 60_000;

/** Makes the function that is called when new connections have to wait: it logs that, once a minute. */
export function connectionLimitNotice(maxConnections: number, log: Log, clock: Clock): () => void {
  let quietUntil = -Infinity;
  return () => {
    const now = clock.now();
    if (now < quietUntil) return;
    quietUntil = now + QUIET_MS;
    const reached = `The limit of ${counted(maxConnections, "connection")} is reached`;
    log.error(`${reached}: new clients wait. Raise it with --max-connections N.`);
  };
}
