/**
 * The parts of a recording: a head, and an event a line. docs/recording.md describes the format.
 *
 * @module
 */

import type { Certificate } from "../net/tls/options.ts";
import type { SocketErrorCode, SocketOp } from "../base/error_codes.ts";
import type { SocketEvent } from "../observe/events.ts";

/** The name of the format, in the first line. */
export const RECORDING_FORMAT = "plainsocket-recording";

/** The version of the format. */
export const RECORDING_VERSION = 1;

/** The most bytes of data in one line; longer data is several events. */
export const MAX_LINE_DATA: number = 1024 * 1024;

/** The redaction of a recording. */
export type Redaction = "fields" | "payloads" | "none";

/** The first line of a recording. */
export interface RecordingHead {
  /** The name of the format. */
  readonly format: "plainsocket-recording";
  /** The version of the format. */
  readonly version: 1;
  /** The name and version of the program that recorded: `plainsocket 0.1.0`. */
  readonly program: string;
  /** The runtime and its version: `deno 2.9.6`. */
  readonly runtime: string;
  /** The arguments of the program; none in the library. */
  readonly arguments: readonly string[];
  /** The seed of the faults and of the simulation, if there was one. */
  readonly seed?: number;
  /** The moment at which `time` is 0, in UTC: `2026-11-26T22:00:00.000Z`. */
  readonly started: string;
  /** The redaction. */
  readonly redaction: Redaction;
  /** The most bytes of data that are kept, of one connection and in all; 0 is no limit. */
  readonly limits: { readonly connection: number; readonly total: number };
}

/** The certificate of a peer, in a recording. */
export type RecordedCertificate = Omit<Certificate, "raw">;

/** An error, in a recording. */
export interface RecordedError {
  /** The code of the error. */
  readonly code: SocketErrorCode;
  /** The operation. */
  readonly op: SocketOp;
  /** Both in words, with the address. */
  readonly message: string;
}

/** An event as it stands in a recording: errors and certificates as plain objects, data optional. */
export type Recorded<E = SocketEvent> = E extends
  { readonly type: "recv" | "send" | "wire"; readonly data: Uint8Array } ?
    & Omit<E, "data">
    & {
      /** The bytes; undefined if they were left out. */
      readonly data: Uint8Array | undefined;
      /** The number of bytes. */
      readonly size: number;
    }
  : E extends { readonly type: "error" } ? Omit<E, "error"> & { readonly error: RecordedError }
  : E extends { readonly type: "handshake" }
    ? Omit<E, "peerCertificate"> & { readonly peerCertificate: RecordedCertificate | undefined }
  : E;

/** A limit was reached: from here on the data of the socket is left out. */
export interface CutEvent {
  /** When it was, in milliseconds since the recording started. */
  readonly time: number;
  /** The type of the event. */
  readonly type: "cut";
  /** The number of the socket. */
  readonly socket: number;
  /** The limit that was reached. */
  readonly limit: "connection" | "total";
}

/**
 * An event of a recording: as {@linkcode SocketEvent}, with `time` in milliseconds since the recording
 * started, and data that may be missing.
 */
export type RecordedEvent = Recorded | CutEvent;

/** A recording as a whole. */
export interface Recording {
  /** Its first line. */
  readonly head: RecordingHead;
  /** The events, in order. */
  readonly events: readonly RecordedEvent[];
  /** A sentence about a last line that broke off. Undefined if the recording is whole. */
  readonly warning: string | undefined;
  /** The number of its first connection, if it is a part of another recording. Default: 1. */
  readonly firstConnection?: number;
}
