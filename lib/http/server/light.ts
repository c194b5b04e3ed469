/**
 * The engine's own request and response: no more than HTTP/1.1 has, and nothing made before it is asked
 * for. `serveHttp()` builds the `Request` and `Response` that everyone knows on these.
 *
 * @module
 */

import type { Addr } from "../../base/addr.ts";
import type { HttpError } from "../message/errors.ts";

/** The body of a request, which comes bit by bit. It can be read until the request is answered. */
export interface LightBody extends AsyncIterable<Uint8Array> {
  /** The number of bytes that it has, if Content-Length says so; undefined of a chunked one. */
  readonly length: number | undefined;

  /**
   * The next bytes, or `null` at the end. They are the handler's to keep. Iterating the body gives the
   * same; what is left of it then can be read on.
   *
   * Rejects with an {@linkcode HttpError}: BODY_TOO_LARGE (413), BAD_CHUNK (400), TIMEOUT (408);
   * BODY_INCOMPLETE if the client closed before the end, or the request was answered before that.
   */
  read(): Promise<Uint8Array | null>;

  /**
   * The body as iterating it gives it, without a copy: each piece is valid until the next step only.
   * The bodies of the engine have it; those that somebody else made need not.
   */
  borrowed?(): AsyncIterable<Uint8Array>;
}

/**
 * A request as it came. It is a plain object: `{ ...request, target: "/other" }` is one, too. Valid
 * until it is answered.
 */
export interface LightRequest {
  /** The method; case-sensitive. */
  readonly method: string;
  /** The request-target as received: mostly a path and query. */
  readonly target: string;
  /** The host it is for: of an absolute target, else the value of Host; "" if HTTP/1.0 gave none. */
  readonly host: string;
  /** Names and values by turns, as received and in that order. */
  readonly headers: readonly string[];
  /** The minor version: 0 or 1 for HTTP/1.0 and HTTP/1.1. */
  readonly minor: 0 | 1;
  /** The scheme of its URL. */
  readonly scheme: "http" | "https";
  /** The client's address: of the connection, or behind trusted proxies (`HttpOptions.trustProxy`). */
  readonly remoteAddr: Addr;
  /** The address it came to. */
  readonly localAddr: Addr;
  /** The body; undefined without one. */
  readonly body: LightBody | undefined;

  /** The value of a field in `headers`, its lines joined by ", "; the name in any case. */
  header(name: string): string | undefined;

  /**
   * Makes a signal, the same each time. It is aborted when the client leaves: it closed or
   * half-closed the connection, reset it, or a deadline closed that. A client that only half-closed
   * gets its response all the same, unless that is a stream which brings nothing for half a second.
   * It is aborted at the latest when the response breaks off, and not once it is sent. To throw its
   * reason is not an error.
   */
  signal(): AbortSignal;
}

/**
 * A response: a plain object. Framing fields (Content-Length, Transfer-Encoding, Connection, Date)
 * are the engine's.
 */
export interface LightResponse {
  /** The status code, 200 to 599. */
  readonly status: number;
  /** Names and values by turns. */
  readonly headers?: readonly string[];
  /**
   * The content: text is sent as UTF-8, a stream as it comes, its head at once. A stream that is not
   * wanted to its end, since its client has left, is ended by `return()`, which a generator sees
   * once what it awaits settles. Each piece is sent before the next is asked for: of a stream that
   * has a method `borrowed()`, as a {@linkcode ClientResponse} has, what that gives is sent.
   * Default: none.
   */
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>;
  /** The length of a stream, if it is known; without it the stream is sent chunked. */
  readonly length?: number;
  /** Why the request is refused. It is for the log, not for the client: `HttpOptions.onResponse` gets it. */
  readonly error?: HttpError;
}

/** Answers requests. An error that it throws becomes a 500, and goes to `HttpOptions.onError`. */
export type LightHandler = (request: LightRequest) => LightResponse | Promise<LightResponse>;
