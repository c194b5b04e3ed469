/**
 * The sockets that the commands use.
 *
 * @module
 */

import type { EventSink, SocketEvent } from "../../observe/events.ts";
import { observeBorrowed } from "../../observe/observe.ts";
import { systemTransport } from "../../net/system.deno.ts";
import type { Transport } from "../../net/transport.ts";
import type { Transcript } from "../io/log.ts";
import type { Session } from "../session.ts";

/**
 * The sockets of the system, with a transcript and a recording of all that happens on them if they are
 * asked for. `shown` takes out of an event what is not for the log. Default: nothing.
 */
export function openObserved(
  { log, instruments }: Pick<Session, "log" | "instruments">,
  transcript: Transcript,
  shown: (event: SocketEvent) => SocketEvent = (event) => event,
): Transport {
  const sinks: EventSink[] = [];
  if (log.verbose) {
    const sink = log.sink(transcript);
    sinks.push((event) => sink(shown(event)));
  }
  if (instruments.sink !== undefined) sinks.push(instruments.sink);
  if (sinks.length === 0) return systemTransport;
  const [first] = sinks;
  return observeBorrowed(
    systemTransport,
    sinks.length === 1 ? first : (event) => {
      for (const sink of sinks) sink(event);
    },
  );
}

/** The same, with the faults that are asked for. */
export function openTransport(
  session: Pick<Session, "log" | "io" | "instruments">,
  transcript: Transcript,
  shown?: (event: SocketEvent) => SocketEvent,
): Transport {
  return session.instruments.withFaults(openObserved(session, transcript, shown), session.io.clock);
}
