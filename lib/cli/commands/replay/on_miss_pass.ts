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
import type { Matcher } from "../../../replay/match.ts";
import { type Miss, playUntilMiss } from "../../../replay/player.ts";
import type { Handler } from "../../../serve/serve.ts";
import type { Log } from "../../io/log.ts";
import { formatDestination } from "../../options/destination.ts";
import type { TargetOptions } from "../relay/target.ts";
import { catchUp } from "./catch_up.ts";
import type { Replay } from "./options.ts";
import { Shelf, type Taken } from "./unplayed_connections.ts";

/** The context of the handler. */
export interface PassOnContext {
  readonly log: Log;
  /** Reaches the real server. */
  readonly transport: Transport;
  readonly target: TargetOptions;
  /** Called for each connection that goes on with the real server. */
  readonly onMiss: (conn: Conn) => void;
}

/** A connection that went another way than all that were recorded; undefined if none was left. */
type Departure = (Miss & Pick<Matcher, "settled">) | undefined;

/** Makes the handler that plays what was recorded, and passes on what was not. */
export function passOnHandler(replay: Replay, context: PassOnContext): Handler {
  const shelf = new Shelf(replay.scripts, replay.options);
  return async (conn, conversation) => {
    const tried = new Set<number>();
    let departure: Departure;
    for (let taken = shelf.next(); taken !== undefined;) {
      const miss = await playTaken(conn, taken, shelf, replay, departure);
      if (miss === undefined) return;
      tried.add(taken.index);
      departure = miss;
      taken = shelf.fitting(miss, taken.script, tried);
    }
    context.onMiss(conn);
    tell(conn, departure, context);
    await goOn(departure, context, replay.options.clock)(conn, conversation);
  };
}

/** Plays a recorded connection, and puts it back if it was not played to its end. */
async function playTaken(
  conn: Conn,
  taken: Taken,
  shelf: Shelf,
  { options }: Replay,
  departure: Departure,
): Promise<Departure> {
  const { script, matcher } = taken;
  let played = false;
  try {
    const miss = await playUntilMiss(conn, script, matcher, options, departure);
    played = miss === undefined;
    return miss && { ...miss, settled: matcher.settled };
  } finally {
    if (!played) shelf.putBack(taken);
  }
}

function tell(
  conn: Conn,
  departure: Departure,
  { log, target: { target } }: PassOnContext,
): void {
  const why = departure === undefined
    ? "no recorded connection is left"
    : `it differs from the recording in event ${departure.error.event}`;
  log.note(`${formatAddr(conn.remoteAddr)} goes on with ${formatDestination(target)}: ${why}`);
}

/** Makes the handler that joins a client to the real server. */
function goOn(
  departure: Departure,
  { transport, target: { target, connectTimeout: timeout } }: PassOnContext,
  clock: Clock,
): Handler {
  return relay(async (signal) => {
    const conn = await dial(transport, { ...target, timeout, signal, clock });
    if (departure !== undefined) await catchUp(conn, departure, { timeout, signal, clock });
    return conn;
  }, { clock });
}
