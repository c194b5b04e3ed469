/**
 * Which address a socket for datagrams is bound to, and which is its peer's.
 *
 * @module
 */

import { formatAddr, isIPv6, udpAddr } from "../base/addr.ts";
import type { Endpoint, UdpAddr } from "../base/addr.ts";
import type { Datagram, DatagramOptions } from "./datagram.ts";
import { SocketError } from "../base/errors.ts";
import { formatIP, parseScopedIP } from "../base/ip.ts";
import { metItself } from "./self_connect.ts";
import { bindHost, connectAddr } from "./resolve.ts";
import type { Transport } from "./transport.ts";
import { checkListenDatagram } from "./transport_arguments.ts";

/**
 * Finds the addresses that {@linkcode DatagramOptions} ask for, and binds the socket with `bind`: to
 * the first, and for the one peer at the second.
 */
export async function bindDatagram(
  transport: Transport,
  options: DatagramOptions,
  bind: (addr: UdpAddr, peer?: UdpAddr) => Datagram | Promise<Datagram>,
): Promise<Datagram> {
  checkListenDatagram(options);
  const { host, port = 0, remote, signal } = options;
  if (remote === undefined) {
    return await bindHost(transport, { host, port }, (addr) => bind(udpAddr(addr.host, port)));
  }
  const found = await connectAddr(transport, { ...remote, signal });
  if (found.port === 0) {
    throw new SocketError("EINVAL", "connect", { addr: remote, why: "nobody can have port 0" });
  }
  const peer = udpAddr(peerHost(found), found.port);
  const own = host === undefined ? hostBeside(peer) : await hostLike(transport, host, port, peer);
  const socket = await bind(udpAddr(own, port), peer);
  if (port !== 0 || socket.addr.port !== peer.port) return socket;
  // Unless the peer is on another machine, the socket would talk to itself. While it has the port, the
  // kernel chooses another one.
  try {
    return await bind(udpAddr(own, port), peer);
  } catch (error) {
    throw (error as SocketError).code === "EADDRINUSE" ? metItself(peer) : error;
  } finally {
    socket.close();
  }
}

/** As the kernel would write it; any address is this machine's, as connect(2) has it. */
function peerHost({ host }: Endpoint): string {
  const bytes = parseScopedIP(host)!;
  const zone = host.indexOf("%");
  if (zone >= 0) return formatIP(bytes) + host.slice(zone);
  if (bytes.some((byte) => byte !== 0)) return formatIP(bytes);
  return bytes.length === 4 ? "127.0.0.1" : "::1";
}

/** Where a socket is bound that talks to `peer` only. */
function hostBeside(peer: UdpAddr): string {
  if (peer.host.startsWith("127.")) return "127.0.0.1";
  return peer.host === "::1" ? "::1" : anyHost(peer);
}

function anyHost(peer: UdpAddr): string {
  return isIPv6(peer) ? "::" : "0.0.0.0";
}

/** The address of `host` that is of the same family as that of `peer`. */
async function hostLike(
  transport: Transport,
  host: string,
  port: number,
  peer: UdpAddr,
): Promise<string> {
  if (host === "") return anyHost(peer);
  const addrs = await transport.resolve({ host, port });
  const own = addrs.find((addr) => isIPv6(addr) === isIPv6(peer));
  if (own !== undefined) return own.host;
  const why = `${formatAddr(peer)} cannot be reached from there: it is of the other family`;
  throw new SocketError("EAFNOSUPPORT", "listen", { addr: { host, port }, why });
}
