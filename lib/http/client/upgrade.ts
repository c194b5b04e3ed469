/**
 * Asking a server to go on with another protocol (RFC 9110 section 7.8).
 *
 * @module
 */

import {
  checkArgument,
  checkOptions,
  type Kinds,
  required,
  TEXT,
  TRANSPORT,
} from "../../base/arguments.ts";
import { systemClock } from "../../base/clock.ts";
import { Deadline } from "../../base/wait.ts";
import type { Conn, Transport } from "../../net/transport.ts";
import { checkIdentity } from "../../net/transport_arguments.ts";
import { RESPONSE_HEAD_LIMITS } from "../message/response_head.ts";
import { isToken } from "../../base/header_fields.ts";
import { exchange } from "./exchange.ts";
import { type HttpRequestOptions, REQUEST_OPTIONS } from "./options.ts";
import { firstRequest } from "./request_head.ts";
import type { ClientResponse } from "./response.ts";
import { parseUrl } from "./url.ts";

/** Options of {@linkcode requestUpgrade}. */
export interface UpgradeRequestOptions extends
  Pick<
    HttpRequestOptions,
    | "url"
    | "socketPath"
    | "tls"
    | "headers"
    | "limits"
    | "connectTimeout"
    | "idleTimeout"
    | "totalTimeout"
    | "signal"
    | "onHead"
    | "clock"
  > {
  /** The protocol to go on with, such as `websocket`. */
  readonly protocol: string;
}

const { url, socketPath, tls, headers, limits, connectTimeout, idleTimeout, totalTimeout, signal } =
  REQUEST_OPTIONS;
const { onHead, clock } = REQUEST_OPTIONS;

const OPTIONS: Kinds<UpgradeRequestOptions> = {
  url,
  protocol: required({
    ...TEXT,
    takes: "a protocol, such as 'websocket',",
    fits: (value) => (value as string).split("/").every(isToken),
  }),
  socketPath,
  tls,
  headers,
  limits,
  connectTimeout,
  idleTimeout,
  totalTimeout,
  signal,
  onHead,
  clock,
};

/** The answer of the server. */
export interface UpgradeResult {
  /** Its response: 101, or any other. */
  readonly response: ClientResponse;
  /**
   * The connection, which belongs to the caller. Its first reads give what the server sent after the
   * head of 101. Undefined if the server answered with another status; then the response is read as
   * that of any request.
   */
  readonly conn: Conn | undefined;
}

/**
 * Asks a server to go on with another protocol, by a GET. Redirects are not followed.
 *
 * Rejects as {@linkcode requestHttp} does. A server that switches to another protocol than the one
 * that was asked for is BAD_STATUS. `signal` and the timeouts apply until the response has come.
 */
export async function requestUpgrade(
  transport: Transport,
  options: UpgradeRequestOptions,
): Promise<UpgradeResult> {
  checkArgument("requestUpgrade", transport, TRANSPORT);
  const example = '{ url: "http://localhost:8080/", protocol: "websocket" }';
  checkOptions("requestUpgrade", options, OPTIONS, example);
  checkIdentity("requestUpgrade, in tls,", options.tls ?? {});
  const { protocol, clock = systemClock, totalTimeout = 0 } = options;
  const request = firstRequest(
    parseUrl(String(options.url)),
    "GET",
    options.headers ?? [],
    undefined,
    undefined,
  );
  const deadline = new Deadline({ signal: options.signal, timeout: totalTimeout, clock });
  const began = clock.now();
  try {
    const { response, conn } = await exchange(transport, { ...request, protocol }, {
      path: options.socketPath,
      tls: options.tls ?? {},
      signal: deadline.signal,
      connectTimeout: options.connectTimeout ?? 10_000,
      idleTimeout: options.idleTimeout ?? 60_000,
      maxSize: Infinity,
      limits: { ...RESPONSE_HEAD_LIMITS, ...options.limits },
      onHead: options.onHead ?? (() => {}),
      clock,
      began,
      redirectedAt: began,
    });
    response.onClosed = () => deadline[Symbol.dispose]();
    response.closeIfWhole();
    if (conn !== undefined) response.close();
    return { response, conn };
  } catch (error) {
    deadline[Symbol.dispose]();
    throw error;
  }
}
