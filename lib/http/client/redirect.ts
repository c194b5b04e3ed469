/**
 * Redirects (RFC 9110 section 15.4): which request a response asks for next.
 *
 * @module
 */

import { isStream } from "../server/response.ts";
import { RequestError } from "./errors.ts";
import type { ResponseHead } from "../message/response_head.ts";
import type { Outgoing } from "./request_head.ts";
import { withoutCredentials } from "../../base/url.ts";
import { parseUrl } from "./url.ts";

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Meant for one origin, and for no other that it may point to. */
const CREDENTIALS = new Set(["authorization", "cookie", "proxy-authorization", "host"]);

/** The fields that describe content, and mean nothing without it. */
const OF_CONTENT = /^content-/i;

/**
 * The request that `response` redirects `request` to; nothing if it is not a redirect. 303, and 301 and
 * 302 for a POST, are followed with GET and without the content; all others repeat the request. What
 * is left out for another origin is not sent again later, even if the way leads back.
 *
 * Throws {@linkcode RequestError} BAD_REDIRECT if Location does not lead to one http or https URL.
 */
export function redirected(request: Outgoing, response: ResponseHead): Outgoing | undefined {
  if (!REDIRECTS.has(response.status)) return undefined;
  const locations = new Set(
    response.headers.filter((_, i, all) => i % 2 === 1 && all[i - 1].toLowerCase() === "location"),
  );
  if (locations.size === 0) return undefined;
  const from = withoutCredentials(request.url);
  if (locations.size > 1) {
    throw new RequestError("BAD_REDIRECT", from, "the server redirects to several places");
  }
  const [location] = locations;
  const url = resolve(location, request.url, from);
  const bare = becomesGet(request.method, response.status);
  return {
    method: bare ? "GET" : request.method,
    url,
    body: bare ? undefined : repeatable(request, from),
    length: undefined,
    headers: withoutFields(request.headers, (name) =>
      (bare && OF_CONTENT.test(name)) ||
      (url.origin !== request.url.origin && CREDENTIALS.has(name.toLowerCase()))),
  };
}

/** The content, to be sent once more. */
function repeatable({ body }: Outgoing, from: string): Outgoing["body"] {
  if (!isStream(body)) return body;
  const why = "the server redirects content that is a stream, which cannot be sent again";
  throw new RequestError("BAD_REDIRECT", from, why);
}

function becomesGet(method: string, status: number): boolean {
  if (status === 303) return method !== "GET" && method !== "HEAD";
  return method === "POST" && (status === 301 || status === 302);
}

function resolve(location: string, base: URL, from: string): URL {
  try {
    // The bytes of a name that is not ASCII, escaped as they are.
    const escaped = location.replace(
      /[\x80-\xff]/g,
      (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`,
    );
    const url = parseUrl(new URL(escaped.replaceAll(" ", "%20"), base).href);
    if (url.hash === "") url.hash = base.hash;
    // A server has no business choosing who we say we are.
    url.username = url.password = "";
    return url;
  } catch (cause) {
    const why = `the server redirects to '${location}', which cannot be followed`;
    throw new RequestError("BAD_REDIRECT", from, why, { cause });
  }
}

function withoutFields(
  headers: readonly string[],
  leaveOut: (name: string) => boolean,
): readonly string[] {
  return headers.filter((_, i) => !leaveOut(headers[i - i % 2]));
}
