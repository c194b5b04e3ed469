/**
 * Header fields (RFC 9110 section 5, RFC 9112 section 5): the one place where a field line is taken
 * apart, for requests and for responses.
 *
 * @module
 */

import { HttpError } from "./errors.ts";
import { isFieldValue, isToken } from "../../base/header_fields.ts";

const SP = 0x20;
const TAB = 0x09;
const COLON = 0x3a;

/** tchar: what a token is made of (RFC 9110 section 5.6.2). */
export const TCHAR: Uint8Array = table((code) => isToken(String.fromCharCode(code)));

/** VCHAR, obs-text, SP and HTAB: what a field value is made of (RFC 9110 section 5.5). */
const VALUE = table((code) => isFieldValue(String.fromCharCode(code)));

/** Makes a table of the bytes for which `holds` is true: 1 for those, else 0. */
export function table(holds: (code: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => Number(holds(code)));
}

/**
 * Takes apart the line of `text` from `start` to `end`, its line end left out: field-name ":" OWS
 * field-value OWS. Appends name and value to `headers`. Throws {@linkcode HttpError} BAD_FIELD.
 */
export function parseField(text: string, start: number, end: number, headers: string[]): void {
  let at = start;
  while (TCHAR[text.charCodeAt(at)] === 1) at++;
  if (at === start || text.charCodeAt(at) !== COLON) throw badName(text, start, at);
  const name = text.slice(start, at);
  headers.push(name, valueOf(text, at + 1, end, name));
}

/**
 * Returns the text that a folded line (RFC 9112 section 5.2: it begins with white space) adds to
 * the value of the field `name`. Throws {@linkcode HttpError} BAD_FIELD.
 */
export function foldedValue(line: string, name: string): string {
  return valueOf(line, 0, line.length, name);
}

/** The value between `start` and `end`, without the white space around it. */
function valueOf(text: string, start: number, end: number, name: string): string {
  let at = start;
  while (at < end && isBlank(text.charCodeAt(at))) at++;
  const valueStart = at;
  while (at < end && VALUE[text.charCodeAt(at)] === 1) at++;
  if (at < end) {
    throw new HttpError(400, "BAD_FIELD", `The field ${name} has a character it may not have`);
  }
  while (at > valueStart && isBlank(text.charCodeAt(at - 1))) at--;
  return text.slice(valueStart, at);
}

/**
 * The members of a list (RFC 9110 section 5.6.1), empty ones included, without the white space around
 * them. That is SP and HTAB only: `trim()` takes off 0xA0, too, and what others do not take for
 * "chunked" must not be that here. No byte is looked at more than twice: a regular expression for the
 * white space at the end is quadratic where there is much of it inside.
 */
export function membersOf(list: string): string[] {
  return list.split(",").map(withoutBlanks);
}

function withoutBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** Whether it is SP or HTAB. */
export function isBlank(code: number): boolean {
  return code === SP || code === TAB;
}

function badName(text: string, start: number, at: number): HttpError {
  if (at === start && isBlank(text.charCodeAt(at))) {
    return new HttpError(400, "BAD_FIELD", "A header line starts with white space (obs-fold)");
  }
  if (isBlank(text.charCodeAt(at))) {
    return new HttpError(400, "BAD_FIELD", "There is white space before the colon of a field");
  }
  return new HttpError(400, "BAD_FIELD", "A header line does not start with a field name");
}
