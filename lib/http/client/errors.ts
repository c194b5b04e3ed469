/**
 * Why a request failed, when it was not its socket that failed.
 *
 * @module
 */

import { escapeText } from "../../base/escape.ts";
import { HttpError } from "../message/errors.ts";

/** A stable name for what is wrong: a key of {@linkcode REQUEST_ERRORS}. */
export type RequestErrorCode =
  | "BAD_URL"
  | "BAD_STATUS_LINE"
  | "BAD_VERSION"
  | "BAD_STATUS"
  | "BAD_LINE_END"
  | "BAD_FIELD"
  | "BAD_CONTENT_LENGTH"
  | "BAD_TRANSFER_ENCODING"
  | "BAD_CHUNK"
  | "BAD_CONTENT_ENCODING"
  | "BAD_REDIRECT"
  | "TOO_MANY_REDIRECTS"
  | "HEADERS_TOO_LARGE"
  | "BODY_TOO_LARGE"
  | "EMPTY_RESPONSE"
  | "PARTIAL";

const BROKEN = "The server, or something before it, does not keep to HTTP/1.1.";

/** Every code that a {@linkcode RequestError} can carry, with what to do next. */
export const REQUEST_ERRORS: Readonly<Record<RequestErrorCode, string>> = {
  BAD_URL: "Give an http:// or https:// URL.",
  BAD_STATUS_LINE: "Check that the port is that of an HTTP server.",
  BAD_VERSION: "Only HTTP/1.1 and HTTP/1.0 are spoken here.",
  BAD_STATUS: BROKEN,
  BAD_LINE_END: BROKEN,
  BAD_FIELD: BROKEN,
  BAD_CONTENT_LENGTH: BROKEN,
  BAD_TRANSFER_ENCODING: BROKEN,
  BAD_CHUNK: BROKEN,
  BAD_CONTENT_ENCODING: "Without Accept-Encoding, servers send it as it is.",
  BAD_REDIRECT: "With `maxRedirects: 0` the redirect itself is the response.",
  TOO_MANY_REDIRECTS: "Raise `maxRedirects`, unless they go round in circles.",
  HEADERS_TOO_LARGE: "Raise it in `limits`, if you trust the server.",
  BODY_TOO_LARGE: "Raise `maxSize`, if you trust the server.",
  EMPTY_RESPONSE: "Try again; if it stays so, the server's log may say why.",
  PARTIAL: "Try again.",
};

/**
 * Why there is no response, or not all of it, although the sockets did what they should. Decide by
 * `code`; the message is for people and says what was asked for, why it failed and what to do next.
 */
export class RequestError extends Error {
  /** Always `"RequestError"`. */
  override readonly name = "RequestError";
  /** The code of the error. */
  readonly code: RequestErrorCode;
  /** The URL of the request, without credentials. After redirects, the last URL. */
  readonly url: string;

  /**
   * Makes an error; `why` says what was found, as the middle of a sentence, and `next` what to do, by
   * default what {@linkcode REQUEST_ERRORS} says.
   */
  constructor(
    code: RequestErrorCode,
    url: string,
    why: string,
    options: ErrorOptions & { readonly next?: string } = {},
  ) {
    const { next = REQUEST_ERRORS[code], ...cause } = options;
    super(escapeText(`Cannot get ${url}: ${why} (${code}). ${next}`), cause);
    this.code = code;
    this.url = url;
  }
}

/** Returns a parser's error as the error of the request for `url`, and other errors as they are. */
export function explained(error: unknown, url: string): unknown {
  if (!(error instanceof HttpError)) return error;
  const code = Object.hasOwn(REQUEST_ERRORS, error.code)
    ? error.code as RequestErrorCode
    : "BAD_STATUS_LINE";
  const { message } = error;
  return new RequestError(code, url, message[0].toLowerCase() + message.slice(1));
}
