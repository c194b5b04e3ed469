/**
 * The head of a response: status line and header fields (RFC 9112 sections 4 and 5). A parser with no
 * socket in it, with the same verdict however the bytes are split.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { counted } from "../../base/counted.ts";
import { HttpError } from "./errors.ts";
import { foldedValue, isBlank, parseField } from "./fields.ts";

/** A response's status line and header fields, as received. */
export interface ResponseHead {
  /** The minor version: 0 or 1 for HTTP/1.0 and HTTP/1.1. */
  readonly minor: 0 | 1;
  /** The status code, 100 to 999. */
  readonly status: number;
  /** The reason phrase; often "". */
  readonly reason: string;
  /** Names and values by turns, in the order received; values without the white space around them. */
  readonly headers: readonly string[];
}

/** Limits of the head of a response. More is HEADERS_TOO_LARGE. */
export interface ResponseHeadLimits {
  /** Bytes of the status line. Default: 8192. */
  readonly statusLine: number;
  /** Bytes of all header lines with their line ends; trailer lines get as many. Default: 65536. */
  readonly headerBytes: number;
  /** Number of header fields. Default: 200. */
  readonly headerCount: number;
}

/** The limits that apply unless others are asked for. */
export const RESPONSE_HEAD_LIMITS: ResponseHeadLimits = {
  statusLine: 8 * 1024,
  headerBytes: 64 * 1024,
  headerCount: 200,
};

const LF = 0x0a;
const CR = 0x0d;

/**
 * HTTP-version SP status-code [ SP reason-phrase ]: RFC 9112 section 4 lets recipients forgive that
 * the second SP is missing, and many servers count on it.
 */
const STATUS_LINE = /^HTTP\/(\d)\.(\d) ([1-9]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?$/;

const PROTOCOL = Buffer.from("HTTP/");

/** The fewest bytes that are allocated for a line that comes in pieces. */
const HELD_BYTES = 256;

/** Parses one head after the other; see the module. */
export class ResponseHeadParser {
  readonly #limits: ResponseHeadLimits;
  /** The start of a line whose end has not come: the first #heldSize bytes. */
  #held = Buffer.alloc(0);
  #heldSize = 0;
  #statusLine: RegExpExecArray | undefined;
  #headers: string[] = [];
  #headerBytes = 0;

  constructor(limits: ResponseHeadLimits = RESPONSE_HEAD_LIMITS) {
    this.#limits = limits;
  }

  /** Whether any byte of a head has come. */
  get started(): boolean {
    return this.#statusLine !== undefined || this.#heldSize > 0;
  }

  /**
   * Takes the bytes of `chunk` from `from` to `to`. Returns the index of the first byte after the
   * head, and {@linkcode take} gives it; or -1 if all were taken and the head goes on.
   *
   * Throws {@linkcode HttpError} for a head that is not right. The parser is of no use after that.
   */
  parse(chunk: Buffer, from: number, to: number): number {
    const { statusLine, headerBytes } = this.#limits;
    // No head that keeps the limits is longer, and a body after it need not be searched.
    const bytes = chunk.subarray(0, Math.min(to, from + statusLine + headerBytes + 8));
    for (let at = from;;) {
      const lf = bytes.indexOf(LF, at);
      const end = lf === -1 ? bytes.length : lf;
      if (lf === -1 || this.#heldSize > 0) this.#hold(bytes, at, end);
      const [buffer, start, stop] = this.#heldSize > 0
        ? [this.#held, 0, this.#heldSize]
        : [bytes, at, end];
      const hasCr = stop > start && buffer[stop - 1] === CR;
      const lineEnd = hasCr ? stop - 1 : stop;
      this.#check(buffer, start, lineEnd);
      if (lf === -1) return -1;
      if (!hasCr) {
        throw new HttpError(
          502,
          "BAD_LINE_END",
          "A line of the response's head ends with a bare LF",
        );
      }
      this.#heldSize = 0;
      at = lf + 1;
      if (this.#statusLine !== undefined && lineEnd === start) return at;
      const line = buffer.toString("latin1", start, lineEnd);
      if (this.#statusLine === undefined) this.#statusLine = parseStatusLine(line);
      else this.#field(line);
    }
  }

  /** The head that is complete; the parser is then ready for the next one. */
  take(): ResponseHead {
    const [, , minor, status, reason = ""] = this.#statusLine!;
    const headers = this.#headers;
    this.#statusLine = undefined;
    this.#headers = [];
    this.#headerBytes = 0;
    return { minor: minor === "0" ? 0 : 1, status: Number(status), reason, headers };
  }

  /** Holds what has come of a line. A line in many pieces must not be copied with each of them. */
  #hold(bytes: Buffer, from: number, to: number): void {
    const size = this.#heldSize + to - from;
    if (size > this.#held.length) {
      const grown = Buffer.alloc(Math.max(2 * size, HELD_BYTES));
      this.#held.copy(grown, 0, 0, this.#heldSize);
      this.#held = grown;
    }
    bytes.copy(this.#held, this.#heldSize, from, to);
    this.#heldSize = size;
  }

  /** Checks a line without its end, or as much of it as has come. */
  #check(bytes: Buffer, from: number, to: number): void {
    const { statusLine, headerBytes } = this.#limits;
    if (this.#statusLine !== undefined) {
      if (this.#headerBytes + to - from + 2 > headerBytes) {
        throw tooLarge("header fields", counted(headerBytes, "byte"));
      }
      return;
    }
    for (let i = 0; i < PROTOCOL.length && from + i < to; i++) {
      if (bytes[from + i] !== PROTOCOL[i]) throw badStatusLine("What came is not HTTP");
    }
    if (to - from > statusLine) throw tooLarge("a status line", counted(statusLine, "byte"));
  }

  /** RFC 9112 section 5.2: a line that begins with white space goes on with the field before it. */
  #field(line: string): void {
    const headers = this.#headers;
    this.#headerBytes += line.length + 2;
    if (headers.length > 0 && isBlank(line.charCodeAt(0))) {
      const value = foldedValue(line, headers[headers.length - 2]);
      const before = headers[headers.length - 1];
      headers[headers.length - 1] = before === "" || value === ""
        ? before + value
        : `${before} ${value}`;
      return;
    }
    if (headers.length === this.#limits.headerCount * 2) {
      throw tooLarge("header fields", counted(this.#limits.headerCount, "line"));
    }
    parseField(line, 0, line.length, headers);
  }
}

function parseStatusLine(line: string): RegExpExecArray {
  const match = STATUS_LINE.exec(line);
  if (match === null) throw badStatusLine("The response does not begin with a status line");
  if (match[1] !== "1") {
    throw new HttpError(502, "BAD_VERSION", `The server answers with HTTP/${match[1]}.${match[2]}`);
  }
  return match;
}

function badStatusLine(message: string): HttpError {
  return new HttpError(502, "BAD_STATUS_LINE", message);
}

function tooLarge(what: string, limit: string): HttpError {
  return new HttpError(502, "HEADERS_TOO_LARGE", `The response has ${what} of more than ${limit}`);
}
