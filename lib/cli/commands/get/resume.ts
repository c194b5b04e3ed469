/**
 * Going on with what is there already: ranges and their validators (RFC 9110 sections 13 and 14).
 *
 * @module
 */

import type { ClientResponse } from "../../../http/client/response.ts";

/** An entity-tag that stands for the very same bytes (RFC 9110 section 8.8.3). */
const STRONG_ETAG = /^"[\x21\x23-\x7e\x80-\xff]*"$/;

/**
 * The value of If-Range that a response's content can be asked for with later: a strong ETag, else a
 * Last-Modified that is old enough to be one, else nothing.
 */
export function validatorOf(response: ClientResponse): string | undefined {
  const etag = response.headers.get("etag");
  if (etag !== null && STRONG_ETAG.test(etag)) return etag;
  const modified = response.headers.get("last-modified");
  // Within one second there can be two versions (RFC 9110 section 8.8.2.2).
  const age = Date.parse(response.headers.get("date") ?? "") - Date.parse(modified ?? "");
  return modified !== null && age >= 1000 ? modified : undefined;
}

/**
 * The fields of Content-Range: the first byte of a part, the one after its last, and the whole
 * size.
 */
export interface ContentRange {
  readonly from: number;
  readonly to: number;
  readonly total: number | undefined;
}

/** Reads the Content-Range of a 206; nothing if it is not right. */
export function contentRangeOf(response: ClientResponse): ContentRange | undefined {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(?:(\d{1,15})|\*)$/i
    .exec(response.headers.get("content-range") ?? "");
  if (match === null) return undefined;
  const [from, last] = [Number(match[1]), Number(match[2])];
  const total = match[3] === undefined ? undefined : Number(match[3]);
  const fits = response.length === undefined || response.length === last + 1 - from;
  if (last < from || !fits || (total !== undefined && last >= total)) return undefined;
  return { from, to: last + 1, total };
}

/** Whether a 206 goes on with what `validator` stands for, from `offset` on. */
export function continues(
  response: ClientResponse,
  offset: number,
  validator: string,
): ContentRange | undefined {
  const range = contentRangeOf(response);
  const etag = response.headers.get("etag");
  const same = !STRONG_ETAG.test(validator) || etag === null || etag === validator;
  return range?.from === offset && same ? range : undefined;
}

/** Returns the length of the whole that a 416 has. Undefined if it has no length. */
export function lengthOf416(response: ClientResponse): number | undefined {
  const match = /^bytes \*\/(\d{1,15})$/i.exec(response.headers.get("content-range") ?? "");
  return match === null ? undefined : Number(match[1]);
}
