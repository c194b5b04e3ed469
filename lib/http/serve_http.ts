/**
 * An HTTP server with the handler that everyone knows: `Request` in, `Response` out.
 *
 * @module
 */

import type { ServeSummary } from "../serve.ts";
import type { Addr, Listener } from "../transport.ts";
import type { LightHandler } from "./light.ts";
import { checkServer, type HttpOptions } from "./options.ts";
import { serveLight } from "./server.ts";
import { webRequest } from "./web_request.ts";
import { lightReply } from "./web_response.ts";

/** What a handler is told besides the request. */
export interface HttpInfo {
  /** The client's address. */
  readonly remoteAddr: Addr;
}

/** Answers requests. What it throws becomes a 500, and goes to {@linkcode HttpOptions.onError}. */
export type HttpHandler = (request: Request, info: HttpInfo) => Response | Promise<Response>;

/**
 * Answers HTTP/1.1 and HTTP/1.0 requests as {@linkcode serveLight} does, by a handler as those of
 * `Deno.serve`, Hono or h3: bodies may be streams in both directions, and `request.signal` is
 * aborted when the client leaves.
 *
 * The request is made lazily. On Node, where nothing but a real one will do (`new Request(request)`,
 * `fetch(request)`), hand on `request.clone()`. Of the response Connection, Date, Transfer-Encoding
 * and their kin are the server's, and left out.
 *
 * What a handler throws is answered with 500 and told to {@linkcode HttpOptions.onError}, or is a
 * process warning with its stack, the method and the target. Requests that are refused (400, 413 and
 * their kin) are no errors: {@linkcode HttpOptions.onReply} is told of them, as of every reply. A body
 * that is too large is 413 at once if Content-Length says so; else it has `request.text()` and its kin
 * reject, and that, uncaught, is 413.
 *
 * Rejects as {@linkcode serve} does.
 *
 * @example
 * ```ts
 * import { serveHttp, systemTransport } from "@plainsocket/plainsocket";
 * import assert from "node:assert/strict";
 *
 * const listener = await systemTransport.listen({ host: "127.0.0.1" });
 * const stop = new AbortController();
 * const served = serveHttp(listener, async (request) => {
 *   return Response.json({ path: new URL(request.url).pathname, said: await request.text() });
 * }, { signal: stop.signal });
 *
 * const url = `http://127.0.0.1:${listener.addr.port}/here`;
 * const response = await fetch(url, { method: "POST", body: "hello" });
 * assert.deepEqual(await response.json(), { path: "/here", said: "hello" });
 *
 * stop.abort();
 * await served;
 * ```
 */
export async function serveHttp(
  listener: Listener,
  handler: HttpHandler,
  options: HttpOptions = {},
): Promise<ServeSummary> {
  checkServer("serveHttp", listener, handler, options);
  return await serveLight(listener, fromFetchHandler(handler), options);
}

/** Makes a handler for {@linkcode serveLight} of one for {@linkcode serveHttp}. */
export function fromFetchHandler(handler: HttpHandler): LightHandler {
  return (light) => {
    const response = handler(webRequest(light), light);
    if (!(response instanceof Promise)) return lightReply(response, light.method);
    return response.then((response) => lightReply(response, light.method));
  };
}
