/**
 * Basic authentication (RFC 7617).
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";
import type { LightHandler, LightRequest, LightResponse } from "../http/server/light.ts";

/** A user and a password. */
export interface Credentials {
  /** The name, which has no colon. */
  readonly user: string;
  /** The password, of any characters. */
  readonly password: string;
}

/** The user and password that a request brings, if it brings any. Who sent them is not known yet. */
export function credentialsOf(request: LightRequest): Credentials | undefined {
  const match = /^basic +([\w+/-]+=*)$/i.exec(request.header("authorization") ?? "");
  if (match === null) return undefined;
  const text = Buffer.from(match[1], "base64").toString();
  const colon = text.indexOf(":");
  if (colon === -1) return undefined;
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/**
 * Lets requests with these credentials through to `handler`, and answers all others with 401.
 * They may change while it does.
 * `headers` are fields of that response, names and values by turns.
 */
export function requireCredentials(
  handler: LightHandler,
  expected: Credentials,
  headers: readonly string[] = [],
): LightHandler {
  let { user, password } = expected;
  let digest = digestOf(expected);
  const refusal: LightResponse = {
    status: 401,
    headers: [
      "WWW-Authenticate",
      'Basic realm="plainsocket", charset="UTF-8"',
      "Content-Type",
      "text/plain;charset=utf-8",
      "Cache-Control",
      "no-store",
      ...headers,
    ],
    body: "Unauthorized: a user and password are needed.\n",
  };
  return (request) => {
    const given = credentialsOf(request);
    if (expected.user !== user || expected.password !== password) {
      ({ user, password } = expected);
      digest = digestOf(expected);
    }
    // Digests are equally long and equally hard to guess, so that the time reveals nothing.
    if (given === undefined || !timingSafeEqual(digestOf(given), digest)) return refusal;
    return handler(request);
  };
}

function digestOf({ user, password }: Credentials): Buffer {
  return createHash("sha256").update(`${user}:${password}`).digest();
}
