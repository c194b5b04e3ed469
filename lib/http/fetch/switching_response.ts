/**
 * The response with status 101, which a `Response` cannot have by itself.
 *
 * @module
 */

import type { LightResponse } from "../server/light.ts";

/** The properties of a `Response` with a status that its constructor refuses. */
const SWITCHING: PropertyDescriptorMap = { status: { value: 101 }, ok: { value: false } };

/** What each was made of. Not a subclass: for `Response` Node loads all of fetch, which takes 25 ms. */
const lights = new WeakMap<Response, LightResponse>();

/** Makes a `Response` with status 101 of what the engine sends. */
export function switchingResponse(light: LightResponse): Response {
  const response = Object.defineProperties(new Response(null), SWITCHING);
  lights.set(response, light);
  return response;
}

/** Returns what {@linkcode switchingResponse} has made a response of. Undefined for any other. */
export function switchingBehind(response: Response): LightResponse | undefined {
  return response.status === 101 ? lights.get(response) : undefined;
}
