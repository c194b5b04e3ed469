/**
 * A request of fetch's making, as the engine's handlers know requests.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { tcpAddr, unixAddr } from "../../base/addr.ts";
import type { Addr } from "../../base/addr.ts";
import { listOf } from "../message/header_list.ts";
import type { LightRequest } from "../server/light.ts";
import { lightBehind } from "./web_request.ts";

/**
 * The engine's request behind a `Request`, or one made of it. `remoteAddr` may be what `serveHttp()`
 * or `Deno.serve()` tells; an address that nobody tells is that of an end without a name.
 */
export function lightRequest(request: Request, remoteAddr: unknown): LightRequest {
  return lightBehind(request) ?? new FetchRequest(request, addrOf(remoteAddr));
}

function addrOf(told: unknown): Addr {
  const { host, hostname = host, port, path } = (told ?? {}) as Record<string, unknown>;
  if (typeof hostname === "string" && typeof port === "number") return tcpAddr(hostname, port);
  return unixAddr(typeof path === "string" ? path : "");
}

class FetchRequest implements LightRequest {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly headers: readonly string[];
  readonly minor = 1;
  readonly scheme: "http" | "https";
  readonly remoteAddr: Addr;
  readonly localAddr: Addr = unixAddr("");
  readonly #request: Request;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;

  constructor(request: Request, remoteAddr: Addr) {
    const { protocol, host, pathname, search } = new URL(request.url);
    this.#request = request;
    this.method = request.method;
    this.target = pathname + search;
    this.host = request.headers.get("host") ?? host;
    this.scheme = protocol === "https:" ? "https" : "http";
    this.headers = listOf(request.headers);
    this.remoteAddr = remoteAddr;
  }

  get signal(): AbortSignal {
    return this.#request.signal;
  }

  header(name: string): string | undefined {
    return this.#request.headers.get(name) ?? undefined;
  }

  async read(): Promise<Uint8Array | null> {
    const { body } = this.#request;
    if (body === null) return null;
    // Throws a TypeError if the body has been read by others.
    this.#reader ??= body.getReader();
    for (;;) {
      const { done, value } = await this.#reader.read();
      if (done) return null;
      if (value.length > 0) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    }
  }
}
