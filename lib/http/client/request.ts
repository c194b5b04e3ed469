/**
 * Getting things by HTTP/1.1: the client of the engine that `serveLight()` is the server of.
 *
 * @module
 */

import { checkArgument, checkOptions, TRANSPORT } from "../../base/arguments.ts";
import { systemClock } from "../../base/clock.ts";
import { Deadline } from "../../base/wait.ts";
import { counted } from "../../base/counted.ts";
import type { Transport } from "../../net/transport.ts";
import { type HttpRequestOptions, REQUEST_OPTIONS } from "./options.ts";
import type { ReceivedResponse } from "./received_response.ts";
import type { ClientResponse } from "./response.ts";
import { RequestError } from "./errors.ts";
import { redirected } from "./redirect.ts";
import { exchange } from "./exchange.ts";
import { RESPONSE_HEAD_LIMITS } from "../message/response_head.ts";
import { firstRequest, type Outgoing } from "./request_head.ts";
import { withoutCredentials } from "../../base/url.ts";
import { parseUrl } from "./url.ts";
import { checkIdentity } from "../../net/transport_arguments.ts";

/**
 * Sends a request over a connection of its own, follows redirects, and resolves when the head of
 * the response has come. Any status is a response. Responses are read strictly by RFC 9112: what is
 * malformed, ambiguous, truncated or too long is an error.
 *
 * Authorization, Cookie and Host are not sent to another origin (scheme, host and port) that a
 * redirect leads to.
 *
 * Nothing here bounds how many requests are under way at once: that is the caller's. A response takes up
 * to 512 KiB for what it receives until it is closed, 32 KiB if it is small, and one more connection.
 *
 * Rejects with a {@linkcode RequestError} or, when connecting or the connection fails, a
 * {@linkcode SocketError}; with a `TypeError` for a method or field that HTTP cannot carry.
 *
 * @example
 * ```ts
 * import { systemTransport } from "@plainsocket/plainsocket";
 * import { requestHttp, serveLight } from "@plainsocket/plainsocket/http";
 * import assert from "node:assert/strict";
 *
 * const listener = await systemTransport.listen({ host: "127.0.0.1" });
 * const server = serveLight(listener, ({ target }) => ({ status: 200, body: `You want ${target}` }));
 *
 * const url = `http://127.0.0.1:${listener.addr.port}/this`;
 * const response = await requestHttp(systemTransport, { url });
 * assert.deepEqual([response.status, await response.text()], [200, "You want /this"]);
 *
 * await server.stop();
 * ```
 */
export async function requestHttp(
  transport: Transport,
  options: HttpRequestOptions,
): Promise<ClientResponse> {
  checkArgument("requestHttp", transport, TRANSPORT);
  checkOptions("requestHttp", options, REQUEST_OPTIONS, '{ url: "http://localhost:8080/" }');
  checkIdentity("requestHttp, in tls,", options.tls ?? {});
  const { maxRedirects = 10, clock = systemClock, totalTimeout = 0 } = options;
  const url = parseUrl(String(options.url));
  let request = firstRequest(
    url,
    options.method,
    options.headers ?? [],
    options.body,
    options.length,
  );
  const deadline = new Deadline({ signal: options.signal, timeout: totalTimeout, clock });
  const began = clock.now();
  const settings = {
    path: options.socketPath,
    tls: options.tls ?? {},
    signal: deadline.signal,
    connectTimeout: options.connectTimeout ?? 10_000,
    idleTimeout: options.idleTimeout ?? 60_000,
    maxSize: options.maxSize || Infinity,
    limits: { ...RESPONSE_HEAD_LIMITS, ...options.limits },
    onHead: options.onHead ?? (() => {}),
    clock,
    began,
  };
  try {
    for (let redirects = 0, redirectedAt = began;; redirects++, redirectedAt = clock.now()) {
      const { response } = await exchange(transport, request, { ...settings, redirectedAt });
      const next = maxRedirects === 0 ? undefined : nextOf(request, response);
      if (next === undefined) {
        response.onClosed = () => deadline[Symbol.dispose]();
        response.closeIfWhole();
        return response;
      }
      response.close();
      if (redirects === maxRedirects) {
        const why = `there are more than ${counted(maxRedirects, "redirect")}`;
        throw new RequestError("TOO_MANY_REDIRECTS", withoutCredentials(request.url), why);
      }
      request = next;
    }
  } catch (error) {
    deadline[Symbol.dispose]();
    throw error;
  }
}

function nextOf(request: Outgoing, response: ReceivedResponse): Outgoing | undefined {
  try {
    return redirected(request, response.head);
  } catch (error) {
    response.close();
    throw error;
  }
}
