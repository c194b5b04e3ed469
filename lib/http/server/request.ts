/**
 * A request as the engine hands it to handlers.
 *
 * @module
 */

import type { Addr } from "../../base/addr.ts";
import { headerOf } from "../message/header_list.ts";
import type { Framing } from "../message/request_framing.ts";
import type { RequestHead } from "../message/request_head.ts";
import type { BodyReader } from "./body.ts";
import type { LightBody, LightRequest } from "./light.ts";
import { type BodyConnection, ReadableBody } from "./readable_body.ts";
import type { OuterEnd } from "./trusted_proxies.ts";

/** The parts of a connection that a request uses. */
export interface RequestConnection extends BodyConnection {
  readonly scheme: "http" | "https";
  readonly addrs: { readonly localAddr: Addr; readonly remoteAddr: Addr };
  /** Aborts the request when the client leaves. */
  watchClient(request: EngineRequest): void;
}

/**
 * See {@linkcode LightRequest}. All that handlers are to see are properties of its own, so that copies
 * have it; what is made when it is asked for is a function, which costs less than an accessor would.
 */
export class EngineRequest implements LightRequest {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly headers: readonly string[];
  readonly minor: 0 | 1;
  readonly scheme: "http" | "https";
  readonly remoteAddr: Addr;
  readonly localAddr: Addr;
  readonly body: LightBody | undefined;
  readonly header: (name: string) => string | undefined = headerOf;
  readonly signal: () => AbortSignal = () => this.#signal();
  /** Undefined once another protocol is spoken there. */
  #connection: RequestConnection | undefined;
  readonly #reader: BodyReader | undefined;
  #controller: AbortController | undefined;

  constructor(
    { method, target, headers, minor }: RequestHead,
    { host }: Framing,
    reader: BodyReader | undefined,
    connection: RequestConnection,
    outer: OuterEnd | undefined,
  ) {
    const { scheme, addrs: { remoteAddr, localAddr } } = connection;
    this.method = method;
    this.target = target;
    this.host = outer?.host ?? host;
    this.headers = headers;
    this.minor = minor;
    this.scheme = outer?.scheme ?? scheme;
    this.remoteAddr = outer?.remoteAddr ?? remoteAddr;
    this.localAddr = localAddr;
    this.body = reader && new ReadableBody(reader, connection);
    this.#reader = reader;
    this.#connection = connection;
  }

  #signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      this.#connection?.watchClient(this);
    }
    return this.#controller.signal;
  }

  /** Notes that another protocol is spoken: what comes from now on is not a request. */
  detach(): void {
    this.#connection = undefined;
  }

  /** The reader of the body, if there is one. */
  get reader(): BodyReader | undefined {
    return this.#reader;
  }

  /** Whether somebody wants to know when the client leaves. */
  get watched(): boolean {
    return this.#controller !== undefined;
  }

  /** The client is gone. */
  abort(reason: unknown): void {
    this.#controller?.abort(reason);
  }

  /** Whether a handler threw this since it heard that the client has left. */
  isAbort(error: unknown): boolean {
    const signal = this.#controller?.signal;
    if (signal?.aborted !== true) return false;
    return error === signal.reason || (error as Error | null)?.cause === signal.reason;
  }
}
