/**
 * The sockets that the commands use.
 *
 * @module
 */

import type { EventSink, SocketEvent } from "../../observe/events.ts";
import { observeBorrowed } from "../../observe/observe.ts";
import { systemTransport } from "../../net/system.deno.ts";
import type { Transport } from "../../net/transport.ts";
import type { DiagramWords } from "../../recording/live_diagram.ts";
import { type Attempt, noting } from "./last_attempt.ts";
import type { Io } from "../io/io.ts";
import type { Log, Transcript } from "../io/log.ts";
import type { Instruments } from "./instrument.ts";

/** The part of a run that its sockets use. */
export interface SocketsRun {
  readonly log: Log;
  readonly io: Pick<Io, "clock">;
  readonly instruments: Instruments;
  /** The sockets. Default: those of the system. */
  readonly sockets?: Transport;
}

/** The way that the log shows events of the sockets. */
export interface ShownOptions {
  /** Takes out of an event what is not for the log. Default: nothing. */
  readonly shown?: (event: SocketEvent) => SocketEvent;
  /** The words of the diagram. Default: those of bytes. */
  readonly words?: DiagramWords;
}

/**
 * The sockets of the system, with a transcript, a recording and a live page of all that happens on them
 * if they are asked for.
 */
export function openObserved(
  { log, instruments, sockets = systemTransport }: Omit<SocketsRun, "io">,
  transcript: Transcript,
  { shown = (event) => event, words }: ShownOptions = {},
): Transport {
  const sinks: EventSink[] = [];
  if (log.verbose) {
    const sink = log.sink(transcript, words);
    sinks.push((event) => {
      // Secrets are for the recording only.
      if (event.type !== "keylog" && event.type !== "wire") sink(shown(event));
    });
  }
  sinks.push(...instruments.sinks);
  if (sinks.length === 0) return sockets;
  const [first] = sinks;
  const wrap = instruments.observeWire ?? observeBorrowed;
  return wrap(
    sockets,
    sinks.length === 1 ? first : (event) => {
      for (const sink of sinks) sink(event);
    },
  );
}

/** The same, with the faults that are asked for. */
export function openTransport(
  run: SocketsRun,
  transcript: Transcript,
  options?: ShownOptions,
): Transport {
  const observed = openObserved(run, transcript, options);
  return run.instruments.withFaults(observed, run.io.clock);
}

/** The same for a client, which notes what it tries. */
export function openClientTransport(
  run: SocketsRun & { readonly attempt: Attempt },
  transcript: Transcript,
  options?: ShownOptions,
): Transport {
  return noting(openTransport(run, transcript, options), run.attempt);
}
