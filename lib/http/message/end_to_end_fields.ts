/**
 * The fields of a message that go through a proxy.
 *
 * @module
 */

import { membersOf } from "./fields.ts";

/** For one connection, and not for the way from end to end (RFC 9110 section 7.6.1). */
const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** The fields that the engine sets in each message itself. */
const OWN = ["content-length", "date", "expect"];

const LEFT_OUT: ReadonlySet<string> = new Set([...HOP_BY_HOP, ...OWN]);

/**
 * The header fields of a request or a response that a proxy passes on, names and values by turns. Left
 * out are those for the connection they came on (RFC 9110 section 7.6.1: Connection, what it names,
 * Transfer-Encoding and similar), and those that `requestHttp()` and `serveLight()` set themselves:
 * Content-Length, Date and Expect.
 *
 * @example
 * ```ts
 * import { endToEndHeaders } from "@plainsocket/plainsocket/http";
 * import assert from "node:assert/strict";
 *
 * const headers = ["Accept", "text/html", "Connection", "X-Trace", "X-Trace", "1", "ETag", '"2"'];
 * assert.deepEqual(endToEndHeaders(headers), ["Accept", "text/html", "ETag", '"2"']);
 * ```
 */
export function endToEndHeaders(headers: readonly string[]): string[] {
  const named = new Set<string>();
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i].toLowerCase() !== "connection") continue;
    for (const option of membersOf(headers[i + 1])) named.add(option.toLowerCase());
  }
  const passed: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i].toLowerCase();
    if (!LEFT_OUT.has(name) && !named.has(name)) passed.push(headers[i], headers[i + 1]);
  }
  return passed;
}
