/**
 * Cross-origin requests, as the Fetch standard has them: which responses scripts of other sites may
 * read, and which requests are another site's doing.
 *
 * @module
 */

import { isOwnOrigin } from "../http/message/own_origin.ts";
import type { LightHandler, LightRequest, LightResponse } from "../http/server/light.ts";

/** Fields of every response that scripts of any site may read; names and values by turns. */
export const CORS_FIELDS: readonly string[] = [
  "Access-Control-Allow-Origin",
  "*",
  "Access-Control-Expose-Headers",
  "Accept-Ranges, Content-Encoding, Content-Length, Content-Range, Date, ETag, Location",
];

/** Whether a request is a preflight: a browser's question whether a script may ask. */
function isPreflight(request: LightRequest): boolean {
  return request.method === "OPTIONS" &&
    request.header("origin") !== undefined &&
    request.header("access-control-request-method") !== undefined;
}

/**
 * Answers preflights, which browsers send without credentials, and lets all else through to `handler`:
 * reading is allowed to all, and writing to none, with all header fields that matter to reading.
 * `headers` are {@linkcode CORS_FIELDS} and whatever else every response has.
 */
export function answerPreflights(handler: LightHandler, headers: readonly string[]): LightHandler {
  const response: LightResponse = {
    status: 204,
    headers: [
      ...headers,
      "Access-Control-Allow-Methods",
      "GET, HEAD",
      // The star leaves Authorization out.
      "Access-Control-Allow-Headers",
      "*, Authorization, Range, If-Match, If-None-Match, If-Modified-Since, If-Range",
      "Access-Control-Max-Age",
      "86400",
    ],
  };
  return (request) => isPreflight(request) ? response : handler(request);
}

/**
 * Whether a browser sends this request for another site's page. Programs that are not browsers send
 * neither of the fields that tell.
 *
 * Sec-Fetch-Site decides where there is one: no page can forge it, and no proxy changes it. Origin has
 * to be compared with Host, which a proxy may have replaced.
 */
export function isCrossOrigin(request: LightRequest): boolean {
  const site = request.header("sec-fetch-site");
  if (site !== undefined) return site !== "same-origin" && site !== "none";
  const origin = request.header("origin");
  return origin !== undefined && !isOwnOrigin(origin, request.host);
}
