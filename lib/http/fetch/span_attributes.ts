/**
 * What a span says of a request: the semantic conventions of OpenTelemetry for HTTP servers.
 *
 * @module
 */

import type { LightRequest } from "../server/light.ts";

/** The name of a span, and its attributes. */
export interface SpanDescription {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string | number>>;
}

/** The methods that have a name of their own: any other one could be one of millions. */
const METHODS: ReadonlySet<string> = new Set(
  ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"],
);

/** The keys of a query whose values are secrets of signed URLs, by the conventions. */
const SECRET = /((?:^|&)(?:AWSAccessKeyId|Signature|sig|X-Goog-Signature)=)[^&]*/g;

/** Describes the span of a request. */
export function requestAttributes(request: LightRequest): SpanDescription {
  const { method, minor, scheme, remoteAddr, localAddr } = request;
  const known = METHODS.has(method);
  const attributes: Record<string, string | number> = {
    "http.request.method": known ? method : "_OTHER",
    "url.scheme": scheme,
    "network.protocol.version": `1.${minor}`,
    ...urlOf(request),
    ...serverOf(request),
  };
  if (!known) attributes["http.request.method_original"] = method;
  if ("host" in remoteAddr) attributes["client.address"] = remoteAddr.host;
  // Behind a proxy that has said the client's address, the peer is the proxy.
  const peer = "via" in remoteAddr && remoteAddr.via !== undefined ? remoteAddr.via : remoteAddr;
  if ("host" in peer) {
    attributes["network.peer.address"] = peer.host;
    attributes["network.peer.port"] = peer.port;
  }
  if (localAddr.transport === "unix") attributes["network.transport"] = "unix";
  const agent = request.header("user-agent");
  if (agent !== undefined) attributes["user_agent.original"] = agent;
  return { name: known ? method : "HTTP", attributes };
}

function urlOf({ target }: LightRequest): Record<string, string> {
  const path = target.replace(/^https?:\/\/[^/?#]*/i, "") || "/";
  const at = path.indexOf("?");
  if (at < 0) return { "url.path": path };
  const query = path.slice(at + 1).replace(SECRET, "$1REDACTED");
  return { "url.path": path.slice(0, at), "url.query": query };
}

/** The server, as Host names it. */
function serverOf({ host, scheme }: LightRequest): Record<string, string | number> {
  const [, name = "", port] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(host) ?? [];
  if (name === "") return {};
  return {
    "server.address": name.replace(/^\[(.*)\]$/, "$1"),
    "server.port": port === undefined ? (scheme === "https" ? 443 : 80) : Number(port),
  };
}
