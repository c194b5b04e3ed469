/**
 * Responses on the wire: status line, fields and framing (RFC 9112 sections 4 to 7).
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { borrowedFrom } from "../../base/borrowed.ts";
import { counted } from "../../base/counted.ts";
import type { HttpError } from "../message/errors.ts";
import type { LightResponse } from "./light.ts";
import { type Output, SHORT_TEXT } from "./output.ts";
import { statusLine } from "../message/status.ts";
import { isFieldValue, isToken } from "../../base/header_fields.ts";

/** The fields of a response in words. */
const TEXT: readonly string[] = ["Content-Type", "text/plain;charset=utf-8"];

/**
 * The head of a response to a request of HTTP/1.`minor`, all but Date, Connection and the empty line.
 * Throws a `TypeError` for a response that HTTP cannot carry.
 */
export function headOf({ status, headers, body, length }: LightResponse, minor: 0 | 1): string {
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new TypeError(`A response's status is from 200 to 599, not ${status}`);
  }
  const head = headers === undefined ? statusLine(status) : statusLine(status) + fieldsOf(headers);
  if (isBare(status)) return head;
  if (status === RESET_CONTENT) return `${head}Content-Length: 0\r\n`;
  if (!isStream(body)) return `${head}Content-Length: ${sizeOf(body)}\r\n`;
  if (length !== undefined) {
    if (!Number.isSafeInteger(length) || length < 0) {
      throw new TypeError(`A response's length is a number of bytes, not ${length}`);
    }
    return `${head}Content-Length: ${length}\r\n`;
  }
  return minor === 1 ? `${head}Transfer-Encoding: chunked\r\n` : head;
}

/** The fields that frame the message, and Date. */
const OURS: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "date",
  "transfer-encoding",
]);

/** A head that was serialised, and what it was made of. */
interface KnownHead {
  readonly status: number;
  readonly headers: readonly string[];
  readonly size: number;
  /** The bytes before the end of the head. */
  readonly fields: Buffer;
  /** The end that was sent last, and the whole head. */
  headEnd: Buffer;
  bytes: Buffer;
}

const NO_HEADERS: readonly string[] = [];
const SLOTS = 64;
const MOST_KNOWN_BYTES = 1024;

/** Remembers the heads of responses: those of one server are mostly alike. */
export class ResponseHeads {
  readonly #slots: (KnownHead | undefined)[] = new Array(SLOTS).fill(undefined);

  /**
   * {@linkcode headOf} a response with `size` bytes of content that is not a stream, and `headEnd` behind
   * it.
   */
  of(response: LightResponse, size: number, headEnd: Buffer): Buffer {
    const { status, headers = NO_HEADERS } = response;
    const slot = size % SLOTS;
    const known = this.#slots[slot];
    if (
      known !== undefined && known.size === size && known.status === status &&
      equal(known.headers, headers)
    ) {
      if (known.headEnd !== headEnd) {
        known.headEnd = headEnd;
        known.bytes = Buffer.concat([known.fields, headEnd]);
      }
      return known.bytes;
    }
    const fields = Buffer.from(headOf(response, 1), "latin1");
    const bytes = Buffer.concat([fields, headEnd]);
    if (fields.length <= MOST_KNOWN_BYTES) {
      this.#slots[slot] = { status, headers: [...headers], size, fields, headEnd, bytes };
    }
    return bytes;
  }
}

function equal(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Whether only closing marks the end of the content: HTTP/1.0 has no chunks. */
export function endsByClose({ status, body, length }: LightResponse, minor: 0 | 1): boolean {
  return minor === 0 && length === undefined && isStream(body) && !isBare(status);
}

/** Whether a response to a request of this method has content on the wire. */
export function hasContent({ status, body }: LightResponse, method: string): boolean {
  return body !== undefined && method !== "HEAD" && !isBare(status) && status !== RESET_CONTENT;
}

/**
 * Sends content; what is small is only put into `output`. `count` is called with the number of
 * bytes that went there.
 */
export async function sendContent(
  body: NonNullable<LightResponse["body"]>,
  length: number | undefined,
  minor: 0 | 1,
  output: Output,
  count: (n: number) => void,
): Promise<void> {
  if (!isStream(body)) {
    const bytes = typeof body === "string" ? Buffer.from(body) : body;
    await output.sendBytes(bytes);
    count(bytes.length);
  } else if (length !== undefined) await sendExactly(body, length, output, count);
  else if (minor === 1) await sendChunked(body, output, count);
  else {
    for await (const bytes of body) {
      await output.sendBytes(bytes);
      await output.flush();
      count(bytes.length);
    }
  }
}

/** Cancels a stream that is not wanted, so that it frees what it has; nobody waits for that. */
export function dropContent({ body }: LightResponse): void {
  if (isStream(body)) void drop(body);
}

async function drop(body: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    await borrowedFrom(body)[Symbol.asyncIterator]().return?.();
  } catch {
    // Its result is of no interest.
  }
}

/** Whether a response's content comes bit by bit. */
export function isStream(body: LightResponse["body"]): body is AsyncIterable<Uint8Array> {
  return typeof body === "object" && !(body instanceof Uint8Array);
}

/** Returns the number of bytes of content that is not a stream. */
export function sizeOf(body: string | Uint8Array | undefined): number {
  if (body === undefined) return 0;
  if (typeof body !== "string" || isShortAscii(body)) return body.length;
  return Buffer.byteLength(body);
}

/** The response to a request whose handler threw. */
export const INTERNAL_ERROR: LightResponse = {
  status: 500,
  headers: TEXT,
  body: "Internal Server Error\n",
};

/** A response to what is not a request, with `size` bytes of content. */
export function refusal(
  { status, message }: HttpError,
  headEnd: Buffer,
): { bytes: Buffer; size: number } {
  const body = Buffer.from(`${message}.\n`);
  const head = `${statusLine(status)}${fieldsOf(TEXT)}Content-Length: ${body.length}\r\n`;
  return { bytes: Buffer.concat([Buffer.from(head), headEnd, body]), size: body.length };
}

function isShortAscii(text: string): boolean {
  if (text.length > SHORT_TEXT) return false;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

/** RFC 9110 section 15.3.6: it has no content, and unlike the others says so. */
const RESET_CONTENT = 205;

/** RFC 9110 sections 15.3.5 and 15.4.5: these have no content, whatever they say. */
function isBare(status: number): boolean {
  return status === 204 || status === 304;
}

/** The head of 101, all but Date and the empty line. Throws as {@linkcode headOf} does. */
export function switchingHeadOf({ status, headers = [] }: LightResponse): string {
  return statusLine(status) + fieldsOf(headers);
}

function fieldsOf(headers: readonly string[]): string {
  let fields = "";
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i];
    const value = headers[i + 1];
    if (!isToken(name)) throw new TypeError(`A response has a field that is not a name: ${name}`);
    const key = name.toLowerCase();
    // RFC 9110 section 7.8.
    if (key === "upgrade") fields += "Connection: Upgrade\r\n";
    if (OURS.has(key)) {
      throw new TypeError(
        `A response has the field ${name}, which is for the server to send: endToEndHeaders() leaves ` +
          "such fields out of those of another response",
      );
    }
    if (!isFieldValue(value)) {
      throw new TypeError(`The field ${name} of a response has a control character`);
    }
    fields += `${name}: ${value}\r\n`;
  }
  return fields;
}

async function sendExactly(
  body: AsyncIterable<Uint8Array>,
  length: number,
  output: Output,
  count: (n: number) => void,
): Promise<void> {
  let left = length;
  for await (const bytes of body) {
    if (bytes.length > left) {
      throw new TypeError(`A response is longer than its length of ${length}`);
    }
    left -= bytes.length;
    await output.sendBytes(bytes);
    await output.flush();
    count(bytes.length);
  }
  if (left > 0) {
    throw new TypeError(
      `A response is ${counted(left, "byte")} shorter than its length of ${length}`,
    );
  }
}

/** RFC 9112 section 7.1. */
async function sendChunked(
  body: AsyncIterable<Uint8Array>,
  output: Output,
  count: (n: number) => void,
): Promise<void> {
  for await (const bytes of body) {
    // A chunk of no bytes would be the last one.
    if (bytes.length === 0) continue;
    await output.sendText(`${bytes.length.toString(16)}\r\n`);
    await output.sendBytes(bytes);
    await output.sendText("\r\n");
    await output.flush();
    count(bytes.length);
  }
  await output.sendText("0\r\n\r\n");
}
