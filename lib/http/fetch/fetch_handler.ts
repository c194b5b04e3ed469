/**
 * Handlers of the two kinds, made of each other: those of the engine's requests, for `serveLight()`,
 * and those of fetch's, for `serveHttp()`, `Deno.serve()`, Hono and others.
 *
 * @module
 */

import { checkArgument, HANDLER } from "../../base/arguments.ts";
import type { Addr } from "../../base/addr.ts";
import { lightRequest } from "./request_to_light.ts";
import { fetchResponse } from "./response_from_light.ts";
import type { LightHandler, LightRequest, LightResponse } from "../server/light.ts";
import { lightBehind, webRequest } from "./request_from_light.ts";
import { lightResponse } from "./response_to_light.ts";

/** The second argument of a handler: the addresses of its connection. */
export interface HttpInfo {
  /** The client's address. */
  readonly remoteAddr: Addr;
  /** The address that the request came to. */
  readonly localAddr: Addr;
}

/**
 * Answers requests. An error that it throws becomes a 500, and goes to
 * {@linkcode HttpOptions.onError}.
 */
export type HttpHandler = (request: Request, info: HttpInfo) => Response | Promise<Response>;

/**
 * Answers a `Request`. The second argument may have the client's address, as `serveHttp()` and
 * `Deno.serve()` pass it.
 */
export type FetchHandler = (
  request: Request,
  info?: { readonly remoteAddr?: unknown },
) => Promise<Response>;

/** Answers both, and so goes wherever there are handlers. */
export interface AnyHandler {
  /** Answers a request of the engine's, as for `serveLight()`. */
  (request: LightRequest): LightResponse | Promise<LightResponse>;
  /** Answers one of fetch's, as for `serveHttp()`, `Deno.serve()` and Hono. */
  (request: Request, info?: { readonly remoteAddr?: unknown }): Promise<Response>;
}

/**
 * Makes a handler for `serveLight()` of one for `serveHttp()`.
 *
 * @example
 * ```ts
 * import { systemTransport } from "@plainsocket/plainsocket";
 * import { fromFetchHandler, serveLight } from "@plainsocket/plainsocket/http";
 * import assert from "node:assert/strict";
 *
 * const hello = fromFetchHandler((request) => new Response(`${request.method} ${request.url}`));
 * const listener = await systemTransport.listen({ host: "127.0.0.1" });
 * const server = serveLight(listener, hello);
 *
 * const url = `http://127.0.0.1:${listener.addr.port}/`;
 * assert.equal(await (await fetch(url)).text(), `GET ${url}`);
 *
 * await server.stop();
 * ```
 */
export function fromFetchHandler(handler: HttpHandler): LightHandler {
  checkArgument("fromFetchHandler", handler, HANDLER);
  return (light) => {
    const response = handler(webRequest(light), light);
    if (!(response instanceof Promise)) return lightResponse(response, light.method);
    return response.then((response) => lightResponse(response, light.method));
  };
}

/**
 * Makes a handler for `serveHttp()`, `Deno.serve()`, Hono and others of one for `serveLight()`.
 *
 * The `LightRequest` is that of the engine if the `Request` comes from `serveHttp()`. Of another one
 * the local address is not known, nor the client's unless the second argument has it: then they are
 * those of a Unix socket without a path. It rejects with what the handler throws, and with a `TypeError`
 * or `RangeError` for a response that a `Response` cannot have.
 *
 * @example The same site for serveHttp(), beside routes of one's own
 * ```ts
 * import { systemTransport } from "@plainsocket/plainsocket";
 * import { serveHttp, serveLight, toFetchHandler } from "@plainsocket/plainsocket/http";
 * import assert from "node:assert/strict";
 *
 * const site = toFetchHandler(({ target }) => ({ status: 200, body: `the site has ${target}` }));
 * const listener = await systemTransport.listen({ host: "127.0.0.1" });
 * const server = serveHttp(listener, (request, info) => {
 *   if (new URL(request.url).pathname === "/api") return Response.json({ hello: "world" });
 *   return site(request, info);
 * });
 *
 * const url = `http://127.0.0.1:${listener.addr.port}`;
 * assert.deepEqual(await (await fetch(`${url}/api`)).json(), { hello: "world" });
 * assert.equal(await (await fetch(`${url}/page`)).text(), "the site has /page");
 *
 * await server.stop();
 * ```
 */
export function toFetchHandler(handler: LightHandler): FetchHandler {
  checkArgument("toFetchHandler", handler, HANDLER);
  return async (request, info) => {
    const response = await handler(lightRequest(request, info?.remoteAddr));
    if (response.status === 101 && lightBehind(request) === undefined) {
      throw new TypeError("Only serveHttp() and serveLight() can hand over a connection (upgrade)");
    }
    return fetchResponse(response, request.method);
  };
}

/** Makes a handler of both kinds of one for `serveLight()`. */
export function toAnyHandler(handler: LightHandler): AnyHandler {
  const fetchHandler = toFetchHandler(handler);
  function answer(request: LightRequest): LightResponse | Promise<LightResponse>;
  function answer(request: Request, info?: { readonly remoteAddr?: unknown }): Promise<Response>;
  function answer(request: LightRequest | Request, info?: { readonly remoteAddr?: unknown }) {
    return "target" in request ? handler(request) : fetchHandler(request, info);
  }
  return answer;
}
