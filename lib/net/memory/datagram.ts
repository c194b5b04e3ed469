/**
 * Datagrams in memory: none is lost but for want of room, and they come in order.
 *
 * @module
 */

import { isIPv6, udpAddr } from "../../base/addr.ts";
import type { Endpoint, UdpAddr } from "../../base/addr.ts";
import type { Datagram } from "../datagram.ts";
import { BaseDatagram } from "../datagram_base.ts";
import { SocketError } from "../../base/errors.ts";
import { MemoryPorts } from "./ports.ts";

/** The most bytes in a datagram besides the headers of IP and UDP, for IPv4 and for IPv6. */
const MOST_ON_IPV4 = 65_507;
const MOST_ON_IPV6 = 65_527;

/** The UDP sockets of a network in memory. */
export class MemoryDatagrams {
  readonly #ports = new MemoryPorts<MemoryDatagram>();

  /** Makes a socket. Throws EADDRINUSE. */
  bind({ host, port }: UdpAddr, peer?: UdpAddr): Datagram {
    const addr = port === 0 ? udpAddr(host, this.#ports.choose()) : udpAddr(host, port);
    const socket = new MemoryDatagram(addr, peer, this.#ports);
    this.#ports.bind(addr, socket);
    return socket;
  }
}

class MemoryDatagram extends BaseDatagram {
  readonly addr: UdpAddr;
  readonly remoteAddr: UdpAddr | undefined;
  readonly #ports: MemoryPorts<MemoryDatagram>;

  constructor(addr: UdpAddr, peer: UdpAddr | undefined, ports: MemoryPorts<MemoryDatagram>) {
    super();
    this.addr = addr;
    this.remoteAddr = peer;
    this.#ports = ports;
  }

  protected startSend(p: Uint8Array, to: Endpoint): void {
    if (p.length > (isIPv6(to) ? MOST_ON_IPV6 : MOST_ON_IPV4)) {
      this.sent(new SocketError("EMSGSIZE", "send", { addr: to }));
      return;
    }
    const receiver = this.#ports.at(to);
    if (receiver !== undefined) receiver.deliver(p, this.#fromWhere(to));
    // As with a kernel, who has no peer of its own does not learn of it.
    else if (this.remoteAddr !== undefined) this.fail("ECONNREFUSED");
    this.sent();
  }

  /** A socket for any address sends from the one that is on the way to the receiver. */
  #fromWhere(to: Endpoint): UdpAddr {
    const { host, port } = this.addr;
    return host === "::" || host === "0.0.0.0" ? udpAddr(to.host, port) : this.addr;
  }

  protected destroy(): void {
    this.#ports.free(this.addr);
  }
}
