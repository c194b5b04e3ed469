/**
 * Writing addresses down.
 *
 * @module
 */

import type { Addr, Endpoint } from "./transport.ts";

/**
 * Writes an address or endpoint as URLs do: `127.0.0.1:10000`, `[::1]:10000`, `example.com:80`.
 *
 * @example
 * ```ts
 * import { formatAddr } from "@plainsocket/plainsocket";
 * import assert from "node:assert/strict";
 *
 * assert.equal(formatAddr({ host: "::1", port: 10000 }), "[::1]:10000");
 * ```
 */
export function formatAddr(addr: Addr | Endpoint): string {
  return addr.host.includes(":") ? `[${addr.host}]:${addr.port}` : `${addr.host}:${addr.port}`;
}

/** Makes a TCP address; an IPv4 address in IPv6 clothes (`::ffff:127.0.0.1`) becomes IPv4. */
export function tcpAddr(host: string, port: number): Addr {
  const mapped = host.startsWith("::ffff:") && host.includes(".");
  return { transport: "tcp", host: mapped ? host.slice("::ffff:".length) : host, port };
}

/** Tells the address family of a literal by the sign only one of them has. */
export function isIPv6(addr: Addr): boolean {
  return addr.host.includes(":");
}
