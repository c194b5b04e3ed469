/**
 * A `Request`, made of a light request only as far as it is used: to make a real one costs more than all
 * the rest of answering.
 *
 * @module
 */

import { formatAddr } from "../../base/addr.ts";
import { borrowedFrom } from "../../base/borrowed.ts";
import { Gathered } from "../../base/gathered_bytes.ts";
import { HttpError } from "../message/errors.ts";
import { headersOf } from "../message/header_list.ts";
import type { LightBody, LightRequest } from "../server/light.ts";

/** Targets and hosts that a URL has just as they are: no dot segments, nothing to be encoded. */
const PLAIN_TARGET = /^\/(?!\.)(?:[A-Za-z0-9_~!$&()*+,;=:@?-]|\/(?!\.)|(?<!\/)\.)*$/;
const PLAIN_HOST = /^[a-z][a-z0-9-]*(?:\.[a-z][a-z0-9-]*)*(?::(?!80$|443$|0)\d{1,4})?$/;

/** Makes the URL of a request. Throws {@linkcode HttpError} if it has none. */
export function urlOf({ target, host, scheme, localAddr }: LightRequest): string {
  // HTTP/1.0 may leave out Host: then it is for the address it came to.
  const address = localAddr.transport === "unix" ? "localhost" : formatAddr(localAddr);
  const authority = host !== "" ? host : address;
  if (PLAIN_TARGET.test(target) && PLAIN_HOST.test(authority)) {
    return `${scheme}://${authority}${target}`;
  }
  const absolute = /^(https?:\/\/)[^/?#]*(.*)$/i.exec(target);
  // Of an absolute target, userinfo is left out: a Request may not have it.
  const url = absolute === null
    ? `${scheme}://${authority}${target === "*" ? "/*" : target}`
    : `${absolute[1]}${host}${absolute[2]}`;
  if (!URL.canParse(url)) throw new HttpError(400, "BAD_TARGET", "The request has no valid URL");
  return new URL(url).href;
}

/** Whether a method may have a body, for `Request`. */
function takesBody(method: string): boolean {
  return method !== "GET" && method !== "HEAD";
}

/** See the module. It is an `instanceof Request`; {@linkcode webRequest} makes it. */
class WebRequest {
  readonly #light: LightRequest;
  #url: string | undefined;
  #headers: Headers | undefined;
  #real: Request | undefined;
  /** The body was read without making the real request. */
  #used = false;

  constructor(light: LightRequest) {
    this.#light = light;
  }

  /** The request that it was made of, if its body is still to be read; undefined for any other. */
  static lightBehind(request: object): LightRequest | undefined {
    return #light in request && !request.bodyUsed ? request.#light : undefined;
  }

  get method(): string {
    return this.#light.method;
  }

  get url(): string {
    return this.#url ??= urlOf(this.#light);
  }

  get headers(): Headers {
    return this.#headers ??= headersOf(this.#light.headers);
  }

  get signal(): AbortSignal {
    return this.#light.signal();
  }

  get body(): ReadableStream<Uint8Array> | null {
    return this.real.body;
  }

  get bodyUsed(): boolean {
    return this.#used || (this.#real?.bodyUsed ?? false);
  }

  async text(): Promise<string> {
    return new TextDecoder().decode(await this.bytes());
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.bytes()).buffer;
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#real !== undefined) return new Uint8Array(await this.#real.arrayBuffer());
    if (this.#used) throw new TypeError("The body of the request has been read already");
    if (!takesBody(this.method)) return new Uint8Array(0);
    this.#used = true;
    const gathered = new Gathered();
    for await (const chunk of borrowedFrom(this.#light.body)) gathered.add(chunk);
    return gathered.whole();
  }

  /** The real request, with all that this one has not. */
  get real(): Request {
    if (this.#real !== undefined) return this.#real;
    if (this.#used) throw new TypeError("The body of the request has been read already");
    const { method, url, headers, signal } = this;
    const body = takesBody(method) ? streamOf(this.#light.body) : null;
    // `duplex` is what Node asks for with a stream, and not in all type definitions.
    const init: RequestInit & { duplex: "half" } = {
      method,
      headers,
      signal,
      body,
      duplex: "half",
    };
    return this.#real = new Request(url, init);
  }
}

const REST = [
  "cache",
  "credentials",
  "destination",
  "duplex",
  "integrity",
  "isHistoryNavigation",
  "isReloadNavigation",
  "keepalive",
  "mode",
  "redirect",
  "referrer",
  "referrerPolicy",
] as const;

for (const name of REST) {
  Object.defineProperty(WebRequest.prototype, name, {
    get(this: WebRequest): unknown {
      return this.real[name as keyof Request];
    },
    configurable: true,
  });
}

for (const name of ["blob", "clone", "formData"] as const) {
  Object.defineProperty(WebRequest.prototype, name, {
    value(this: WebRequest): unknown {
      return this.real[name]();
    },
    configurable: true,
    writable: true,
  });
}

/** Whether {@linkcode WebRequest} is a `Request` by now. */
let isRequest = false;

/**
 * Makes {@linkcode WebRequest} a `Request`. Not when this module is loaded: Node loads all of fetch for
 * it, which takes 25 ms.
 */
function becomeRequest(): void {
  isRequest = true;
  // A runtime that keeps a request's state behind symbols finds it through these: then even
  // `new Request(request)` and `fetch(request)` take ours for a real one.
  for (const symbol of Object.getOwnPropertySymbols(new Request("http://localhost/"))) {
    Object.defineProperty(WebRequest.prototype, symbol, {
      get(this: WebRequest): unknown {
        return (this.real as unknown as Record<symbol, unknown>)[symbol];
      },
      configurable: true,
    });
  }
  Object.setPrototypeOf(WebRequest.prototype, Request.prototype);
}

/** Makes a `Request`. */
export function webRequest(light: LightRequest): Request {
  if (!isRequest) becomeRequest();
  return new WebRequest(light) as unknown as Request;
}

/** The engine's request behind a `Request` that {@linkcode webRequest} has made. */
export const lightBehind: (request: Request) => LightRequest | undefined = WebRequest.lightBehind;

function streamOf(body: LightBody | undefined): ReadableStream {
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      const bytes = body === undefined ? null : await body.read();
      if (bytes !== null) controller.enqueue(bytes as Uint8Array<ArrayBuffer>);
      else {
        controller.close();
        controller.byobRequest?.respond(0);
      }
    },
  });
}
