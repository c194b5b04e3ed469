/**
 * Makes the events of a recording from those of sockets: redacted, and within the limits.
 *
 * @module
 */

import {
  checkOptions,
  CLOCK,
  integer,
  type Kinds,
  LIMIT,
  oneOf,
  TEXTS,
} from "../base/arguments.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import type { SocketError } from "../base/errors.ts";
import type { Certificate } from "../net/tls/options.ts";
import type { SocketEvent } from "../observe/events.ts";
import {
  MAX_LINE_DATA,
  type RecordedCertificate,
  type RecordedError,
  type RecordedEvent,
  type RecordingHead,
  type Redaction,
} from "./format.ts";
import { recordingHead } from "./head.ts";
import { redacting } from "./redact.ts";

/** Options of {@linkcode Recorder}, {@linkcode record} and {@linkcode recordingSink}. */
export interface RecordOptions {
  /**
   * The redaction: `"fields"` covers the values of Authorization, Proxy-Authorization, Cookie and
   * Set-Cookie wherever a line begins with these names; `"payloads"` leaves out all data and keeps
   * its sizes; `"none"` keeps everything. Default: `"fields"`.
   */
  readonly redaction?: Redaction;
  /** The most bytes of data to keep of one event; 0 is no limit. Default: 0. */
  readonly eventLimit?: number;
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

/** The kinds of {@linkcode RecordOptions}. */
export const RECORD_OPTIONS: Kinds<RecordOptions> = {
  redaction: oneOf("fields", "payloads", "none"),
  eventLimit: LIMIT,
  connectionLimit: LIMIT,
  totalLimit: LIMIT,
  arguments: TEXTS,
  seed: integer(0, 2 ** 32 - 1),
  clock: CLOCK,
};

/** An example of them, for messages. */
export const RECORD_EXAMPLE = '{ redaction: "none" }';

type DataEvent = Extract<SocketEvent, { readonly data: Uint8Array }>;

/**
 * Makes the events of one recording, which starts now, as objects: for programs that make another
 * format of them while they happen, or keep a part of them. {@linkcode recordingLine} makes lines of
 * them.
 *
 * @example A file for Wireshark, written while it happens
 * ```ts
 * import { observe } from "@plainsocket/plainsocket";
 * import { PcapngEncoder, Recorder } from "@plainsocket/plainsocket/recording";
 * import { MemoryTransport } from "@plainsocket/plainsocket/testing";
 * import assert from "node:assert/strict";
 *
 * const recorder = new Recorder();
 * const pcapng = new PcapngEncoder(recorder.head);
 * const file = [pcapng.start()];
 * const transport = observe(new MemoryTransport(), (event) => {
 *   for (const recorded of recorder.eventsOf(event)) file.push(pcapng.add(recorded));
 * });
 * using listener = await transport.listen();
 * using conn = await transport.connect(listener.addr);
 * await conn.write(new TextEncoder().encode("hello"));
 * file.push(pcapng.end());
 * assert.ok(file.length > 4);
 * ```
 */
export class Recorder {
  /** The head of the recording. */
  readonly head: RecordingHead;
  readonly #zero: number;
  readonly #redacted: (event: SocketEvent) => SocketEvent;
  readonly #left: { total: number; readonly connection: number; readonly event: number };
  /** The number of bytes of a socket's data that are still kept. */
  readonly #ofSocket = new Map<number, number>();
  /** The sockets whose data is left out, which one event says. */
  readonly #cut = new Set<number>();

  /** Throws a TypeError or a RangeError for options that are not right. */
  constructor(options: RecordOptions = {}) {
    checkOptions("new Recorder", options, RECORD_OPTIONS, RECORD_EXAMPLE);
    const { eventLimit, clock = systemClock } = options;
    this.head = recordingHead(options);
    this.#zero = clock.now();
    this.#redacted = this.head.redaction === "fields" ? redacting() : (event) => event;
    const { connection, total } = this.head.limits;
    this.#left = {
      total: total || Infinity,
      connection: connection || Infinity,
      event: eventLimit || Infinity,
    };
  }

  /**
   * Makes the events of the recording that an event becomes: usually one, more if its data is cut or
   * long. Their data is that of the event, or a part of it: not a copy, unless something is covered.
   */
  eventsOf(event: SocketEvent): RecordedEvent[] {
    const time = Math.round((event.time - this.#zero) * 1000) / 1000;
    if ("data" in event) return this.#dataEvents(time, this.#redacted(event) as DataEvent);
    if (event.type === "close") this.#forget(event);
    if (event.type === "error") {
      const { type, socket, op } = event;
      return [{ time, type, socket, op, error: errorOf(event.error) }];
    }
    if (event.type === "handshake") {
      const { peerCertificate } = event;
      return [{
        ...event,
        time,
        peerCertificate: peerCertificate && certificateOf(peerCertificate),
      }];
    }
    return [{ ...event, time }];
  }

  #dataEvents(time: number, { data, ...event }: DataEvent): RecordedEvent[] {
    const { socket } = event;
    const { length } = data;
    const without = (size: number) => ({ ...event, time, data: undefined, size });
    if (this.head.redaction === "payloads") return [without(length)];
    const left = this.#ofSocket.get(socket) ?? this.#left.connection;
    const kept = Math.min(length, this.#left.event, left, this.#left.total);
    this.#ofSocket.set(socket, left - kept);
    this.#left.total -= kept;
    const events: RecordedEvent[] = [];
    for (let at = 0; at < kept || length === 0 && at === 0; at += MAX_LINE_DATA) {
      const piece = data.subarray(at, Math.min(at + MAX_LINE_DATA, kept));
      events.push({ ...event, time, data: piece, size: piece.length });
    }
    if (kept === length) return events;
    const limit = left === kept ? "connection" : this.#left.total === 0 ? "total" : undefined;
    if (limit !== undefined && !this.#cut.has(socket)) {
      this.#cut.add(socket);
      events.push({ time, type: "cut", socket, limit });
    }
    return [...events, without(length - kept)];
  }

  #forget(event: Extract<SocketEvent, { readonly type: "close" }>): void {
    this.#redacted(event);
    const { socket } = event;
    this.#ofSocket.delete(socket);
    this.#cut.delete(socket);
  }
}

/** Names them one by one: they may be computed when they are asked for, and `raw` is left out. */
function certificateOf(certificate: Certificate): RecordedCertificate {
  const { subject, subjectAltName, issuer, validFrom, validTo, fingerprint256 } = certificate;
  return { subject, subjectAltName, issuer, validFrom, validTo, fingerprint256 };
}

function errorOf({ code, op, message }: SocketError): RecordedError {
  return { code, op, message };
}
