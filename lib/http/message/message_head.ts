/**
 * The common parts of requests and responses: a first line, fields, and content of some length.
 *
 * @module
 */

import { framingOf } from "./request_framing.ts";
import type { RequestHead } from "./request_head.ts";
import { type BodyLength, bodyLengthOf } from "./response_framing.ts";
import type { ResponseHead } from "./response_head.ts";

/** A head, and how long the content after it is. */
export interface MessageHead {
  /** The first line, without its end. */
  readonly first: string;
  /** Names and values by turns, as received. */
  readonly headers: readonly string[];
  /** The length of the content. */
  readonly length: BodyLength;
}

/** The head of a request. Throws an {@linkcode HttpError} if its framing is not valid. */
export function requestMessageHead(head: RequestHead): MessageHead {
  const { method, target, minor, headers } = head;
  const { bodyLength } = framingOf(head);
  const length = bodyLength === -1 ? "chunked" : bodyLength;
  return { first: `${method} ${target} HTTP/1.${minor}`, headers, length };
}

/**
 * The head of a response to a request with this method; "" if that is not known. Throws an
 * {@linkcode HttpError} if its framing is not valid.
 */
export function responseMessageHead(head: ResponseHead, method: string): MessageHead {
  const { status, reason, minor, headers } = head;
  const length = bodyLengthOf(head, method);
  return { first: `HTTP/1.${minor} ${status} ${reason}`.trimEnd(), headers, length };
}
