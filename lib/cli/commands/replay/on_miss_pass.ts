/**
 * `--on-miss pass`: clients that say something that was not recorded go on with the real server.
 *
 * @module
 */

import { formatAddr } from "../../../base/addr.ts";
import type { Clock } from "../../../base/clock.ts";
import { dial } from "../../../dial.ts";
import type { Conn, Transport } from "../../../net/transport.ts";
import { relay } from "../../../protocols/relay.ts";
import type { ReplayMiss } from "../../../replay/replays.ts";
import type { Handler } from "../../../serve/serve.ts";
import type { Log } from "../../io/log.ts";
import { formatDestination } from "../../options/destination.ts";
import type { TargetOptions } from "../relay/target.ts";
import { catchUp } from "./catch_up.ts";
import type { Replay } from "./options.ts";

/** The context of the handler. */
export interface PassOnContext {
  readonly log: Log;
  /** Reaches the real server. */
  readonly transport: Transport;
  readonly target: TargetOptions;
  /** Called for each connection that goes on with the real server. */
  readonly onMiss: (conn: Conn) => void;
}

/** Makes the handler that plays what was recorded, and passes on what was not. */
export function passOnHandler(
  { replays }: Replay,
  { clock, ...context }: PassOnContext & { readonly clock: Clock },
): Handler {
  return async (conn, connection) => {
    const outcome = await replays.playFitting(conn);
    if (outcome === "played") return;
    const miss = outcome === "none left" ? undefined : outcome;
    context.onMiss(conn);
    logMiss(conn, miss, context);
    await goOn(miss, context, clock)(conn, connection);
  };
}

function logMiss(
  conn: Conn,
  miss: ReplayMiss | undefined,
  { log, target: { target } }: PassOnContext,
): void {
  const why = miss === undefined
    ? "no recorded connection is left"
    : `it differs from the recording in event ${miss.error.event}`;
  log.note(`${formatAddr(conn.remoteAddr)} goes on with ${formatDestination(target)}: ${why}`);
}

/** Makes the handler that joins a client to the real server. */
function goOn(
  miss: ReplayMiss | undefined,
  { transport, target: { target, connectTimeout: timeout } }: PassOnContext,
  clock: Clock,
): Handler {
  return relay(async (signal) => {
    const conn = await dial(transport, { ...target, timeout, signal, clock });
    if (miss !== undefined) await catchUp(conn, miss, { timeout, signal, clock });
    return conn;
  }, { clock });
}
