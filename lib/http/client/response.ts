/**
 * The response to a request, as the client's callers have it.
 *
 * @module
 */

/** Options of {@linkcode ClientResponse.text}, `json()` and `bytes()`. */
export interface ContentOptions {
  /** Bytes of decoded content: more is BODY_TOO_LARGE; 0 for no limit. Default: 16 MiB. */
  readonly maxSize?: number;
}

/**
 * When what was done: milliseconds from the call. After redirects all but `redirect` is of the last
 * request.
 */
export interface ResponseTiming {
  /** The last request began; 0 without redirects. */
  readonly redirect: number;
  /** The name was resolved; undefined if there was none to resolve. */
  readonly resolve: number | undefined;
  /** The connection was made. */
  readonly connect: number | undefined;
  /** The TLS handshake was done; undefined without TLS. */
  readonly tls: number | undefined;
  /** The first bytes of a response came. */
  readonly firstByte: number;
  /** The last byte of the body came; undefined before. */
  readonly total: number | undefined;
}

/**
 * A response. It holds a connection until its body has come, reading it failed, or {@linkcode close}
 * was called.
 */
export interface ClientResponse extends AsyncIterable<Uint8Array>, Disposable {
  /** The URL of the response: after redirects the last one, without user name and password. */
  readonly url: string;
  /** The status code, 200 to 999. */
  readonly status: number;
  /** The reason phrase; often "". */
  readonly reason: string;
  /** The minor version: 0 or 1 for HTTP/1.0 and HTTP/1.1. */
  readonly minor: 0 | 1;
  /** The header fields. They are made when they are first asked for. */
  readonly headers: Headers;
  /** The same as received: names and values by turns, in that order and in the case they had. */
  readonly rawHeaders: readonly string[];
  /**
   * The number of bytes that the content has, if the head says so. Of the response to HEAD it is
   * what GET would have brought, and none of it comes.
   */
  readonly length: number | undefined;
  /**
   * Only the end of the connection ends the content, so nobody can tell whether it is whole. With
   * https that is visible: an end without close_notify is PARTIAL.
   */
  readonly untilClose: boolean;
  /** Bytes of the head on the wire, with those of interim responses. */
  readonly headBytes: number;
  /** Bytes of the body on the wire so far: with the frames of chunks, and before any decoding. */
  readonly bodyBytes: number;
  /** When what was done. */
  readonly timing: ResponseTiming;

  /**
   * The whole content as text, which is taken for UTF-8, without its content codings (gzip, deflate,
   * br). The content can be taken once.
   *
   * Rejects as {@linkcode read} and `decodeContent()` do: BODY_TOO_LARGE for more bytes than
   * {@linkcode ContentOptions.maxSize}; and with a `TypeError` if the content has been read before.
   */
  text(options?: ContentOptions): Promise<string>;

  /**
   * The whole content, parsed as JSON. Rejects as {@linkcode text} does, and with a `SyntaxError` for
   * what is not JSON.
   */
  json(options?: ContentOptions): Promise<unknown>;

  /** The whole content as bytes, without its content codings. Rejects as {@linkcode text} does. */
  bytes(options?: ContentOptions): Promise<Uint8Array>;

  /**
   * The next bytes of the content with its codings, or `null` at its end. They are the caller's to
   * keep. Iterating the response gives the same, and closes it at the end, or at once if that is left
   * before.
   *
   * Rejects with a {@linkcode RequestError}: PARTIAL if the server closed before the end,
   * BAD_CHUNK, BODY_TOO_LARGE; or with a {@linkcode SocketError}. What the server sends after the
   * end is not looked at.
   */
  read(): Promise<Uint8Array | null>;

  /**
   * The content as iterating the response gives it, without a copy: each piece is valid until the step
   * after the next only, so that one can be written somewhere while the next one is read.
   */
  borrowed(): AsyncIterable<Uint8Array>;

  /** Closes the connection, whatever is left of the body. */
  close(): void;
}
