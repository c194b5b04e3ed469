/**
 * Basic authentication (RFC 7617).
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";
import { type Credentials, credentialsOf } from "../base/basic_auth.ts";
import type { LightHandler, LightResponse } from "../http/server/light.ts";

/**
 * Lets requests with these credentials through to `handler`, and answers all others with 401. The
 * object `expected` may change meanwhile.
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
    const given = credentialsOf(request.header("authorization"));
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
