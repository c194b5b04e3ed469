/**
 * A light request, made of a `Request` of any runtime.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { tcpAddr, unixAddr } from "../../base/addr.ts";
import type { Addr } from "../../base/addr.ts";
import { headerOf, listOf } from "../message/header_list.ts";
import { Pieces } from "../message/content_pieces.ts";
import type { LightBody, LightRequest } from "../server/light.ts";
import { lightBehind } from "./request_from_light.ts";

/**
 * The engine's request behind a `Request`, or one made of it. `remoteAddr` may be what `serveHttp()`
 * or `Deno.serve()` passes; an address that is not known is that of an end without a name.
 */
export function lightRequest(request: Request, remoteAddr: unknown): LightRequest {
  return lightBehind(request) ?? requestOf(request, addrOf(remoteAddr));
}

function addrOf(given: unknown): Addr {
  const { host, hostname = host, port, path } = (given ?? {}) as Record<string, unknown>;
  if (typeof hostname === "string" && typeof port === "number") return tcpAddr(hostname, port);
  return unixAddr(typeof path === "string" ? path : "");
}

function requestOf(request: Request, remoteAddr: Addr): LightRequest {
  const { method, headers } = request;
  const { protocol, host, pathname, search } = new URL(request.url);
  return {
    method,
    target: pathname + search,
    host: headers.get("host") ?? host,
    headers: listOf(headers),
    minor: 1,
    scheme: protocol === "https:" ? "https" : "http",
    remoteAddr,
    localAddr: unixAddr(""),
    body: bodyOf(request),
    header: headerOf,
    signal: () => request.signal,
  };
}

function bodyOf(request: Request): LightBody | undefined {
  const { body } = request;
  if (body === null) return undefined;
  const length = request.headers.get("content-length");
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  const read = async () => {
    // Throws a TypeError if the body has been read by others.
    reader ??= body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return null;
      if (value.length > 0) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    }
  };
  return {
    length: length !== null && /^\d+$/.test(length) ? Number(length) : undefined,
    read,
    [Symbol.asyncIterator]: () => new Pieces(read),
  };
}
