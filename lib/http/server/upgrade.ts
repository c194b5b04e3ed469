/**
 * Taking over the connection of a request, for another protocol (RFC 9110 section 7.8).
 *
 * @module
 */

import {
  checkOptions,
  FIELDS,
  FUNCTION,
  type Kinds,
  required,
  TEXT,
} from "../../base/arguments.ts";
import type { Handler } from "../../serve/serve.ts";
import { membersOf } from "../message/fields.ts";
import type { LightRequest, LightResponse } from "./light.ts";

/** Options of {@linkcode upgrade}. */
export interface UpgradeOptions {
  /** The protocol that the client must have asked for, such as `websocket`; in any case. */
  readonly protocol: string;
  /** More fields of the response, names and values by turns. Default: none. */
  readonly headers?: readonly string[];
  /**
   * Speaks the protocol, as a handler of `serve()` does: `stopping` is aborted when the server begins
   * to stop. Its first reads give what the client sent after the head of its request. When it is done,
   * the connection is closed. What it throws resets the connection, and goes to
   * {@linkcode HttpOptions.onError}; errors of the connection itself do not.
   */
  readonly handler: Handler;
}

const OPTIONS: Kinds<UpgradeOptions> = {
  protocol: required(TEXT),
  headers: FIELDS,
  handler: required(FUNCTION),
};

/** The switch to another protocol after 101. */
interface Switch {
  readonly protocol: string;
  readonly handler: Handler;
}

const SWITCH: unique symbol = Symbol("what 101 leads to");

/** A response that ends HTTP on its connection. */
interface SwitchingResponse extends LightResponse {
  readonly [SWITCH]: Switch;
}

/** Makes the response that takes the connection over, or the one that says why that cannot be. */
export function upgradeResponse(request: LightRequest, options: UpgradeOptions): LightResponse {
  checkOptions("upgrade", options, OPTIONS, '{ protocol: "echo", handler: (conn) => … }');
  const { protocol, headers = [], handler } = options;
  if (!asksFor(request, protocol)) return upgradeRequired(protocol);
  // RFC 9110 section 7.8: all of the request comes before the new protocol.
  if (request.body !== undefined) {
    return refusal(400, "A request that asks for another protocol has no content here.");
  }
  const response: SwitchingResponse = {
    status: 101,
    headers: ["Upgrade", protocol, ...headers],
    [SWITCH]: { protocol, handler },
  };
  return response;
}

/**
 * The handler that a response hands the connection of this request to; undefined of any other response.
 * Throws a `TypeError` if the response was made for another request, which this one cannot go on with.
 */
export function upgradedHandlerOf(
  response: LightResponse,
  request: LightRequest,
): Handler | undefined {
  const to = (response as Partial<SwitchingResponse>)[SWITCH];
  if (to === undefined) return undefined;
  if (asksFor(request, to.protocol) && request.body === undefined) return to.handler;
  throw new TypeError("A response of upgrade() is for the request that upgrade() was called with");
}

/** RFC 9110 section 15.5.22. */
function upgradeRequired(protocol: string): LightResponse {
  const { status, headers, body } = refusal(426, `This resource speaks ${protocol} only.`);
  return { status, headers: [...headers!, "Upgrade", protocol], body };
}

function refusal(status: number, why: string): LightResponse {
  return { status, headers: ["Content-Type", "text/plain;charset=utf-8"], body: `${why}\n` };
}

/** Whether a request asks to go on with this protocol. HTTP/1.0 has no way to do so. */
export function asksFor(request: LightRequest, protocol: string): boolean {
  const has = (name: string, wanted: string) =>
    membersOf(request.header(name) ?? "").some((member) => member.toLowerCase() === wanted);
  return request.minor === 1 && has("connection", "upgrade") &&
    has("upgrade", protocol.toLowerCase());
}
