/**
 * Options of an HTTP server, and their defaults.
 *
 * @module
 */

import {
  ADMISSION,
  checkArgument,
  checkOptions,
  CLOCK,
  FUNCTION,
  HANDLER,
  integer,
  type Kind,
  type Kinds,
  LIMIT,
  LISTENER,
  METRICS,
  optionsOf,
  SIGNAL,
  TEXTS,
  TIMEOUT,
  WAIT,
} from "../../base/arguments.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import type { Admission } from "../../net/admission.ts";
import type { MetricsSink } from "../../net/metrics_sink.ts";
import type { Addr } from "../../base/addr.ts";
import { formatAddr } from "../../base/addr.ts";
import { warn } from "../../serve/server.ts";
import type { HttpError } from "../message/errors.ts";
import { HEAD_LIMITS, type HeadLimits } from "../message/request_head.ts";
import type { LightRequest } from "./light.ts";
import { TrustedProxies } from "./trusted_proxies.ts";

/**
 * Limits of size, count and time, so that no client can hold the server up. For times, rates and {@linkcode HttpLimits.requests} 0 means no limit.
 */
export interface HttpLimits extends HeadLimits {
  /** The time from the first byte of a head to its last, in milliseconds. Longer is 408. Default: 15,000. */
  readonly headTimeout: number;
  /** The time without a byte of a body that is read, in milliseconds. Longer is 408. Default: 30,000. */
  readonly bodyTimeout: number;
  /** Bytes a second that a body must bring on average, once {@linkcode bodyTimeout} has passed;
   * less is 408. Default: 500. */
  readonly bodyRate: number;
  /**
   * The time without a byte of a response that the client takes, in milliseconds. Then the connection
   * is closed. Default: 30,000.
   */
  readonly writeTimeout: number;
  /** The time without a request on a kept connection, in milliseconds. Then it is closed. Default: 30,000. */
  readonly idleTimeout: number;
  /** The most requests on one connection. The last response says close. Default: 1,000. */
  readonly requests: number;
  /** The most bytes of a body, from 1, or `Infinity`. More is 413. Default: 1 MiB. */
  readonly maxSize: number;
}

/** The default limits. */
export const HTTP_LIMITS: HttpLimits = {
  ...HEAD_LIMITS,
  headTimeout: 15_000,
  bodyTimeout: 30_000,
  bodyRate: 500,
  writeTimeout: 30_000,
  idleTimeout: 30_000,
  requests: 1000,
  maxSize: 1024 * 1024,
};

const MAX_SIZE: Kind = {
  ...LIMIT,
  takes: "bytes from 1, or Infinity for no limit,",
  fits: (value) => (value as number) >= 1,
};

const LIMITS: Kinds<HttpLimits> = {
  requestLine: integer(1),
  headerBytes: integer(1),
  headerCount: integer(1),
  headTimeout: TIMEOUT,
  bodyTimeout: TIMEOUT,
  bodyRate: LIMIT,
  writeTimeout: TIMEOUT,
  idleTimeout: TIMEOUT,
  requests: LIMIT,
  maxSize: MAX_SIZE,
};

/** A request and how it was answered. */
export interface Exchange {
  /** The request. Undefined if the input was not a valid request, and was refused. */
  readonly request: LightRequest | undefined;
  /** The client's address, as {@linkcode LightRequest.remoteAddr} has it if there is a request. */
  readonly remoteAddr: Addr;
  /** The status of the response. */
  readonly status: number;
  /** The number of bytes of content that were sent. */
  readonly bytes: number;
  /** Whether the whole response was sent. */
  readonly complete: boolean;
  /**
   * The time from the end of the request's head to the end of the response, in milliseconds; 0 without a
   * request.
   */
  readonly duration: number;
  /**
   * Why the request was refused: its `code` and `message` say what is wrong with it. Of the responses
   * of handlers it is {@linkcode LightResponse.error}.
   */
  readonly error: HttpError | undefined;
}

/** Options of the HTTP servers. */
export interface HttpOptions {
  /** Aborting it stops the server: requests under way are answered, idle connections closed. */
  readonly signal?: AbortSignal;
  /**
   * The most connections at once. 0 means no limit. At that number the one that has waited longest
   * for a request is closed for the next, if it has waited for half a second or more. So is one
   * whose client has left, or is slow: it has been five seconds behind 500 bytes a second in what it
   * sends of a body or takes of a response. If there is no such connection, the next one waits: up to
   * 512 in the server, and the rest in the listener's backlog. An address with many connections waits
   * behind the others. Default: 1024.
   */
  readonly maxConnections?: number;
  /** Called each time that new connections begin to wait, since no connection can be evicted. */
  readonly onFull?: () => void;
  /**
   * Decides who may connect. With `trustProxy` it is also asked for the client of each request that a
   * proxy passes on: who is refused gets 403. A WebSocket counts as a connection of its client.
   * Default: everyone may.
   */
  readonly admission?: Admission;
  /**
   * The networks of proxies, such as `["10.0.0.0/8"]`, and `"unix"` for the peers of a Unix socket. Of
   * their requests `remoteAddr`, `scheme` and `host`, and so `request.url`, are those that the client
   * sees, as `Forwarded` (RFC 7239) and `X-Forwarded-For`, `-Proto` and `-Host` say. The client is the
   * last address that is not of such a proxy. A field that is not valid there, or contradicts another,
   * is answered with 400. The proxies must set or remove all of these fields. Default: none.
   */
  readonly trustProxy?: readonly string[];
  /** The time that requests get to finish once the server stops, in milliseconds. Default: 10,000. */
  readonly drainTimeout?: number;
  /** Limits other than the defaults. */
  readonly limits?: Partial<HttpLimits>;
  /**
   * Called with an error of a handler, or of the stream of its response: mistakes. Refused requests
   * and clients that leave are not among them: {@linkcode HttpOptions.onResponse} reports those.
   * Nearly always it was for a request. Default: it becomes a process warning with its stack, the
   * method, the target and the client's address.
   */
  readonly onError?: (error: unknown, request: LightRequest | undefined) => void;
  /** Called for each response, once it has been sent or has broken off. It must not throw. */
  readonly onResponse?: (exchange: Exchange) => void;
  /**
   * Counts connections and requests. A listener counts connections that wait, and handshakes: give the
   * same to both. Default: nothing is counted.
   */
  readonly metrics?: MetricsSink;
  /** The clock. Default: the system's. */
  readonly clock?: Clock;
}

const OPTIONS: Kinds<HttpOptions> = {
  signal: SIGNAL,
  maxConnections: LIMIT,
  onFull: FUNCTION,
  admission: ADMISSION,
  trustProxy: TEXTS,
  drainTimeout: WAIT,
  limits: optionsOf(LIMITS),
  onError: FUNCTION,
  onResponse: FUNCTION,
  metrics: METRICS,
  clock: CLOCK,
};

/** Throws unless the server `where` takes them. */
export function checkServer(
  where: string,
  listener: unknown,
  handler: unknown,
  options: unknown,
): void {
  checkArgument(where, listener, LISTENER);
  checkArgument(where, handler, HANDLER);
  checkOptions(where, options, OPTIONS, "{ signal }");
}

/** {@linkcode HttpOptions} with all defaults filled in. */
export interface HttpSettings {
  readonly limits: HttpLimits;
  readonly onError: NonNullable<HttpOptions["onError"]>;
  readonly onResponse: ((exchange: Exchange) => void) | undefined;
  readonly metrics: MetricsSink | undefined;
  readonly clock: Clock;
  readonly admission: Admission | undefined;
  /** Undefined if no proxy is trusted. */
  readonly proxies: TrustedProxies | undefined;
}

/** Fills in the defaults. */
export function settingsOf(options: HttpOptions): HttpSettings {
  const { trustProxy: trusted = [] } = options;
  return {
    limits: limitsOf(options.limits ?? {}),
    onError: options.onError ?? warnOf,
    onResponse: options.onResponse,
    metrics: options.metrics,
    clock: options.clock ?? systemClock,
    admission: options.admission,
    proxies: trusted.length === 0 ? undefined : new TrustedProxies(trusted),
  };
}

/** The limits, with those of the options. No limit is `Infinity`. */
function limitsOf(asked: Partial<HttpLimits>): HttpLimits {
  const given = Object.entries(asked).filter(([, limit]) => limit !== undefined);
  const limits: HttpLimits = { ...HTTP_LIMITS, ...Object.fromEntries(given) };
  return {
    ...limits,
    headTimeout: limits.headTimeout || Infinity,
    bodyTimeout: limits.bodyTimeout || Infinity,
    writeTimeout: limits.writeTimeout || Infinity,
    idleTimeout: limits.idleTimeout || Infinity,
    requests: limits.requests || Infinity,
  };
}

function warnOf(error: unknown, request: LightRequest | undefined): void {
  if (request === undefined) return warn(error, "on an HTTP connection");
  const { method, target, remoteAddr } = request;
  warn(error, `for ${method} ${target} from ${formatAddr(remoteAddr)}`);
}
