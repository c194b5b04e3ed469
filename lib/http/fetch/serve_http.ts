/**
 * An HTTP server with the handler that everyone knows: `Request` in, `Response` out.
 *
 * @module
 */

import type { ServeSummary } from "../../serve/serve.ts";
import type { Server } from "../../serve/server.ts";
import type { Listener } from "../../net/transport.ts";
import { fromFetchHandler, type HttpHandler } from "./fetch_handler.ts";
import { checkServer, type HttpOptions } from "../server/options.ts";
import { serveLight } from "../server/server.ts";

/**
 * Answers HTTP/1.1 and HTTP/1.0 requests as {@linkcode serveLight} does, by a handler as those of
 * `Deno.serve`, Hono or h3: bodies may be streams in both directions, and `request.signal` is
 * aborted when the client leaves; to throw its reason is not an error. The second argument has the
 * addresses of the connection.
 *
 * A handler for {@linkcode serveLight} becomes one for this by {@linkcode toFetchHandler}; that of
 * `fileHandler()` or `siteHandler()` is one already.
 *
 * The request is made lazily. On Node, where nothing but a real one will do (`new Request(request)`,
 * `fetch(request)`), hand on `request.clone()`. Of the response Connection, Date, Transfer-Encoding
 * and similar ones are the server's, and left out.
 *
 * An error of a handler is answered with 500 and goes to {@linkcode HttpOptions.onError}, or is a
 * process warning with its stack, the method and the target. Requests that are refused (400, 413
 * and similar) are not errors: {@linkcode HttpOptions.onResponse} is called for them, as for every
 * response. A body that is too large is 413 at once if Content-Length says so; else it has
 * `request.text()` and similar methods reject, and that, uncaught, is 413.
 *
 * Fails as {@linkcode serve} does.
 *
 * @example
 * ```ts
 * import { systemTransport } from "@plainsocket/plainsocket";
 * import { serveHttp } from "@plainsocket/plainsocket/http";
 * import assert from "node:assert/strict";
 *
 * const listener = await systemTransport.listen({ host: "127.0.0.1" });
 * const server = serveHttp(listener, async (request) => {
 *   return Response.json({ path: new URL(request.url).pathname, said: await request.text() });
 * });
 *
 * const url = `http://127.0.0.1:${listener.addr.port}/here`;
 * const response = await fetch(url, { method: "POST", body: "hello" });
 * assert.deepEqual(await response.json(), { path: "/here", said: "hello" });
 *
 * await server.stop();
 * ```
 */
export function serveHttp(
  listener: Listener,
  handler: HttpHandler,
  options: HttpOptions = {},
): Server<ServeSummary> {
  checkServer("serveHttp", listener, handler, options);
  return serveLight(listener, fromFetchHandler(handler), options);
}
