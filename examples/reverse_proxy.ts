#!/usr/bin/env -S deno run -A
// A reverse proxy: what is asked of it, it asks of another server. Content streams through in both
// directions, whatever its size, and so does what is spoken after an upgrade, such as WebSocket.
// usage: reverse_proxy.ts URL [HOST [PORT]]
//
// URL is the server behind it, as in http://127.0.0.1:8080.

import process from "node:process";
import { formatAddr, systemTransport } from "../mod.ts";
import {
  endToEndHeaders,
  HttpError,
  type LightHandler,
  type LightRequest,
  type LightResponse,
  requestHttp,
  requestUpgrade,
  serveLight,
  upgrade,
} from "../lib/http/mod.ts";
import { relay } from "../lib/protocols/mod.ts";
import { explain } from "./explain.ts";

const [origin = "http://127.0.0.1:8080", host = "localhost", port = "8000"] = process.argv.slice(2);

const proxy: LightHandler = async (request) => {
  try {
    const protocol = upgradeOf(request);
    if (protocol !== undefined) return await passUpgrade(request, protocol);
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

/** The other protocol that a request asks for; undefined of a request that is passed on without. */
function upgradeOf(request: LightRequest): string | undefined {
  const { method, minor, body } = request;
  const asks = method === "GET" && minor === 1 && body === undefined &&
    /(^|,)[ \t]*upgrade[ \t]*(,|$)/i.test(request.header("connection") ?? "");
  return asks ? /^[\w.+-]+(\/[\w.+-]+)?$/.exec(request.header("upgrade") ?? "")?.[0] : undefined;
}

/** The server behind decides about the protocol. Once it agrees, bytes are carried both ways. */
async function passUpgrade(request: LightRequest, protocol: string): Promise<LightResponse> {
  const signal = request.signal();
  const { response, conn } = await requestUpgrade(systemTransport, {
    url: urlOf(request.target),
    protocol,
    headers: headersOf(request),
    signal,
  });
  const { status, rawHeaders, length } = response;
  const headers = endToEndHeaders(rawHeaders);
  if (conn === undefined) {
    if (status === 426) headers.push("Upgrade", protocol); // RFC 9110 section 15.5.22
    return { status, headers, body: response, length };
  }
  signal.addEventListener("abort", () => conn.reset()); // the client has left before it was told
  return upgrade(request, { protocol, headers, handler: relay(() => Promise.resolve(conn)) });
}

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
