/**
 * Errors of a message, and the status of the response for each.
 *
 * @module
 */

/** A stable name for what is wrong. */
export type HttpErrorCode =
  | "BAD_REQUEST_LINE"
  | "BAD_STATUS_LINE"
  | "BAD_STATUS"
  | "BAD_VERSION"
  | "BAD_METHOD"
  | "BAD_TARGET"
  | "BAD_LINE_END"
  | "BAD_FIELD"
  | "BAD_HOST"
  | "BAD_CONTENT_LENGTH"
  | "BAD_TRANSFER_ENCODING"
  | "BAD_CHUNK"
  | "REQUEST_LINE_TOO_LONG"
  | "HEADERS_TOO_LARGE"
  | "BODY_TOO_LARGE"
  | "BODY_INCOMPLETE"
  | "EMPTY_RESPONSE"
  | "PARTIAL"
  | "TIMEOUT"
  | "UNKNOWN_HOST";

/** A message that is not right, with the status code (RFC 9110 section 15) to answer it with. */
export class HttpError extends Error {
  /** Always `"HttpError"`. */
  override readonly name = "HttpError";
  /** The code of the error. */
  readonly code: HttpErrorCode;
  /** 400 to 505. */
  readonly status: number;

  /** Makes an error; the message says what was found, as a sentence without a period. */
  constructor(status: number, code: HttpErrorCode, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}
