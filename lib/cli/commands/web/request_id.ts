/**
 * The identifiers of requests, which are the same in all lines and logs about one.
 *
 * @module
 */

import { nodeCrypto } from "../../../base/builtins.deno.ts";
import type { LightRequest } from "../../../http/server/light.ts";

/** The values of X-Request-Id that are taken over: nothing that could forge a part of a log. */
const FIT = /^[A-Za-z0-9._~+/=:@-]{1,128}$/;

const made = new WeakMap<LightRequest, string>();

/** The value of X-Request-Id if it is fit for a log; if not, a UUID, the same one for each call. */
export function requestIdOf(request: LightRequest): string {
  const given = request.header("x-request-id");
  if (given !== undefined && FIT.test(given)) return given;
  let id = made.get(request);
  if (id === undefined) made.set(request, id = nodeCrypto().randomUUID());
  return id;
}
