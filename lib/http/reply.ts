/**
 * Replies on the wire: status line, fields and framing (RFC 9112 sections 4 to 7).
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { LightReply } from "./light.ts";
import type { Output } from "./output.ts";
import { statusLine } from "./status.ts";

/** What of the request and the connection the framing of its reply depends on. */
export interface ReplyContext {
  /** The method of the request: HEAD gets no content. */
  readonly method: string;
  /** The minor version of the request: HTTP/1.0 knows no chunks. */
  readonly minor: 0 | 1;
  /** Whether the connection is kept; a stream without an end of its own closes it. */
  keepAlive: boolean;
  /** The value of Date. */
  readonly date: string;
}

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * The head of a reply, with all its framing. A stream with no end of its own to an HTTP/1.0 client
 * turns `context.keepAlive` off. Throws a `TypeError` for a reply that HTTP cannot carry.
 */
export function headOf(reply: LightReply, context: ReplyContext): string {
  const { status, body, length } = reply;
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new TypeError(`A reply's status is from 200 to 599, not ${status}`);
  }
  let head = `${statusLine(status)}Date: ${context.date}\r\n${fieldsOf(reply)}`;
  if (!isBare(status)) {
    if (isStream(body)) {
      if (length !== undefined) head += `Content-Length: ${length}\r\n`;
      else if (context.minor === 1) head += "Transfer-Encoding: chunked\r\n";
      else context.keepAlive = false;
    } else head += `Content-Length: ${sizeOf(body)}\r\n`;
  }
  return head + connectionField(context);
}

/** Sends the content of a reply behind its head; small content is only put into `output`. */
export async function sendContent(
  { status, body, length }: LightReply,
  { method, minor }: ReplyContext,
  output: Output,
): Promise<void> {
  if (body === undefined || isBare(status) || method === "HEAD") return;
  if (typeof body === "string") await output.sendBytes(Buffer.from(body));
  else if (!isStream(body)) await output.sendBytes(body);
  else if (length !== undefined) await sendExactly(body, length, output);
  else if (minor === 1) await sendChunked(body, output);
  else for await (const bytes of body) await output.sendBytes(bytes);
}

/** RFC 9110 sections 15.3.5 and 15.4.5: these have no content, whatever they say. */
function isBare(status: number): boolean {
  return status === 204 || status === 304;
}

/** Whether a reply's content comes bit by bit. */
export function isStream(body: LightReply["body"]): body is AsyncIterable<Uint8Array> {
  return typeof body === "object" && !(body instanceof Uint8Array);
}

function sizeOf(body: string | Uint8Array | undefined): number {
  if (body === undefined) return 0;
  return typeof body === "string" ? Buffer.byteLength(body) : body.length;
}

function fieldsOf({ headers = [] }: LightReply): string {
  let fields = "";
  for (let i = 0; i < headers.length; i += 2) {
    const [name, value] = [headers[i], headers[i + 1]];
    if (!NAME.test(name)) throw new TypeError(`A reply has a field that is no name: ${name}`);
    if (!VALUE.test(value)) {
      throw new TypeError(`The field ${name} of a reply has a control character`);
    }
    fields += `${name}: ${value}\r\n`;
  }
  return fields;
}

function connectionField({ keepAlive, minor }: ReplyContext): string {
  if (!keepAlive) return "Connection: close\r\n\r\n";
  return minor === 0 ? "Connection: keep-alive\r\n\r\n" : "\r\n";
}

async function sendExactly(
  body: AsyncIterable<Uint8Array>,
  length: number,
  output: Output,
): Promise<void> {
  let left = length;
  for await (const bytes of body) {
    if (bytes.length > left) throw new TypeError(`A reply is longer than its length of ${length}`);
    left -= bytes.length;
    await output.sendBytes(bytes);
    await output.flush();
  }
  if (left > 0) {
    throw new TypeError(`A reply is ${left} bytes shorter than its length of ${length}`);
  }
}

async function sendChunked(body: AsyncIterable<Uint8Array>, output: Output): Promise<void> {
  for await (const bytes of body) {
    // A chunk of no bytes would be the last one.
    if (bytes.length === 0) continue;
    await output.sendText(`${bytes.length.toString(16)}\r\n`);
    await output.sendBytes(bytes);
    await output.sendText("\r\n");
    await output.flush();
  }
  await output.sendText("0\r\n\r\n");
}
