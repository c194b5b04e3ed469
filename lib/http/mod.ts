/**
 * HTTP/1.1 on any transport: a server for fetch handlers, one for a light handler, and a client.
 *
 * @example A server, and a request to it
 * ```ts
 * import { systemTransport } from "@plainsocket/plainsocket";
 * import { requestHttp, serveHttp } from "@plainsocket/plainsocket/http";
 *
 * const listener = await systemTransport.listen({ host: "localhost" });
 * const server = serveHttp(listener, () => new Response("hello"));
 *
 * const url = new URL(`http://localhost:${listener.addr.port}/`);
 * const response = await requestHttp(systemTransport, { url });
 * console.log(await response.text());
 *
 * await server.stop();
 * ```
 *
 * @module
 */

export { ACCEPT_ENCODING, decodeContent } from "./client/content_decoding.ts";
export type { DecodeOptions } from "./client/content_decoding.ts";
export { REQUEST_ERRORS, RequestError } from "./client/errors.ts";
export type { RequestErrorCode } from "./client/errors.ts";
export type { ClientTls, HttpHead, HttpRequestOptions } from "./client/options.ts";
export { requestHttp } from "./client/request.ts";
export type { ClientResponse, ContentOptions, ResponseTiming } from "./client/response.ts";
export { requestUpgrade } from "./client/upgrade.ts";
export type { UpgradeRequestOptions, UpgradeResult } from "./client/upgrade.ts";
export { parseUrl } from "./client/url.ts";
export { fromFetchHandler, toFetchHandler } from "./fetch/fetch_handler.ts";
export type { AnyHandler, FetchHandler, HttpHandler, HttpInfo } from "./fetch/fetch_handler.ts";
export { requireHost } from "./fetch/require_host.ts";
export type { RequireHostOptions } from "./fetch/require_host.ts";
export { serveHttp } from "./fetch/serve_http.ts";
export { traced, tracedLight } from "./fetch/traced.ts";
export { upgrade } from "./fetch/upgrade.ts";
export { endToEndHeaders } from "./message/end_to_end_fields.ts";
export { HttpError } from "./message/errors.ts";
export type { HttpErrorCode } from "./message/errors.ts";
export { followMessages } from "./message/follow_messages.ts";
export type { Follow, Passed } from "./message/follow_messages.ts";
export type { HeadLimits } from "./message/request_head.ts";
export type { ResponseHeadLimits } from "./message/response_head.ts";
export type { LightBody, LightHandler, LightRequest, LightResponse } from "./server/light.ts";
export { HTTP_LIMITS } from "./server/options.ts";
export type { Exchange, HttpLimits, HttpOptions } from "./server/options.ts";
export { prepare } from "./server/prepared_response.ts";
export { serveLight } from "./server/server.ts";
export type { UpgradeOptions } from "./server/upgrade.ts";
