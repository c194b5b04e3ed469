/**
 * The PROXY protocol, versions 1 and 2: how a proxy tells a server who its client is, in a header
 * before the first byte of the connection.
 *
 * @module
 */

export { ProxyHeaderError } from "./error.ts";
export type { ParsedProxyHeader, ProxyField, ProxyHeader } from "./header.ts";
export { parseProxyHeader } from "./parse.ts";
export { acceptProxyProtocol } from "./transport.ts";
export type { AcceptProxyOptions } from "./transport.ts";
export { proxyHeader } from "./write.ts";
export type { ProxyHeaderOptions } from "./write.ts";
