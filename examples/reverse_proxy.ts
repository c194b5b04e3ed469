#!/usr/bin/env -S deno run -A
// A reverse proxy: what is asked of it, it asks of another server. Content streams through in both
// directions, whatever its size.   usage: reverse_proxy.ts URL [HOST [PORT]]
//
// URL is the server behind it, as in http://127.0.0.1:8080.

import process from "node:process";
import { formatAddr, systemTransport } from "../mod.ts";
import {
  endToEndHeaders,
  HttpError,
  type LightRequest,
  type LightResponse,
  requestHttp,
  serveLight,
} from "../lib/http/mod.ts";
import { explain } from "./explain.ts";

const [target = "http://127.0.0.1:8080", host = "localhost", port = "8000"] = process.argv.slice(2);

/** Where a request goes: always to the server behind, even if its target names another. */
function urlOf(request: LightRequest): URL {
  const url = new URL(target);
  const [, path, query] = /^(?:https?:\/\/[^/?]*)?([^?]*)(.*)$/i.exec(request.target)!;
  url.pathname = path;
  url.search = query;
  return url;
}

/** Its own Host is set by requestHttp(); what clients say of themselves here is not to be trusted. */
function headersOf(request: LightRequest): string[] {
  const { remoteAddr, host, scheme } = request;
  const passed = endToEndHeaders(request.headers);
  const kept = passed.filter((_, i) => !/^(host|x-forwarded-.*)$/i.test(passed[i - i % 2]));
  const client = remoteAddr.transport === "tcp" ? remoteAddr.host : "unknown";
  return [
    ...kept,
    ...["X-Forwarded-For", client, "X-Forwarded-Host", host, "X-Forwarded-Proto", scheme],
  ];
}

/** The content of a request, bit by bit. */
async function* contentOf(request: LightRequest): AsyncGenerator<Uint8Array> {
  yield* request.body ?? [];
}

async function proxy(request: LightRequest): Promise<LightResponse> {
  const length = request.header("Content-Length");
  const chunked = request.header("Transfer-Encoding") !== undefined;
  try {
    const reply = await requestHttp(systemTransport, {
      url: urlOf(request),
      method: request.method,
      headers: headersOf(request),
      ...chunked ? { body: contentOf(request) } : {},
      ...length ? { body: contentOf(request), length: Number(length) } : {},
      maxRedirects: 0, // they are for the client to follow
    });
    // What HEAD gets has the length of what GET would get, and no content.
    const size = request.method === "HEAD" ? reply.headers.get("Content-Length") : reply.length;
    return {
      status: reply.status,
      headers: endToEndHeaders(reply.rawHeaders),
      body: reply, // closed when the client leaves
      ...size === undefined ? {} : { length: Number(size) },
    };
  } catch (error) {
    if (error instanceof HttpError) throw error; // the request is not right, and is told so
    console.error((error as Error).message);
    return { status: 502, body: "The server behind this one does not answer.\n" };
  }
}

const listener = await systemTransport.listen({ host, port: Number(port) }).catch(explain);
console.log(`http://${formatAddr(listener.addr)}/`);
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());
process.once("SIGINT", () => stop.abort());
await serveLight(listener, proxy, {
  signal: stop.signal,
  limits: { body: Number.MAX_SAFE_INTEGER }, // the server behind has its own
}).finished;
