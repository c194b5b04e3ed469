/**
 * Recording what happens on a transport.
 *
 * @module
 */

import {
  checkArgument,
  checkOptions,
  CLOCK,
  FUNCTION,
  integer,
  type Kind,
  type Kinds,
  LIMIT,
  oneOf,
  TEXTS,
  TRANSPORT,
} from "../base/arguments.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import type { Transport } from "../net/transport.ts";
import type { EventSink } from "../observe/events.ts";
import { observeBorrowed } from "../observe/observe.ts";
import { RecordingEncoder } from "./encode.ts";
import { recordingHead } from "./head.ts";
import type { Redaction } from "./format.ts";

/** Takes the text of a recording, one or more whole lines at a time. It must not throw. */
export type RecordingSink = (lines: string) => void;

/** Options of {@linkcode record} and {@linkcode recordingSink}. */
export interface RecordOptions {
  /**
   * The redaction: `"fields"` covers the values of Authorization, Proxy-Authorization, Cookie and
   * Set-Cookie wherever a line begins with these names; `"payloads"` leaves out all data and keeps
   * its sizes; `"none"` keeps everything. Default: `"fields"`.
   */
  readonly redaction?: Redaction;
  /** The most bytes of data to keep of one connection; 0 is no limit. Default: 0. */
  readonly connectionLimit?: number;
  /** The most bytes of data to keep in all; 0 is no limit. Default: 0. */
  readonly totalLimit?: number;
  /** The arguments of the program, for the head. Default: none. */
  readonly arguments?: readonly string[];
  /** The seed of faults or of a simulation, for the head. Default: none. */
  readonly seed?: number;
  /** The clock of the events. Default: the system's. */
  readonly clock?: Clock;
}

const OPTIONS: Kinds<RecordOptions> = {
  redaction: oneOf("fields", "payloads", "none"),
  connectionLimit: LIMIT,
  totalLimit: LIMIT,
  arguments: TEXTS,
  seed: integer(0, 2 ** 32 - 1),
  clock: CLOCK,
};

const SINK: Kind = { ...FUNCTION, takes: "a function that takes lines" };

/**
 * Wraps a transport so that every step on it and on its connections is written to `sink`, as a
 * recording in JSON lines. The first line is written at once.
 *
 * @example
 * ```ts
 * import { MemoryTransport } from "@plainsocket/plainsocket/testing";
 * import { record } from "@plainsocket/plainsocket/recording";
 * import assert from "node:assert/strict";
 *
 * let recording = "";
 * const transport = record(new MemoryTransport(), (lines) => recording += lines);
 * using listener = await transport.listen();
 * using conn = await transport.connect(listener.addr);
 * await conn.write(new TextEncoder().encode("hello"));
 * assert.match(recording, /"type":"send","socket":2,"text":"hello"/);
 * ```
 */
export function record(
  transport: Transport,
  sink: RecordingSink,
  options: RecordOptions = {},
): Transport {
  checkArgument("record", transport, TRANSPORT);
  return observeBorrowed(transport, recordingSink(sink, options), options.clock);
}

/**
 * Makes a sink for {@linkcode observe} that writes a recording to `sink`: for programs that do more
 * with the events. The first line is written at once.
 */
export function recordingSink(sink: RecordingSink, options: RecordOptions = {}): EventSink {
  checkArgument("recordingSink", sink, SINK);
  checkOptions("recordingSink", options, OPTIONS, '{ redaction: "none" }');
  const { clock = systemClock } = options;
  const encoder = new RecordingEncoder(recordingHead(options), clock.now());
  sink(encoder.firstLine());
  return (event) => sink(encoder.lines(event));
}
