/**
 * The addresses of sockets: written down, checked, and put in order.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import process from "node:process";
import { checkArgument, type Kind } from "./arguments.ts";

/** The address of a TCP socket, as getsockname(2) and getpeername(2) report it. */
export interface TcpAddr {
  /** The kind of socket. */
  readonly transport: "tcp";
  /** An IP address literal, never a name. An IPv4 peer of a dual-stack socket reads as IPv4. */
  readonly host: string;
  /** 0 to 65535. */
  readonly port: number;
  /**
   * The address of the proxy that the connection came through, where a PROXY protocol header has named
   * the client (`plainsocket/proxy-protocol`), or a header field of HTTP (`trustProxy`).
   */
  readonly via?: Addr;
}

/** The address of a Unix stream socket (unix(7)). */
export interface UnixAddr {
  /** The kind of socket. */
  readonly transport: "unix";
  /** The path of the socket file; `""` for an end that has none, as most clients. */
  readonly path: string;
}

/** The address of a connection's or listener's socket. `transport` is the kind. */
export type Addr = TcpAddr | UnixAddr;

/** The address of a UDP socket, as getsockname(2) and recvfrom(2) report it. */
export interface UdpAddr {
  /** The kind of socket. */
  readonly transport: "udp";
  /** An IP address literal, never a name. An IPv4 peer of a dual-stack socket reads as IPv4. */
  readonly host: string;
  /** 0 to 65535. */
  readonly port: number;
}

/** A place to connect to with TCP: a name or an IP address literal, and a port. */
export interface Endpoint {
  /** A host name or an IP address literal, without brackets. */
  readonly host: string;
  /** 0 to 65535. */
  readonly port: number;
}

const ADDRESS: Kind = {
  takes: "an address, such as conn.remoteAddr or { host, port }",
  is: (value) => typeof value === "object" && value !== null,
};

/**
 * Writes an address or endpoint as URLs do: `127.0.0.1:10000`, `[::1]:10000`, `example.com:80`; and
 * that of a Unix socket as its path, or as `(unnamed)`.
 *
 * @example
 * ```ts
 * import { formatAddr } from "@plainsocket/plainsocket";
 * import assert from "node:assert/strict";
 *
 * assert.equal(formatAddr({ host: "::1", port: 10000 }), "[::1]:10000");
 * assert.equal(formatAddr({ transport: "unix", path: "/run/echo.sock" }), "/run/echo.sock");
 * ```
 */
export function formatAddr(addr: Addr | UdpAddr | Endpoint): string {
  checkArgument("formatAddr", addr, ADDRESS);
  if ("path" in addr) return addr.path === "" ? "(unnamed)" : addr.path;
  return addr.host.includes(":") ? `[${addr.host}]:${addr.port}` : `${addr.host}:${addr.port}`;
}

/** Makes a TCP address; an IPv4 address in IPv6 clothes (`::ffff:127.0.0.1`) becomes IPv4. */
export function tcpAddr(host: string, port: number): TcpAddr {
  return { transport: "tcp", host: unmapped(host), port };
}

/** Makes a UDP address, as {@linkcode tcpAddr} does. */
export function udpAddr(host: string, port: number): UdpAddr {
  return { transport: "udp", host: unmapped(host), port };
}

function unmapped(host: string): string {
  return host.startsWith("::ffff:") && host.includes(".") ? host.slice("::ffff:".length) : host;
}

/** Makes the address of a Unix socket. */
export function unixAddr(path: string): UnixAddr {
  return { transport: "unix", path };
}

/** The name of the address family, as in socket(2). */
export function addressFamily(addr: TcpAddr): "AF_INET" | "AF_INET6" {
  return isIPv6(addr) ? "AF_INET6" : "AF_INET";
}

/** Whether the host of an address is an IPv6 literal: only those have colons. */
export function isIPv6(addr: Endpoint): boolean {
  return addr.host.includes(":");
}

/** The number of bytes that sun_path of sockaddr_un holds, without the NUL after them. */
const LONGEST_PATH = process.platform === "linux" ? 107 : 103;

/** Why no socket can have a path; undefined if one can. */
export function whyNoSocketPath(path: string): string | undefined {
  if (path === "") return "a path is not empty";
  if (path.includes("\0")) return "a path has no NUL in it";
  const bytes = Buffer.byteLength(path);
  if (bytes <= LONGEST_PATH) return undefined;
  return `the path is ${bytes} bytes long, and a socket's has at most ${LONGEST_PATH}`;
}

/**
 * Orders addresses for trying: by turns from the family of the first one and from the other, each
 * in the order given (RFC 8305 section 4).
 */
export function interleave(addrs: readonly TcpAddr[]): TcpAddr[] {
  const first = addrs.filter((addr) => isIPv6(addr) === isIPv6(addrs[0]));
  const other = addrs.filter((addr) => isIPv6(addr) !== isIPv6(addrs[0]));
  const ordered: TcpAddr[] = [];
  for (let i = 0; i < Math.max(first.length, other.length); i++) {
    ordered.push(...first.slice(i, i + 1), ...other.slice(i, i + 1));
  }
  return ordered;
}

/**
 * The address of a name where one is wanted: the first, or of localhost, which is `::1` first on
 * many machines, 127.0.0.1: there are programs that know no IPv6, and none that know nothing else.
 */
export function preferred(addrs: readonly TcpAddr[]): TcpAddr {
  return addrs.find(({ host }) => host === "127.0.0.1") ?? addrs[0];
}
