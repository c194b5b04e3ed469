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
  type LightHandler,
  type LightRequest,
  requestHttp,
  serveLight,
} from "../lib/http/mod.ts";
import { explain } from "./explain.ts";

const [origin = "http://127.0.0.1:8080", host = "localhost", port = "8000"] = process.argv.slice(2);

const proxy: LightHandler = async (request) => {
  try {
    const response = await requestHttp(systemTransport, {
      url: urlOf(request.target),
      method: request.method,
      headers: headersOf(request),
      body: request.body,
      length: request.body?.length,
      maxRedirects: 0, // they are for the client to follow
      signal: request.signal(), // a client that leaves, or sends FIN, ends it
    });
    const { status, rawHeaders, length } = response;
    return { status, headers: endToEndHeaders(rawHeaders), body: response, length };
  } catch (error) {
    // The request is not right, or its client has left: what that means the server knows.
    if (error instanceof HttpError || request.signal().aborted) throw error;
    console.error((error as Error).message);
    return { status: 502, body: "The server behind this one does not answer.\n" };
  }
};

/** Where a request goes: always to the server behind, even if its target names another. */
function urlOf(target: string): URL {
  const [, path, query] = /^(?:https?:\/\/[^/?]*)?([^?]*)(.*)$/i.exec(target)!;
  return Object.assign(new URL(origin), { pathname: path, search: query });
}

/** Its own Host is set by requestHttp(); what clients say of themselves here is not to be trusted. */
function headersOf({ headers, remoteAddr, host, scheme }: LightRequest): string[] {
  const passed = endToEndHeaders(headers);
  const kept = passed.filter((_, i) => !/^(host|x-forwarded-.*)$/i.test(passed[i - i % 2]));
  const client = remoteAddr.transport === "tcp" ? remoteAddr.host : "unknown";
  const told = ["X-Forwarded-For", client, "X-Forwarded-Host", host, "X-Forwarded-Proto", scheme];
  return [...kept, ...told];
}

const listener = await systemTransport.listen({ host, port: Number(port) }).catch(explain);
console.log(`http://${formatAddr(listener.addr)}/`);
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());
process.once("SIGINT", () => stop.abort());
await serveLight(listener, proxy, {
  signal: stop.signal,
  limits: { maxSize: Infinity }, // the server behind has its own
  onError: (error) => console.error((error as Error).message), // the server behind breaks off
}).finished;
