/**
 * The lines of a recording, checked.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { noRecording, RecordingError } from "./error.ts";
import {
  type RecordedEvent,
  RECORDING_FORMAT,
  RECORDING_VERSION,
  type RecordingHead,
} from "./format.ts";

type Check = (value: unknown) => boolean;

type Fields = Readonly<Record<string, Check>>;

/** The most levels of objects and lists in a line: what is deeper makes functions that follow it fail. */
const MAX_DEPTH = 8;

/** The most characters of a wrong value that a message has. */
const MAX_SHOWN = 40;

const text: Check = (value) => typeof value === "string";
const base64: Check = (value) => typeof value === "string" && /^[A-Za-z0-9+/]*={0,2}$/.test(value);
const flag: Check = (value) => typeof value === "boolean";
const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
/** Milliseconds since the recording started: less than 32 years. */
const time: Check = (value) => Math.abs(value as number) <= 1e12 && typeof value === "number";
/** A moment from 1970 to 9968, in text: what the formats that recordings are converted to can have. */
const moment: Check = (value) => {
  const ms = typeof value === "string" ? Date.parse(value) : NaN;
  return ms >= 0 && ms <= 252_400_000_000_000;
};
const texts: Check = (value) => Array.isArray(value) && value.every(text);
const port: Check = (value) => count(value) && (value as number) <= 65_535;
const oneOf = (...values: unknown[]): Check => (value) => values.includes(value);
const optional = (check: Check): Check => (value) => value === undefined || check(value);
const anyOf = (...checks: Check[]): Check => (value) => checks.some((check) => check(value));
const having = (fields: Fields): Check => (value) =>
  typeof value === "object" && value !== null && missing(value, fields) === undefined;

const ENDPOINT = having({ host: text, port });
const UNIX = having({ transport: oneOf("unix"), path: text });
const IP = having({
  transport: oneOf("tcp", "udp"),
  host: text,
  port,
  via: (value) => value === undefined || ADDR(value),
});
const ADDR: Check = anyOf(IP, UNIX);
/** The most bytes of one event whose data was left out: what is made of it takes room. */
const MAX_SIZE = 2 ** 32;
const size: Check = (value) => count(value) && (value as number) <= MAX_SIZE;
const DATA: Fields = { text: optional(text), b64: optional(base64), size: optional(size) };
const CERTIFICATE = having({
  subject: text,
  subjectAltName: optional(text),
  issuer: text,
  validFrom: text,
  validTo: text,
  fingerprint256: text,
});

/** A line of the NSS key log format: a label, the random of the client, and the secret. */
const secret: Check = (value) =>
  typeof value === "string" && /^[A-Z0-9_]{1,64} [0-9a-f]{1,256} [0-9a-f]{1,256}$/i.test(value);

/** The fields of each type of event besides its time. */
const EVENTS: Readonly<Record<RecordedEvent["type"], Fields>> = {
  resolve: {
    endpoint: ENDPOINT,
    addrs: (value) => Array.isArray(value) && value.every(IP),
  },
  bind: { socket: count, addr: ADDR },
  listen: { socket: count, addr: ADDR },
  connect: { socket: count, endpoint: anyOf(ENDPOINT, UNIX) },
  connected: { socket: count, localAddr: ADDR, remoteAddr: ADDR },
  accept: { socket: count, listener: count, localAddr: ADDR, remoteAddr: ADDR },
  handshake: {
    socket: count,
    protocol: optional(text),
    alpnProtocol: optional(text),
    peerCertificate: optional(CERTIFICATE),
  },
  wire: { socket: count, direction: oneOf("recv", "send"), ...DATA },
  keylog: { socket: count, line: secret },
  recv: { socket: count, ...DATA, from: optional(IP) },
  eof: { socket: count },
  send: { socket: count, ...DATA, to: optional(ENDPOINT) },
  shutdown: { socket: count },
  close: { socket: count, bytesRead: count, bytesWritten: count, reset: flag },
  link: { socket: count, peer: count },
  fault: {
    socket: optional(count),
    direction: optional(oneOf("up", "down")),
    fault: text,
    detail: text,
  },
  cut: { socket: count, limit: oneOf("connection", "total") },
  error: {
    socket: optional(count),
    op: text,
    error: having({ code: text, op: text, message: text }),
  },
};

const HEAD: Fields = {
  program: text,
  runtime: text,
  arguments: texts,
  seed: optional(count),
  started: moment,
  redaction: oneOf("fields", "payloads", "none"),
  limits: having({ connection: count, total: count }),
};

/** Reads the first line. Throws a {@linkcode RecordingError}. */
export function parseHead(line: string): RecordingHead {
  const head = parsed(line);
  if (head?.format !== RECORDING_FORMAT) throw noRecording();
  if (head.version !== RECORDING_VERSION) {
    const version = shown(JSON.stringify(head.version) ?? "none");
    throw new RecordingError(
      1,
      `its version is ${version}, and this program reads version ${RECORDING_VERSION}. Use the ` +
        "version of plainsocket that recorded it.",
    );
  }
  const name = missing(head, HEAD);
  if (name !== undefined) throw new RecordingError(1, `its '${name}' is missing or not valid.`);
  return head as unknown as RecordingHead;
}

/** Reads the line of an event. Throws a {@linkcode RecordingError}. */
export function parseEvent(line: string, number: number): RecordedEvent {
  const event = parsed(line);
  if (event === undefined) {
    throw new RecordingError(
      number,
      "it is not an object in JSON, or one that is nested too deeply.",
    );
  }
  const { type } = event;
  if (typeof type !== "string") {
    throw new RecordingError(number, "its 'type' is missing or not valid.");
  }
  if (!isType(type)) {
    throw new RecordingError(number, `'${shown(type)}' is not a type of event.`);
  }
  const name = missing(event, { time, ...EVENTS[type] });
  if (name !== undefined) {
    throw new RecordingError(number, `'${name}' of the ${type} is missing or not valid.`);
  }
  if (type !== "recv" && type !== "send" && type !== "wire") {
    return event as unknown as RecordedEvent;
  }
  const { text, b64, size, ...rest } = event;
  const data = dataOf(text as string | undefined, b64 as string | undefined);
  if (data === undefined && size === undefined) {
    throw new RecordingError(number, `the ${type} has no text, no b64 and no size.`);
  }
  return { ...rest, data, size: size ?? data!.length } as unknown as RecordedEvent;
}

function dataOf(text: string | undefined, b64: string | undefined): Uint8Array | undefined {
  if (text !== undefined) return new TextEncoder().encode(text);
  return b64 === undefined ? undefined : new Uint8Array(Buffer.from(b64, "base64"));
}

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject && isWithin(MAX_DEPTH, value) ? value as Record<string, unknown> : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a value has at most `depth` levels. */
function isWithin(depth: number, value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  return depth > 0 && Object.values(value).every((part) => isWithin(depth - 1, part));
}

function isType(type: string): type is RecordedEvent["type"] {
  return Object.hasOwn(EVENTS, type);
}

/** The start of a wrong value, for a message. */
function shown(value: string): string {
  return value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}…` : value;
}

/** The name of the first field that is not as it must be. */
function missing(value: object, fields: Fields): string | undefined {
  return Object.keys(fields).find((name) =>
    !fields[name]((value as Record<string, unknown>)[name])
  );
}
