/**
 * What an HTTP request can be told, and what comes of it.
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
import type { ReplyHeadLimits } from "../message/response_head.ts";
import { OF_SELF_SIGNED } from "../../net/transport_arguments.ts";

/** The client's side of TLS, as far as a URL does not say it; see {@linkcode TlsClientOptions}. */
export type ClientTls = Pick<TlsClientOptions, "caCerts" | "cert" | "key" | "insecure">;

/** What {@linkcode requestHttp} takes. Times are in milliseconds. */
export interface HttpRequestOptions {
  /**
   * An absolute `http:` or `https:` URL. User name and password in it become Authorization, unless
   * `headers` have that.
   */
  readonly url: string | URL;
  /** The socket file of the server: the URL then only says what is asked for. Default: TCP. */
  readonly path?: string;
  /** Whom to trust with https, and who to be. Default: whom the runtime trusts, and nobody. */
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
   * The content: text is sent as UTF-8, a stream as it comes, its head at once. What the stream throws
   * is what the request rejects with. A stream that is not wanted to its end is told by `return()`;
   * it cannot be sent again, as some redirects ask for. Default: none.
   */
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>;
  /** The length of a stream in bytes, if it is known; without it the stream is sent chunked. */
  readonly length?: number;
  /** How many redirects are followed; 0 makes a redirect a reply like any other. Default: 10. */
  readonly maxRedirects?: number;
  /** Bytes of content: more is BODY_TOO_LARGE; 0 for no limit. Default: 0. */
  readonly maxSize?: number;
  /** Limits of the head other than the defaults. */
  readonly limits?: Partial<ReplyHeadLimits>;
  /** To resolve the name and connect, for each redirect anew; 0 for no limit. Default: 10,000. */
  readonly connectTimeout?: number;
  /** While the server is waited for, and not a stream that is `body`, and no byte moves; 0 for no
   * limit. Default: 60,000. */
  readonly idleTimeout?: number;
  /** From the call to the end of the body; 0 for no limit. Default: 0. */
  readonly totalTimeout?: number;
  /** Ends it all when aborted: ETIMEDOUT if the reason is a `TimeoutError`, else ECANCELED. */
  readonly signal?: AbortSignal;
  /** Is told of each head sent and received: those of redirects and interim replies, too. */
  readonly onHead?: (head: HttpHead) => void;
  /** What time it is. Default: the system's. */
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

const HEAD_LIMITS: Kinds<ReplyHeadLimits> = {
  statusLine: integer(1),
  headerBytes: integer(1),
  headerCount: integer(1),
};

/** What each of {@linkcode HttpRequestOptions} may be. */
export const REQUEST_OPTIONS: Kinds<HttpRequestOptions> = {
  url: required(URL_OR_TEXT),
  path: TEXT,
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

/** The head of a request sent, or of a reply received. */
export interface HttpHead {
  /** Which of the two. */
  readonly type: "request" | "reply";
  /** The request line or status line. */
  readonly startLine: string;
  /** Names and values by turns. */
  readonly headers: readonly string[];
}

/**
 * When what was done: milliseconds from the call. After redirects all but `redirect` is of the last
 * request.
 */
export interface ReplyTiming {
  /** The last request began; 0 without redirects. */
  readonly redirect: number;
  /** The name was resolved; undefined if there was none to resolve. */
  readonly resolve: number | undefined;
  /** The connection was made. */
  readonly connect: number | undefined;
  /** The TLS handshake was done; undefined without TLS. */
  readonly tls: number | undefined;
  /** The first bytes of a reply came. */
  readonly firstByte: number;
  /** The last byte of the body came; undefined before. */
  readonly total: number | undefined;
}

/**
 * A reply. It holds a connection until its body has come, reading it failed, or {@linkcode close} was
 * called.
 */
export interface ClientReply extends AsyncIterable<Uint8Array>, Disposable {
  /** Where it came from: after redirects the last URL, without user name and password. */
  readonly url: string;
  /** The status code, 200 to 999. */
  readonly status: number;
  /** The reason phrase; often "". */
  readonly reason: string;
  /** The minor version: 0 or 1 for HTTP/1.0 and HTTP/1.1. */
  readonly minor: 0 | 1;
  /** Names and values by turns, as received and in that order. */
  readonly headers: readonly string[];
  /** How many bytes of content come, if the head says so. */
  readonly length: number | undefined;
  /**
   * Only the end of the connection ends the content, so nobody can tell whether it is whole. With
   * https that can be told: an end without close_notify is PARTIAL.
   */
  readonly untilClose: boolean;
  /** Bytes of the head on the wire, with those of interim replies. */
  readonly headBytes: number;
  /** Bytes of the body on the wire so far: with the frames of chunks, and before any decoding. */
  readonly bodyBytes: number;
  /** When what was done. */
  readonly timing: ReplyTiming;

  /** The value of a header field, its lines joined by ", "; the name in any case. */
  header(name: string): string | undefined;

  /**
   * The next bytes of the content, or `null` at its end. They are the caller's to keep. Iterating the
   * reply gives the same, and closes it at the end, or at once if that is left before.
   *
   * Rejects with a {@linkcode RequestError}: PARTIAL if the server closed before the end,
   * BAD_CHUNK, BODY_TOO_LARGE; or with a {@linkcode SocketError}. What the server sends behind the
   * end is not looked at.
   */
  read(): Promise<Uint8Array | null>;

  /**
   * The content as iterating the reply gives it, without a copy: each piece is valid until the step
   * after the next only, so that one can be written somewhere while the next one is read.
   */
  borrowed(): AsyncIterable<Uint8Array>;

  /** Closes the connection, whatever is left of the body. */
  close(): void;
}
