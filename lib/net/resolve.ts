/**
 * The address that is meant: by a name, where one of several is wanted; by an IPv6 address that is
 * good on one link only (RFC 4007), as in `fe80::1%eth0`; and the own address, which nobody can
 * connect to.
 *
 * @module
 */

import { networkInterfaces } from "node:os";
import { type Endpoint, preferred, type TcpAddr, tcpAddr } from "../base/addr.ts";
import { orAborted } from "../base/wait.ts";
import type { SocketOp } from "../base/error_codes.ts";
import { codeOf, SocketError } from "../base/errors.ts";
import { formatIP, parseScopedIP } from "../base/ip.ts";
import { lookUp } from "./lookup.deno.ts";
import { forbiddenOnNode } from "./node_permission.ts";
import type {
  Conn,
  ResolveOptions,
  TcpConnectOptions,
  TcpListenOptions,
  Transport,
} from "./transport.ts";
import { checkResolve } from "./transport_arguments.ts";

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
    throw failed(endpoint, cause);
  }
  if (found.length === 0) throw new SocketError("ENOTFOUND", "resolve", { addr: endpoint });
  return found.map((address) => tcpAddr(address, port));
}

/** The error of a look-up that failed with `cause`. */
function failed(addr: Endpoint, cause: unknown): SocketError {
  // Deno reports a missing permission for the name, whatever the port, as EPERM.
  if ((cause as { code?: unknown } | null)?.code === "EPERM") {
    const why = `Deno's permissions forbid it without --allow-net=${addr.host}`;
    return new SocketError("ENOTCAPABLE", "resolve", { addr, cause, why });
  }
  return forbiddenOnNode("resolve", addr, cause) ??
    new SocketError(codeOf(cause), "resolve", { addr, cause });
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

/** An interface that has addresses. */
interface Interface {
  readonly name: string;
  /** The kernel's index of the interface, if one of its addresses has it. */
  readonly number: string | undefined;
  readonly addresses: readonly string[];
}

/** The interfaces; empty where Deno's permissions hide them. */
function interfaces(): Interface[] {
  try {
    return Object.entries(networkInterfaces()).map(([name, infos = []]) => {
      const scopes = infos.map((info) => info.family === "IPv6" ? info.scopeid : 0);
      const number = scopes.find((scope) => scope !== 0)?.toString();
      return { name, number, addresses: infos.map(({ address }) => address) };
    });
  } catch {
    return [];
  }
}

/** The zone of an address literal; undefined if it has none. */
export function zoneIn(host: string): string | undefined {
  const at = host.indexOf("%");
  return at < 0 ? undefined : host.slice(at + 1);
}

/** Whether it is an address literal of one link, `fe80::/10`. */
export function isLinkLocal(host: string): boolean {
  if (!/^fe[89ab]/i.test(host)) return false;
  const bytes = parseScopedIP(host);
  return bytes?.length === 16;
}

/** An address as a runtime gives it that leaves its zone out: with `zone`, if it is one of a link. */
export function inZone(host: string, zone: string | undefined): string {
  return zone === undefined || !isLinkLocal(host) || host.includes("%") ? host : `${host}%${zone}`;
}

/** The zone of an address that this machine has; undefined if none has it, or several. */
export function zoneOfOwn(host: string): string | undefined {
  if (!isLinkLocal(host)) return undefined;
  const bare = formatIP(parseScopedIP(host)!);
  const found = interfaces().filter(({ addresses }) => addresses.includes(bare));
  return found.length === 1 ? found[0].name : undefined;
}

/** The error of an address literal that is one of a link, and does not say of which; else undefined. */
export function missingZone(op: SocketOp, addr: Endpoint): SocketError | undefined {
  if (!isLinkLocal(addr.host) || zoneIn(addr.host) !== undefined) return undefined;
  const known = interfaces();
  const linked = known.filter(({ addresses }) => addresses.some(isLinkLocal));
  const all = linked.length > 0 ? linked : known;
  const example = `${addr.host}%${all[0]?.name ?? "eth0"}`;
  const why = `there is such an address on every link, and its zone is missing: write ${example}` +
    (all.length === 0 ? "" : `; ${theInterfaces(all)}`);
  return new SocketError("EINVAL", op, { addr, why });
}

/** Throws that error. */
export function needZone(op: SocketOp, addr: Endpoint): void {
  const error = missingZone(op, addr);
  if (error !== undefined) throw error;
}

/**
 * The host of an address, its zone in the way that a runtime takes: by the name of the interface, or
 * by its number. Throws EINVAL if there is no such interface.
 */
export function checkZone(op: SocketOp, addr: Endpoint, by: "name" | "number" = "name"): string {
  const { host } = addr;
  const zone = zoneIn(host);
  if (zone === undefined) return host;
  const all = interfaces();
  const found = all.find(({ name, number }) => name === zone || number === zone);
  if (found?.[by] !== undefined) return `${host.slice(0, host.indexOf("%"))}%${found[by]}`;
  // Only the addresses of a link tell the number of theirs.
  if (all.length === 0 || /^\d+$/.test(zone) && !isLinkLocal(host)) return host;
  const why = found === undefined
    ? `there is no zone '${zone}'; ${theInterfaces(all)}`
    : `the number of zone '${zone}' is not known: write it instead, as in ::1%1`;
  throw new SocketError("EINVAL", op, { addr, why });
}

function theInterfaces(all: readonly Interface[]): string {
  const names = all.map(({ name }) => name).join(", ");
  return all.length === 1 ? `the interface here is ${names}` : `the interfaces here are ${names}`;
}

/** Go tries as often. */
const TRIES = 3;

/** Whether a socket at `own` that is connected to `to` is connected to itself. */
export function isItself(own: Endpoint, to: Endpoint): boolean {
  if (own.port !== to.port) return false;
  const [here, there] = [own, to].map(({ host }) => parseScopedIP(host));
  if (here === undefined || there === undefined) return false;
  // A connection to "any address" reaches loopback.
  return there.every((byte) => byte === 0) || formatIP(here) === formatIP(there);
}

/** The error of a socket that met itself. */
export function metItself(to: Endpoint): SocketError {
  const why = "nobody listens there, and the socket met itself";
  return new SocketError("ECONNREFUSED", "connect", { addr: to, why });
}

/** Calls `connect` until what it makes is not connected to itself. Rejects ECONNREFUSED if that stays so. */
export async function notToItself<C extends Conn>(
  to: Endpoint,
  connect: () => Promise<C>,
): Promise<C> {
  for (let tried = 0; tried < TRIES; tried++) {
    try {
      const conn = await connect();
      const { localAddr } = conn;
      if (!("port" in localAddr) || !isItself(localAddr, to)) return conn;
      conn.reset();
    } catch (error) {
      // The only port that it could come from was that of the last try.
      if (tried > 0 && (error as SocketError).code === "EADDRNOTAVAIL") break;
      throw error;
    }
  }
  throw metItself(to);
}
