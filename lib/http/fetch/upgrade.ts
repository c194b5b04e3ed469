/**
 * Taking over the connection of a request of either kind.
 *
 * @module
 */

import { type UpgradeOptions, upgradeResponse } from "../server/upgrade.ts";
import type { LightRequest, LightResponse } from "../server/light.ts";
import { fetchResponse } from "./response_from_light.ts";
import { lightBehind } from "./request_from_light.ts";

/**
 * Takes over the connection of a request, for another protocol (RFC 9110 section 7.8). Returns the
 * response for the handler to return: 101 if the client asks for the protocol with the fields
 * Connection and Upgrade, and else 426 that names it. A request with content is answered with 400.
 *
 * Once 101 is sent, {@linkcode UpgradeOptions.handler} gets the connection. The limits of time of HTTP
 * are over then; those of `serve`, such as `maxConnections` and `drainTimeout`, are not.
 *
 * Throws a `TypeError` for a `Request` that is not from `serveHttp()`.
 *
 * @example
 * ```ts
 * import { systemTransport } from "@plainsocket/plainsocket";
 * import { requestUpgrade, serveHttp, upgrade } from "@plainsocket/plainsocket/http";
 * import { echo } from "@plainsocket/plainsocket/protocols";
 * import assert from "node:assert/strict";
 *
 * const listener = await systemTransport.listen({ host: "127.0.0.1" });
 * const server = serveHttp(listener, (request) => {
 *   return upgrade(request, { protocol: "echo", handler: echo() });
 * });
 *
 * const url = `http://127.0.0.1:${listener.addr.port}/`;
 * const { conn } = await requestUpgrade(systemTransport, { url, protocol: "echo" });
 * await conn!.write(new TextEncoder().encode("hello"));
 * const buffer = new Uint8Array(16);
 * assert.equal(await conn!.read(buffer), 5);
 * conn!.close();
 *
 * await server.stop();
 * ```
 */
export function upgrade(request: LightRequest, options: UpgradeOptions): LightResponse;
/** Takes over the connection of a `Request` of `serveHttp()`, and returns a `Response`. */
export function upgrade(request: Request, options: UpgradeOptions): Response;
export function upgrade(
  request: LightRequest | Request,
  options: UpgradeOptions,
): LightResponse | Response {
  if (!(request instanceof Request)) return upgradeResponse(request, options);
  const light = lightBehind(request);
  if (light === undefined) {
    throw new TypeError(
      "upgrade() takes a request of serveHttp() or serveLight() that was not read, not one that " +
        "something else has made",
    );
  }
  return fetchResponse(upgradeResponse(light, options), light.method);
}
