// The server that outside conformance suites are pointed at, built on the public API alone.
// usage: probe_server.ts PORT
//
// GET / answers 200 "OK", POST / with the body it got, /echo with the header fields as received, one
// a line. Each limit can be set by an environment variable named like it: HEADER_BYTES=1000,
// MAX_CONNECTIONS=10, DRAIN_TIMEOUT=500.

import { Buffer } from "node:buffer";
import process from "node:process";
import { formatAddr, systemTransport } from "../../mod.ts";
import {
  HTTP_LIMITS,
  type LightRequest,
  type LightResponse,
  serveLight,
} from "../../lib/http/mod.ts";

const KNOWN = new Set([
  ..."GET HEAD POST PUT DELETE OPTIONS PATCH TRACE CONNECT".split(" "),
  ..."REPORT PURGE SEARCH QUERY LINK UNLINK".split(" "),
]);

async function answer(request: LightRequest): Promise<LightResponse> {
  const path = request.target.replace(/^https?:\/\/[^/?]*/i, "").replace(/\?.*$/s, "") || "/";
  if (!KNOWN.has(request.method)) return { status: 501, body: "Not Implemented\n" };
  if (path === "/echo") {
    const lines = Array.from(
      { length: request.headers.length / 2 },
      (_, i) => `${request.headers[2 * i]}: ${request.headers[2 * i + 1]}\n`,
    );
    return { status: 200, body: Buffer.from(lines.join(""), "latin1") };
  }
  if (path !== "/") return { status: 404, body: "Not Found\n" };
  if (request.method !== "POST") return { status: 200, body: "OK" };
  const chunks: Uint8Array[] = [];
  for await (const bytes of request.body ?? []) chunks.push(bytes.slice());
  return { status: 200, body: Buffer.concat(chunks) };
}

/** What the environment says of these settings. */
function fromEnvironment(names: readonly string[]): Record<string, number> {
  return Object.fromEntries(names.flatMap((name) => {
    const value = process.env[name.replace(/[A-Z]/g, "_$&").toUpperCase()];
    return value === undefined ? [] : [[name, Number(value)]];
  }));
}

const listener = await systemTransport.listen({ host: "127.0.0.1", port: Number(process.argv[2]) });
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());
console.log(`http://${formatAddr(listener.addr)}/`);
await serveLight(listener, answer, {
  limits: fromEnvironment(Object.keys(HTTP_LIMITS)),
  ...fromEnvironment(["maxConnections", "drainTimeout"]),
  signal: stop.signal,
}).finished;
