/**
 * Requests on the wire: request line, fields and framing (RFC 9112 sections 3 and 6).
 *
 * @module
 */

import { checkField, checkMethod, hasField } from "../../base/header_fields.ts";
import { Buffer } from "node:buffer";
import { VERSION } from "../../base/version.ts";
import { isStream } from "../server/response.ts";
import type { HttpRequestOptions } from "./options.ts";
import { basicAuth } from "./url.ts";

/** One request, as it is sent; a redirect makes the next one of it. */
export interface Outgoing {
  readonly method: string;
  /** Without user name and password. */
  readonly url: URL;
  /** Names and values by turns. */
  readonly headers: readonly string[];
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | undefined;
  /** The length of a body that is a stream, if it is known. */
  readonly length: number | undefined;
  /** The protocol to go on with, if one is asked for. */
  readonly protocol?: string;
}

/** Methods of requests that have content as a rule: without it they say that there is none. */
const WITH_CONTENT = new Set(["POST", "PUT", "PATCH"]);

/** Makes the first request. Throws a `TypeError` for what HTTP cannot carry. */
export function firstRequest(
  url: URL,
  method: string | undefined,
  headers: readonly string[],
  content: HttpRequestOptions["body"],
  length: number | undefined,
): Outgoing {
  const body = typeof content === "string" ? Buffer.from(content) : content;
  const chosen = method ?? (body === undefined ? "GET" : "POST");
  checkMethod(chosen);
  for (let i = 0; i < headers.length; i += 2) checkField(headers[i], headers[i + 1]);
  const authorization = hasField(headers, "authorization") ? undefined : basicAuth(url);
  if (length !== undefined && !isStream(body)) {
    throw new TypeError("A length is for a body that is a stream");
  }
  if (length !== undefined && (!Number.isSafeInteger(length) || length < 0)) {
    throw new RangeError(`The length of a body is a whole number from 0, not ${length}`);
  }
  const bare = new URL(url);
  bare.username = bare.password = "";
  return {
    method: chosen,
    url: bare,
    headers: authorization === undefined ? headers : ["Authorization", authorization, ...headers],
    body,
    length,
  };
}

/** The fields of a request, in the order that they are sent in. */
export function fieldsOf(
  { method, url, headers, body, length, protocol }: Outgoing,
): readonly string[] {
  const fields: string[] = [];
  if (!hasField(headers, "host")) fields.push("Host", url.host);
  if (!hasField(headers, "user-agent")) fields.push("User-Agent", `plainsocket/${VERSION}`);
  if (!hasField(headers, "accept")) fields.push("Accept", "*/*");
  for (let i = 0; i < headers.length; i += 2) {
    // An empty value of these is the way to send none.
    const left = headers[i + 1] === "" && /^(user-agent|accept)$/i.test(headers[i]);
    if (!left) fields.push(headers[i], headers[i + 1]);
  }
  if (isStream(body)) {
    if (length === undefined) fields.push("Transfer-Encoding", "chunked");
    else fields.push("Content-Length", String(length));
  } else if (body !== undefined || WITH_CONTENT.has(method)) {
    fields.push("Content-Length", String(body?.length ?? 0));
  }
  if (protocol === undefined) fields.push("Connection", "close");
  else fields.push("Connection", "Upgrade", "Upgrade", protocol);
  return fields;
}

/** The request line, without its line end. */
export function requestLine({ method, url }: Outgoing): string {
  return `${method} ${url.pathname}${url.search} HTTP/1.1`;
}
