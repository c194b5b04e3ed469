/**
 * Events as lines of a recording: redacted, within the limits, in JSON.
 *
 * @module
 */

import { Buffer, isAscii, isUtf8 } from "node:buffer";
import { safeJson } from "../base/escape.ts";
import type { SocketError } from "../base/errors.ts";
import type { SocketEvent } from "../observe/events.ts";
import { redacting } from "./redact.ts";
import type { Certificate } from "../net/tls/options.ts";
import {
  MAX_LINE_DATA,
  type RecordedCertificate,
  type RecordedEvent,
  type RecordingHead,
} from "./format.ts";

type DataEvent = Extract<SocketEvent, { readonly data: Uint8Array }>;

/** Writes one recording, line by line; each line ends with LF. */
export class RecordingEncoder {
  readonly head: RecordingHead;
  readonly #zero: number;
  readonly #redacted: (event: SocketEvent) => SocketEvent;
  readonly #left: { total: number; readonly connection: number };
  /** The number of bytes of a socket's data that are still kept. */
  readonly #ofSocket = new Map<number, number>();
  /** The sockets whose data is left out, which a line says once. */
  readonly #cut = new Set<number>();

  /** `zero` is the time of the clock at which the recording starts. */
  constructor(head: RecordingHead, zero: number) {
    this.head = head;
    this.#zero = zero;
    this.#redacted = head.redaction === "fields" ? redacting() : (event: SocketEvent) => event;
    const { connection, total } = head.limits;
    this.#left = { total: total || Infinity, connection: connection || Infinity };
  }

  /** The first line. */
  firstLine(): string {
    return `${safeJson(this.head)}\n`;
  }

  /** The lines of an event, as one text. */
  lines(event: SocketEvent): string {
    const time = this.#timeOf(event.time);
    if ("data" in event) return this.#dataLines(time, this.#redacted(event) as DataEvent);
    if (event.type === "close") this.#forget(event);
    if (event.type === "error") {
      const { type, socket, op } = event;
      return line({ time, type, socket, op, error: errorOf(event.error) });
    }
    if (event.type === "handshake" && event.peerCertificate !== undefined) {
      return line({ ...event, time, peerCertificate: certificateOf(event.peerCertificate) });
    }
    return line({ ...event, time });
  }

  /** The line of `size` bytes of an event that are left out. */
  sizeLine({ data: _, ...event }: DataEvent, size: number): string {
    return line({ ...event, time: this.#timeOf(event.time), size });
  }

  #timeOf(time: number): number {
    return Math.round((time - this.#zero) * 1000) / 1000;
  }

  #dataLines(time: number, event: DataEvent): string {
    const { data, ...rest } = event;
    const whole = { ...rest, time };
    if (this.head.redaction === "payloads") return line({ ...whole, size: data.length });
    const { socket } = event;
    const left = this.#ofSocket.get(socket) ?? this.#left.connection;
    const kept = Math.min(data.length, left, this.#left.total);
    this.#ofSocket.set(socket, left - kept);
    this.#left.total -= kept;
    let text = kept === 0 && data.length > 0 ? "" : pieces(whole, data.subarray(0, kept));
    if (kept === data.length) return text;
    if (!this.#cut.has(socket)) {
      this.#cut.add(socket);
      const limit = left === kept ? "connection" : "total";
      text += line({ time, type: "cut", socket, limit });
    }
    return text + line({ ...whole, size: data.length - kept });
  }

  #forget(event: Extract<SocketEvent, { readonly type: "close" }>): void {
    this.#redacted(event);
    const { socket } = event;
    this.#ofSocket.delete(socket);
    this.#cut.delete(socket);
  }
}

/** The line of an event that was read from a recording. */
export function lineOf(event: RecordedEvent): string {
  if (event.type !== "recv" && event.type !== "send" && event.type !== "wire") return line(event);
  const { data, size, ...rest } = event;
  return data === undefined ? line({ ...rest, size }) : dataLine(safeJson(rest).slice(0, -1), data);
}

/** One line for data that is not too long, else several. */
function pieces(event: Omit<DataEvent, "data">, data: Uint8Array): string {
  // Without the brace at its end: the data comes behind.
  const start = safeJson(event).slice(0, -1);
  if (data.length <= MAX_LINE_DATA) return dataLine(start, data);
  let text = "";
  for (let at = 0; at < data.length; at += MAX_LINE_DATA) {
    text += dataLine(start, data.subarray(at, at + MAX_LINE_DATA));
  }
  return text;
}

/** A line with `text` for what is UTF-8, else with `b64`. Large data is looked at by native code only. */
function dataLine(start: string, data: Uint8Array): string {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.length);
  if (!isUtf8(bytes)) return `${start},"b64":"${bytes.toString("base64")}"}\n`;
  if (!isAscii(bytes)) return `${start},"text":${safeJson(bytes.toString("utf8"))}}\n`;
  const text = JSON.stringify(bytes.toString("latin1"));
  return `${start},"text":${text.includes("\x7f") ? safeJson(JSON.parse(text)) : text}}\n`;
}

/** Names them one by one: they may be computed when they are asked for, and `raw` is left out. */
function certificateOf(certificate: Certificate): RecordedCertificate {
  const { subject, subjectAltName, issuer, validFrom, validTo, fingerprint256 } = certificate;
  return { subject, subjectAltName, issuer, validFrom, validTo, fingerprint256 };
}

function errorOf({ code, op, message }: SocketError): object {
  return { code, op, message };
}

function line(value: object): string {
  return `${safeJson(value)}\n`;
}
