/**
 * Options of an HTTP request, and its events.
 *
 * @module
 */

import {
  BYTES,
  CLOCK,
  FIELDS,
  FLAG,
  FUNCTION,
  integer,
  isBytes,
  type Kind,
  type Kinds,
  LIMIT,
  optionsOf,
  required,
  SIGNAL,
  TEXT,
  TEXTS,
  TIMEOUT,
} from "../../base/arguments.ts";
import type { Clock } from "../../base/clock.ts";
import type { TlsClientOptions } from "../../net/tls/options.ts";
import type { ResponseHeadLimits } from "../message/response_head.ts";
import { OF_SELF_SIGNED } from "../../net/transport_arguments.ts";

/** The client's side of TLS, as far as a URL does not say it; see {@linkcode TlsClientOptions}. */
export type ClientTls = Pick<TlsClientOptions, "caCerts" | "cert" | "key" | "insecure">;

/** Options of {@linkcode requestHttp}. */
export interface HttpRequestOptions {
  /**
   * An absolute `http:` or `https:` URL. User name and password in it become Authorization, unless
   * `headers` have that.
   */
  readonly url: string | URL;
  /** The socket file of the server: the URL then only says what is asked for. Default: TCP. */
  readonly socketPath?: string;
  /**
   * The issuers to trust with https, and the own certificate. Default: those that the runtime
   * trusts, and no certificate.
   */
  readonly tls?: ClientTls;
  /** The method; case-sensitive. Default: GET, or POST if there is a `body`. */
  readonly method?: string;
  /**
   * Names and values by turns. The engine adds Host, User-Agent and Accept unless they are here, and
   * the last two not even if their value is empty here. The framing (Content-Length,
   * Transfer-Encoding, Connection, Expect, Upgrade) is the engine's alone.
   */
  readonly headers?: readonly string[];
  /**
   * The content: text is sent as UTF-8, a stream as it comes, its head at once. The request
   * rejects with an error that the stream throws. A stream that is not wanted to its end is ended by
   * `return()`; it cannot be sent again, as some redirects ask for. Default: none.
   */
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>;
  /** The length of a stream in bytes, if it is known; without it the stream is sent chunked. */
  readonly length?: number;
  /**
   * The number of redirects that are followed; 0 makes a redirect a response like any other.
   * Default: 10.
   */
  readonly maxRedirects?: number;
  /** Bytes of content: more is BODY_TOO_LARGE; 0 for no limit. Default: 0. */
  readonly maxSize?: number;
  /** Limits of the head other than the defaults. */
  readonly limits?: Partial<ResponseHeadLimits>;
  /**
   * The time to resolve the name and connect, in milliseconds, anew for each redirect; 0 for no limit.
   * Default: 10,000.
   */
  readonly connectTimeout?: number;
  /**
   * The time that no byte moves while the server is waited for, in milliseconds; 0 for no limit. Waiting
   * for a stream that is `body` does not count. Default: 60,000.
   */
  readonly idleTimeout?: number;
  /** The time from the call to the end of the body, in milliseconds; 0 for no limit. Default: 0. */
  readonly totalTimeout?: number;
  /** Ends it all when aborted: ETIMEDOUT if the reason is a `TimeoutError`, else ECANCELED. */
  readonly signal?: AbortSignal;
  /** Called for each head sent and received, also those of redirects and interim responses. */
  readonly onHead?: (head: HttpHead) => void;
  /** The clock. Default: the system's. */
  readonly clock?: Clock;
}

const URL_OR_TEXT: Kind = {
  takes: "a string or a URL",
  is: (value) => TEXT.is(value) || value instanceof URL,
};

const CONTENT: Kind = {
  ...BYTES,
  takes: "a string, bytes in a Uint8Array, or a stream of them",
  is: (value) => TEXT.is(value) || isBytes(value) || isIterable(value),
};

function isIterable(value: unknown): boolean {
  return typeof Object(value)[Symbol.asyncIterator] === "function";
}

const CLIENT_TLS: Kinds<ClientTls> = {
  ...OF_SELF_SIGNED,
  caCerts: TEXTS,
  cert: TEXT,
  key: TEXT,
  insecure: FLAG,
};

const HEAD_LIMITS: Kinds<ResponseHeadLimits> = {
  statusLine: integer(1),
  headerBytes: integer(1),
  headerCount: integer(1),
};

/** The kinds of {@linkcode HttpRequestOptions}. */
export const REQUEST_OPTIONS: Kinds<HttpRequestOptions> = {
  url: required(URL_OR_TEXT),
  socketPath: TEXT,
  tls: optionsOf(CLIENT_TLS),
  method: TEXT,
  headers: FIELDS,
  body: CONTENT,
  length: integer(0),
  maxRedirects: integer(0),
  maxSize: LIMIT,
  limits: optionsOf(HEAD_LIMITS),
  connectTimeout: TIMEOUT,
  idleTimeout: TIMEOUT,
  totalTimeout: TIMEOUT,
  signal: SIGNAL,
  onHead: FUNCTION,
  clock: CLOCK,
};

/** The head of a request sent, or of a response received. */
export interface HttpHead {
  /** The kind of the head. */
  readonly type: "request" | "response";
  /** The request line or status line. */
  readonly startLine: string;
  /** Names and values by turns. */
  readonly headers: readonly string[];
}
