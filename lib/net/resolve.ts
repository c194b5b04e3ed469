/**
 * Which addresses an endpoint stands for, and which of them is the one where one is wanted.
 *
 * @module
 */

import { orAborted } from "../base/deadline.ts";
import { preferred, tcpAddr } from "../base/addr.ts";
import { codeOf, SocketError } from "../base/errors.ts";
import { parseScopedIP } from "../base/ip.ts";
import { lookUp } from "./lookup.deno.ts";
import type { TcpAddr } from "../base/addr.ts";
import type {
  ResolveOptions,
  TcpConnectOptions,
  TcpListenOptions,
  Transport,
} from "./transport.ts";
import { checkResolve } from "./transport_arguments.ts";
import { needZone } from "./zone.ts";

/** See {@linkcode Transport.resolve}. */
export async function resolve(options: ResolveOptions): Promise<TcpAddr[]> {
  checkResolve(options);
  const { host, port, signal } = options;
  if (parseScopedIP(host) !== undefined) return [tcpAddr(host, port)];
  const endpoint = { host, port };
  let found: readonly string[];
  try {
    found = await orAborted(lookUp(host, signal), signal, "resolve", endpoint);
  } catch (cause) {
    if (cause instanceof SocketError) throw cause;
    // Deno reports a missing permission for the name as EPERM.
    const isForbidden = (cause as { code?: unknown } | null)?.code === "EPERM";
    const code = isForbidden ? "ENOTCAPABLE" : codeOf(cause);
    throw new SocketError(code, "resolve", { addr: endpoint, cause });
  }
  if (found.length === 0) throw new SocketError("ENOTFOUND", "resolve", { addr: endpoint });
  return found.map((address) => tcpAddr(address, port));
}

/** The address that {@linkcode Transport.connect} goes to; its signal ends the wait for the name. */
export async function connectAddr(
  transport: Transport,
  options: TcpConnectOptions,
): Promise<TcpAddr> {
  const { localAddress } = options;
  if (localAddress !== undefined) needZone("connect", { host: localAddress, port: 0 });
  if (localAddress !== undefined && parseScopedIP(localAddress) === undefined) {
    const why = `a local address is an IP address, not '${localAddress}'`;
    throw new SocketError("EINVAL", "connect", { addr: options, why });
  }
  const resolving = transport.resolve(options);
  const addr = preferred(await orAborted(resolving, options.signal, "resolve", options));
  needZone("connect", addr);
  return addr;
}

/**
 * Binds as {@linkcode TcpListenOptions.host} asks. For any address that is `::`, which takes IPv4 too,
 * and `0.0.0.0` where the system has no IPv6.
 */
export async function bindHost<T>(
  transport: Transport,
  { host = "localhost", port = 0 }: TcpListenOptions,
  bind: (addr: TcpAddr) => T | Promise<T>,
): Promise<T> {
  if (host !== "") {
    const addr = preferred(await transport.resolve({ host, port }));
    needZone("listen", addr);
    return await bind(addr);
  }
  try {
    return await bind(tcpAddr("::", port));
  } catch (error) {
    const { code } = error as SocketError;
    if (code !== "EAFNOSUPPORT" && code !== "EADDRNOTAVAIL") throw error;
    return await bind(tcpAddr("0.0.0.0", port));
  }
}
