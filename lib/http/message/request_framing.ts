/**
 * The framing of a request by its header fields: the host it is for, how its body is
 * delimited, and whether the connection goes on (RFC 9112 sections 3.2, 6.3 and 9.3). Here is where
 * request smuggling is stopped, so what is ambiguous is an error and never a guess.
 *
 * @module
 */

import { HttpError } from "./errors.ts";
import { membersOf } from "./fields.ts";
import type { RequestHead } from "./request_head.ts";

/** The framing of a request. */
export interface Framing {
  /** The length of the body in bytes; -1 if it is chunked. */
  readonly bodyLength: number;
  /** The client keeps the connection for more requests. */
  readonly keepAlive: boolean;
  /** The client waits for 100 before it sends the body (RFC 9110 section 10.1.1). */
  readonly expectsContinue: boolean;
  /** The value of Host, or the authority of an absolute target, which outranks it; "" if none. */
  readonly host: string;
}

/** Reads the framing off a head. Throws {@linkcode HttpError} if it is not right. */
export function framingOf(head: RequestHead): Framing {
  const { headers, minor } = head;
  let host: string | undefined;
  let contentLength: string | undefined;
  let transferEncoding: string | undefined;
  let connection = "";
  let expectsContinue = false;
  for (let i = 0; i < headers.length; i += 2) {
    // Names of other lengths are not in the list; this saves most of the lower-casing.
    const { length } = headers[i];
    if (length !== 4 && length !== 6 && length !== 10 && length !== 14 && length !== 17) continue;
    const value = headers[i + 1];
    switch (headers[i].toLowerCase()) {
      case "host":
        if (host !== undefined) throw new HttpError(400, "BAD_HOST", "There is more than one Host");
        host = value;
        break;
      case "content-length":
        if (contentLength !== undefined && contentLength !== value) throw badLength();
        contentLength = value;
        break;
      case "transfer-encoding":
        transferEncoding = transferEncoding === undefined ? value : `${transferEncoding}, ${value}`;
        break;
      case "connection":
        connection += `,${value.toLowerCase()}`;
        break;
      case "expect":
        expectsContinue = expectation(value, minor);
    }
  }
  return {
    host: hostOf(head, host),
    bodyLength: bodyLengthOf(contentLength, transferEncoding, minor),
    keepAlive: keepsAlive(connection, minor),
    expectsContinue,
  };
}

/** RFC 9112 section 6.3: the body's length, and what of it is an attack. */
function bodyLengthOf(
  contentLength: string | undefined,
  transferEncoding: string | undefined,
  minor: 0 | 1,
): number {
  if (transferEncoding !== undefined) {
    if (contentLength !== undefined) {
      throw badCoding(400, "There are both Content-Length and Transfer-Encoding");
    }
    if (minor === 0) throw badCoding(400, "HTTP/1.0 has no Transfer-Encoding");
    const codings = membersOf(transferEncoding.toLowerCase());
    if (codings.at(-1) !== "chunked" || codings.indexOf("chunked") !== codings.length - 1) {
      throw badCoding(400, "The final transfer coding is not chunked");
    }
    // RFC 9112 section 6.1: a coding that is not understood is 501.
    if (codings.length > 1) throw badCoding(501, "No transfer coding but chunked is known");
    return -1;
  }
  if (contentLength === undefined) return 0;
  if (!/^\d{1,15}$/.test(contentLength)) throw badLength();
  return Number(contentLength);
}

/** RFC 9112 section 9.3. */
function keepsAlive(connection: string, minor: 0 | 1): boolean {
  if (connection === "") return minor === 1;
  const options = membersOf(connection);
  if (options.includes("close")) return false;
  return minor === 1 || options.includes("keep-alive");
}

/** RFC 9110 section 10.1.1: an expectation that cannot be met is 417; HTTP/1.0 has none. */
function expectation(value: string, minor: 0 | 1): boolean {
  if (minor === 0) return false;
  if (value.toLowerCase() === "100-continue") return true;
  throw new HttpError(417, "BAD_FIELD", "The only expectation that can be met is 100-continue");
}

/** uri-host [ ":" port ], without userinfo: RFC 9110 section 7.2, RFC 3986 section 3.2.2. */
const HOST = /^(?:\[[0-9A-Fa-f:.]+\]|(?:[-0-9A-Za-z._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})*)(?::\d*)?$/;

/** The authority of an absolute-form target. One userinfo is forgiven, and ignored; more would hide
 * which of them is the host. */
const ABSOLUTE = /^https?:\/\/(?:[^/?#@]*@)?([^/?#@]+)(?=[/?#]|$)/i;

function hostOf({ method, target, minor }: RequestHead, host: string | undefined): string {
  if (host === undefined) {
    if (minor === 1) throw new HttpError(400, "BAD_HOST", "There is no Host");
    host = "";
  }
  if (!isHost(host)) throw new HttpError(400, "BAD_HOST", "Host is not a host and port");
  if (method === "CONNECT") throw isTunnelEnd(target) ? noTunnels() : badTarget();
  if (target.charCodeAt(0) === 0x2f /* / */) return host;
  if (target === "*") {
    // RFC 9112 section 3.2.4: the asterisk is for OPTIONS.
    if (method === "OPTIONS") return host;
    if (WITHOUT_ASTERISK.has(method)) throw badTarget();
    // M-SEARCH and other methods of UPnP use it, too, and are not known here.
    throw new HttpError(501, "BAD_METHOD", `This server knows no ${method} *`);
  }
  const authority = ABSOLUTE.exec(target)?.[1];
  // RFC 9110 section 4.2.1: a URI of HTTP has a host.
  if (authority !== undefined && authority[0] !== ":" && isHost(authority)) return authority;
  throw badTarget();
}

/** The other methods of RFC 9110 section 9.3, and PATCH (RFC 5789). */
const WITHOUT_ASTERISK: ReadonlySet<string> = new Set(
  ["GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "PATCH"],
);

/** RFC 9112 section 3.2.3: a host and a port, neither of them empty. */
function isTunnelEnd(target: string): boolean {
  const port = Number(/[^:]:(\d{1,5})$/.exec(target)?.[1]);
  return port >= 1 && port <= 65535 && isHost(target);
}

/** Whether it is a host, with a port or without one, as in Host. */
export function isHost(text: string): boolean {
  return HOST.test(text) && (text[0] !== "[" || URL.canParse(`http://${text.split("]")[0]}]/`));
}

function badLength(): HttpError {
  return new HttpError(400, "BAD_CONTENT_LENGTH", "Content-Length is not one decimal number");
}

function badCoding(status: number, message: string): HttpError {
  return new HttpError(status, "BAD_TRANSFER_ENCODING", message);
}

function badTarget(): HttpError {
  return new HttpError(400, "BAD_TARGET", "The request-target has none of the four forms");
}

/**
 * A 2xx to CONNECT would make a tunnel of the connection (RFC 9110 section 9.3.6), and the bytes
 * behind it would be no requests: no handler is asked, so that none can say so by mistake.
 */
function noTunnels(): HttpError {
  return new HttpError(501, "BAD_METHOD", "This server makes no tunnels");
}
