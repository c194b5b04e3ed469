/**
 * The framing of a response's body (RFC 9112 section 6.3). An ambiguous message is an error and
 * never a guess: of two ways to read a response, one is an attacker's.
 *
 * @module
 */

import { HttpError } from "./errors.ts";
import { membersOf } from "./fields.ts";
import type { ResponseHead } from "./response_head.ts";

/** The length of a body in bytes, or what ends it: its last chunk, or the end of the connection. */
export type BodyLength = number | "chunked" | "close";

/** Reads the framing off the head of a response to `method`. Throws {@linkcode HttpError}. */
export function bodyLengthOf({ status, minor, headers }: ResponseHead, method: string): BodyLength {
  // Whatever their fields say: those of a response to HEAD tell what GET would have brought.
  if (method === "HEAD" || status < 200 || status === 204 || status === 304) return 0;
  const lengths = valuesOf(headers, "content-length");
  const codings = valuesOf(headers, "transfer-encoding");
  if (codings.length === 0) return lengths.length === 0 ? "close" : oneLength(lengths);
  if (lengths.length > 0) {
    throw badCoding("The response has both Content-Length and Transfer-Encoding");
  }
  if (minor === 0) throw badCoding("The response is HTTP/1.0, which has no Transfer-Encoding");
  if (codings.length > 1 || codings[0].toLowerCase() !== "chunked") {
    throw badCoding(`The response has the transfer coding '${codings.join(", ")}', unasked`);
  }
  return "chunked";
}

/** The members of all lines of a field, in any case of its name. */
function valuesOf(headers: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i].toLowerCase() !== name) continue;
    values.push(...membersOf(headers[i + 1]));
  }
  return values;
}

/** RFC 9112 section 6.3: the same number may be said several times, and different ones may not. */
function oneLength(lengths: readonly string[]): number {
  const [length] = lengths;
  if (/^\d{1,15}$/.test(length) && lengths.every((other) => other === length)) {
    return Number(length);
  }
  const why = `The response's Content-Length is '${lengths.join(", ")}' and not one decimal number`;
  throw new HttpError(502, "BAD_CONTENT_LENGTH", why);
}

function badCoding(message: string): HttpError {
  return new HttpError(502, "BAD_TRANSFER_ENCODING", message);
}
