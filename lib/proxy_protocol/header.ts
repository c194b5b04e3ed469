/**
 * The header of the PROXY protocol: what it says, and what both of its versions share.
 *
 * @module
 */

import { type Addr, tcpAddr } from "../base/addr.ts";
import { formatIP, isMapped } from "../base/ip.ts";
import type { TcpAddr } from "../base/addr.ts";

/** A further field of a header of version 2, which the specification calls a TLV. */
export interface ProxyField {
  /** The type: 0x01 for ALPN, 0x02 for the name that the client asked for (SNI), 0x20 for TLS. */
  readonly type: number;
  /** The value, as it came. */
  readonly value: Uint8Array;
}

/** A header of the PROXY protocol. */
export interface ProxyHeader {
  /** 1 is a line of text, 2 is binary. */
  readonly version: 1 | 2;
  /**
   * The address of the client. Undefined if the header names no client: it is the proxy itself that
   * connects (LOCAL, as for a health check), or the client is not known (UNKNOWN, UNSPEC) or sends
   * datagrams. The addresses of the connection are the right ones then.
   */
  readonly source: Addr | undefined;
  /** The address that the client connected to. Undefined if `source` is. */
  readonly destination: Addr | undefined;
  /** The further fields, in their order. Version 1 has none. */
  readonly fields: readonly ProxyField[];
}

/** A header that was read. */
export interface ParsedProxyHeader {
  /** The header. */
  readonly header: ProxyHeader;
  /** The number of its bytes: what follows is the client's. */
  readonly length: number;
}

/** The first bytes of a header of version 2. */
export const SIGNATURE: Uint8Array = Uint8Array.of(
  ...[0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a],
);

/** The number of bytes of version 2 that tell how many come after them. */
export const FIXED_SIZE = 16;

/** The family of Unix sockets in version 2. */
export const UNIX = 3;

/** The number of bytes of a Unix socket's path in version 2, padded with NUL. */
export const PATH_SIZE = 108;

/** The address of so many bytes; IPv4 in IPv6 clothes becomes IPv4. */
export function addrOf(ip: readonly number[], port: number): TcpAddr {
  return tcpAddr(formatIP(isMapped(ip) ? ip.slice(12) : ip), port);
}
