/**
 * The head of a request: request line and header fields (RFC 9112 sections 2 to 5). A parser with no
 * socket in it: bytes go in, a head or the need for more comes out, and what is wrong is thrown with
 * its status. It never looks at a byte twice, however the bytes are split.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import { HttpError } from "./errors.ts";
import { parseField, table, TCHAR } from "./fields.ts";

/** A request's line and header fields, as received. */
export interface RequestHead {
  /** The method; case-sensitive. */
  readonly method: string;
  /** The request-target in one of the four forms of RFC 9112 section 3.2. */
  readonly target: string;
  /** The minor version: 0 or 1 for HTTP/1.0 and HTTP/1.1. */
  readonly minor: 0 | 1;
  /** Names and values by turns, in the order received; values without the white space around them. */
  readonly headers: readonly string[];
}

/** Limits of a head. */
export interface HeadLimits {
  /** Bytes of the request line; more is 414. Default: 8192. */
  readonly requestLine: number;
  /** Bytes of all header lines with their line ends; more is 431. Default: 16384. */
  readonly headerBytes: number;
  /** Number of header fields; more is 431. Default: 100. */
  readonly headerCount: number;
}

/** The limits that apply unless others are asked for. */
export const HEAD_LIMITS: HeadLimits = {
  requestLine: 8 * 1024,
  headerBytes: 16 * 1024,
  headerCount: 100,
};

const CR = 0x0d;
const SP = 0x20;

/** The characters of a request-target: visible ASCII. URIs have fewer, but browsers send more. */
const TARGET = table((code) => code > SP && code < 0x7f);

/** Parses one head after the other; see the module. */
export class HeadParser {
  readonly #limits: HeadLimits;
  /** The start of a line whose end has not come. */
  #held = "";
  /** The number of held bytes that were searched for the line's end. */
  #searched = 0;
  #sawEmptyLine = false;
  #method: string | undefined;
  #target = "";
  #minor: 0 | 1 = 1;
  #headers: string[] = [];
  #headerBytes = 0;

  constructor(limits: HeadLimits = HEAD_LIMITS) {
    this.#limits = limits;
  }

  /** Whether any byte of a head has come: if not, the connection is idle and may just end. */
  get started(): boolean {
    return this.#method !== undefined || this.#held !== "";
  }

  /**
   * Takes the bytes of `chunk` from `from` to `to`. Returns the index of the first byte after the
   * head, and {@linkcode take} gives it; or -1 if all were taken and the head goes on.
   *
   * Throws {@linkcode HttpError} for a head that is not right. The parser is of no use after that.
   */
  parse(chunk: Buffer, from: number, to: number): number {
    // No head that keeps the limits is longer, and a body after it need not be decoded.
    const { requestLine, headerBytes } = this.#limits;
    const end = Math.min(to, from + requestLine + headerBytes + 8);
    const held = this.#held.length;
    const fresh = chunk.toString("latin1", from, end);
    const text = held === 0 ? fresh : this.#held + fresh;
    let start = 0;
    let search = this.#searched;
    for (;;) {
      const lf = text.indexOf("\n", search);
      if (lf === -1) break;
      if (lf === start || text.charCodeAt(lf - 1) !== CR) {
        // As it is when the line comes in pieces.
        this.#checkLength(lf - start);
        throw new HttpError(400, "BAD_LINE_END", "A line ends with a bare LF");
      }
      const next = lf + 1;
      if (lf - 1 > start) this.#line(text, start, lf - 1);
      else if (this.#method !== undefined) {
        this.#held = "";
        this.#searched = 0;
        return from + next - held;
      } else this.#emptyLine();
      start = search = next;
    }
    // A CR at the end may be the first half of the line's end.
    const cr = text.length > start && text.charCodeAt(text.length - 1) === CR ? 1 : 0;
    if (text.length - start > cr) this.#checkLength(text.length - start - cr);
    this.#held = text.slice(start);
    this.#searched = text.length - start;
    return -1;
  }

  /** The head that is complete; the parser is then ready for the next one. */
  take(): RequestHead {
    const head = {
      method: this.#method!,
      target: this.#target,
      minor: this.#minor,
      headers: this.#headers,
    };
    this.#method = undefined;
    this.#headers = [];
    this.#headerBytes = 0;
    this.#sawEmptyLine = false;
    return head;
  }

  /** RFC 9112 section 2.2: one empty line before the request line is forgiven. */
  #emptyLine(): void {
    if (this.#sawEmptyLine) {
      throw new HttpError(400, "BAD_REQUEST_LINE", "There is no request line");
    }
    this.#sawEmptyLine = true;
  }

  #line(text: string, start: number, end: number): void {
    this.#checkLength(end - start);
    if (this.#method === undefined) this.#requestLine(text, start, end);
    else this.#field(text, start, end);
  }

  /** Checks a line of `length` bytes without its end, or as much of it as has come. */
  #checkLength(length: number): void {
    if (this.#method === undefined) {
      if (length <= this.#limits.requestLine) return;
      throw new HttpError(414, "REQUEST_LINE_TOO_LONG", "The request line is too long");
    }
    if (this.#headerBytes + length + 2 <= this.#limits.headerBytes) return;
    throw new HttpError(431, "HEADERS_TOO_LARGE", "The header fields are too large");
  }

  /** RFC 9112 section 3: method SP request-target SP HTTP-version. */
  #requestLine(text: string, start: number, end: number): void {
    let at = start;
    while (TCHAR[text.charCodeAt(at)] === 1) at++;
    if (at === start || text.charCodeAt(at) !== SP) {
      throw new HttpError(400, "BAD_REQUEST_LINE", "The request line does not start with a method");
    }
    const method = text.slice(start, at);
    const targetStart = ++at;
    while (at < end && TARGET[text.charCodeAt(at)] === 1) at++;
    if (at === targetStart || (at < end && text.charCodeAt(at) !== SP)) {
      throw new HttpError(400, "BAD_TARGET", "The request-target has a character it may not have");
    }
    this.#target = text.slice(targetStart, at);
    if (at === end && /^HTTP\/\d\.\d$/.test(this.#target)) {
      throw new HttpError(400, "BAD_REQUEST_LINE", "The request line has no target");
    }
    this.#minor = versionOf(text.slice(at, end));
    this.#method = method;
  }

  #field(text: string, start: number, end: number): void {
    this.#headerBytes += end - start + 2;
    if (this.#headers.length === this.#limits.headerCount * 2) {
      throw new HttpError(431, "HEADERS_TOO_LARGE", "There are too many header fields");
    }
    parseField(text, start, end, this.#headers);
  }
}

/** RFC 9112 section 2.3; a higher minor version is served as HTTP/1.1 (RFC 9110 section 2.5). */
function versionOf(text: string): 0 | 1 {
  if (text === " HTTP/1.1") return 1;
  if (text === " HTTP/1.0") return 0;
  if (/^ HTTP\/1\.[2-9]$/.test(text)) return 1;
  if (text === "" || /^ [A-Z]+\/\d\.\d$/.test(text)) {
    throw new HttpError(505, "BAD_VERSION", "This server speaks HTTP/1.1 and HTTP/1.0");
  }
  throw new HttpError(400, "BAD_REQUEST_LINE", "The request line does not end with a version");
}
