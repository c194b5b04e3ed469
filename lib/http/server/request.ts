/**
 * A request as the engine hands it to handlers.
 *
 * @module
 */

import { copyOf } from "../../base/borrowed.ts";
import type { Addr } from "../../base/addr.ts";
import type { BodyReader } from "./body.ts";
import { HttpError } from "../message/errors.ts";
import type { Framing } from "../message/request_framing.ts";
import type { RequestHead } from "../message/request_head.ts";
import type { LightRequest } from "./light.ts";

/** What a request asks of the connection that it came on. */
export interface RequestConnection {
  readonly scheme: "http" | "https";
  readonly addrs: { readonly localAddr: Addr; readonly remoteAddr: Addr };
  /** The next bytes of the body, valid until the next call, or `null` at its end. */
  readBody(body: BodyReader): Promise<Uint8Array | null>;
  /** Has the request aborted when the client leaves. */
  watchClient(request: EngineRequest): void;
}

/** See {@linkcode LightRequest}. */
export class EngineRequest implements LightRequest {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly headers: readonly string[];
  readonly minor: 0 | 1;
  /** What reads the body, if there is one. */
  readonly body: BodyReader | undefined;
  readonly #connection: RequestConnection;
  #controller: AbortController | undefined;

  constructor(
    { method, target, headers, minor }: RequestHead,
    { host }: Framing,
    body: BodyReader | undefined,
    connection: RequestConnection,
  ) {
    this.method = method;
    this.target = target;
    this.host = host;
    this.headers = headers;
    this.minor = minor;
    this.body = body;
    this.#connection = connection;
  }

  get scheme(): "http" | "https" {
    return this.#connection.scheme;
  }

  get remoteAddr(): Addr {
    return this.#connection.addrs.remoteAddr;
  }

  get localAddr(): Addr {
    return this.#connection.addrs.localAddr;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      this.#connection.watchClient(this);
    }
    return this.#controller.signal;
  }

  /** Whether somebody wants to know when the client leaves. */
  get watched(): boolean {
    return this.#controller !== undefined;
  }

  /** The client is gone. */
  abort(reason: unknown): void {
    this.#controller?.abort(reason);
  }

  header(name: string): string | undefined {
    const wanted = name.toLowerCase();
    const { headers } = this;
    let found: string | undefined;
    for (let i = 0; i < headers.length; i += 2) {
      if (headers[i].length !== wanted.length || headers[i].toLowerCase() !== wanted) continue;
      found = found === undefined ? headers[i + 1] : `${found}, ${headers[i + 1]}`;
    }
    return found;
  }

  read(): Promise<Uint8Array | null> {
    return this.readBorrowed().then(copied);
  }

  readBorrowed(): Promise<Uint8Array | null> {
    if (this.body === undefined) return NO_BODY;
    if (this.body.dropped) return Promise.reject(tooLate());
    return this.#connection.readBody(this.body);
  }
}

function copied(bytes: Uint8Array | null): Uint8Array | null {
  return bytes === null ? null : copyOf(bytes);
}

function tooLate(): HttpError {
  const why = "The request was answered before its body was read";
  return new HttpError(400, "BODY_INCOMPLETE", why);
}

const NO_BODY: Promise<null> = Promise.resolve(null);
