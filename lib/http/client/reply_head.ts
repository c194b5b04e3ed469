/**
 * The head of a reply: status line and header fields (RFC 9112 sections 4 and 5). A parser with no
 * socket in it, with the same verdict however the bytes are split.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import { HttpError } from "../errors.ts";
import { parseField } from "../fields.ts";

/** A reply's status line and header fields, as received. */
export interface ReplyHead {
  /** The minor version: 0 or 1 for HTTP/1.0 and HTTP/1.1. */
  readonly minor: 0 | 1;
  /** The status code, 100 to 999. */
  readonly status: number;
  /** The reason phrase; often "". */
  readonly reason: string;
  /** Names and values by turns, in the order received; values without the white space around them. */
  readonly headers: readonly string[];
}

/** How much the head of a reply may hold; more is HEADERS_TOO_LARGE. */
export interface ReplyHeadLimits {
  /** Bytes of the status line. Default: 8192. */
  readonly statusLine: number;
  /** Bytes of all header lines with their line ends. Default: 65536. */
  readonly headerBytes: number;
  /** Number of header fields. Default: 200. */
  readonly headerCount: number;
}

/** The limits that apply unless others are asked for. */
export const REPLY_HEAD_LIMITS: ReplyHeadLimits = {
  statusLine: 8 * 1024,
  headerBytes: 64 * 1024,
  headerCount: 200,
};

const LF = 0x0a;

/**
 * HTTP-version SP status-code [ SP reason-phrase ]: RFC 9112 section 4 lets recipients forgive that
 * the second SP is missing, and many servers count on it.
 */
const STATUS_LINE = /^HTTP\/(\d)\.(\d) ([1-9]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?$/;

const PROTOCOL = "HTTP/";

/** Parses one head after the other; see the module. */
export class ReplyHeadParser {
  readonly #limits: ReplyHeadLimits;
  /** The start of a line whose end has not come. */
  #held = "";
  #statusLine: RegExpExecArray | undefined;
  #headers: string[] = [];
  #headerBytes = 0;

  constructor(limits: ReplyHeadLimits = REPLY_HEAD_LIMITS) {
    this.#limits = limits;
  }

  /** Whether any byte of a head has come. */
  get started(): boolean {
    return this.#statusLine !== undefined || this.#held !== "";
  }

  /**
   * Takes the bytes of `chunk` from `from` to `to`. Returns the index of the first byte behind the
   * head, and {@linkcode take} gives it; or -1 if all were taken and the head goes on.
   *
   * Throws {@linkcode HttpError} for a head that is not right. The parser is of no use after that.
   */
  parse(chunk: Buffer, from: number, to: number): number {
    const { statusLine, headerBytes } = this.#limits;
    // No head that keeps the limits is longer, and a body behind it need not be searched.
    const bytes = chunk.subarray(0, Math.min(to, from + statusLine + headerBytes + 8));
    for (let at = from;;) {
      const lf = bytes.indexOf(LF, at);
      this.#held += bytes.toString("latin1", at, lf === -1 ? bytes.length : lf);
      const line = this.#held.endsWith("\r") ? this.#held.slice(0, -1) : this.#held;
      this.#check(line);
      if (lf === -1) return -1;
      if (line === this.#held) {
        throw new HttpError(502, "BAD_LINE_END", "A line of the reply's head ends with a bare LF");
      }
      this.#held = "";
      at = lf + 1;
      if (this.#statusLine === undefined) this.#statusLine = parseStatusLine(line);
      else if (line === "") return at;
      else this.#field(line);
    }
  }

  /** The head that is complete; the parser is then ready for the next one. */
  take(): ReplyHead {
    const [, , minor, status, reason = ""] = this.#statusLine!;
    const headers = this.#headers;
    this.#statusLine = undefined;
    this.#headers = [];
    this.#headerBytes = 0;
    return { minor: minor === "0" ? 0 : 1, status: Number(status), reason, headers };
  }

  /** Checks a line without its end, or as much of it as has come. */
  #check(line: string): void {
    if (this.#statusLine !== undefined) {
      if (this.#headerBytes + line.length + 2 > this.#limits.headerBytes) throw tooLarge();
    } else {
      if (!line.startsWith(PROTOCOL.slice(0, line.length)) && !line.startsWith(PROTOCOL)) {
        throw badStatusLine("What came is not HTTP");
      }
      if (line.length > this.#limits.statusLine) throw tooLarge();
    }
  }

  #field(line: string): void {
    this.#headerBytes += line.length + 2;
    if (this.#headers.length === this.#limits.headerCount * 2) throw tooLarge();
    parseField(line, 0, line.length, this.#headers);
  }
}

function parseStatusLine(line: string): RegExpExecArray {
  const match = STATUS_LINE.exec(line);
  if (match === null) throw badStatusLine("The reply does not begin with a status line");
  if (match[1] !== "1") {
    throw new HttpError(502, "BAD_VERSION", `The server answers with HTTP/${match[1]}.${match[2]}`);
  }
  return match;
}

function badStatusLine(message: string): HttpError {
  return new HttpError(502, "BAD_STATUS_LINE", message);
}

function tooLarge(): HttpError {
  return new HttpError(502, "HEADERS_TOO_LARGE", "The head of the reply is too large");
}
