/**
 * Recording what happens on a transport.
 *
 * @module
 */

import { checkArgument, checkOptions, FUNCTION, type Kind, TRANSPORT } from "../base/arguments.ts";
import type { Transport } from "../net/transport.ts";
import type { EventSink } from "../observe/events.ts";
import { observeBorrowed } from "../observe/observe.ts";
import { recordingLine } from "./line.ts";
import { RECORD_EXAMPLE, RECORD_OPTIONS, Recorder, type RecordOptions } from "./recorder.ts";

/** Takes the text of a recording, one or more whole lines at a time. It must not throw. */
export type RecordingSink = (lines: string) => void;

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
  checkOptions("recordingSink", options, RECORD_OPTIONS, RECORD_EXAMPLE);
  const recorder = new Recorder(options);
  sink(recordingLine(recorder.head));
  return (event) => sink(recorder.eventsOf(event).map(recordingLine).join(""));
}
