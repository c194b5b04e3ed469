/**
 * The operating system's UDP sockets, through `node:dgram`, which both runtimes have: Deno's own
 * datagrams are unstable, and behind a flag.
 *
 * @module
 */

import dgram from "node:dgram";
import { networkInterfaces } from "node:os";
import { isIPv6, udpAddr } from "./addr.ts";
import type { Datagram, DatagramOptions, UdpAddr } from "./datagram.ts";
import { BaseDatagram } from "./datagram_base.ts";
import { bindDatagram } from "./datagram_bind.ts";
import { codeOf, SocketError, type SocketOp } from "./errors.ts";
import { parseIP } from "./ip.ts";
import type { Endpoint, Transport } from "./transport.ts";

/** Turns what `node:dgram` reports into our error, as the adapter of the runtime does. */
export type Translate = (error: unknown, op: SocketOp, addr: UdpAddr) => SocketError;

/** Whether a runtime sends into this zone of IPv6, which was given by `%zone`. */
export type HasZone = (zone: string) => boolean;

/** Node sends as if there were no zone if it finds no interface of that name. */
const isInterface: HasZone = (zone) => Object.hasOwn(networkInterfaces(), zone);

/** See {@linkcode Transport.listenDatagram}. */
export function listenUdp(
  transport: Transport,
  options: DatagramOptions,
  translate: Translate,
  hasZone: HasZone = isInterface,
): Promise<Datagram> {
  return bindDatagram(transport, options, async (addr, peer) => {
    const socket = dgram.createSocket({ type: isIPv6(addr) ? "udp6" : "udp4", lookup });
    try {
      await done(socket, () => socket.bind(addr.port, addr.host), "listening")
        .catch((error) => Promise.reject(translate(error, "listen", addr)));
      if (options.broadcast) socket.setBroadcast(true);
      if (peer !== undefined) {
        await done(socket, () => socket.connect(peer.port, peer.host), "connect")
          .catch((error) => Promise.reject(translate(error, "connect", peer)));
      }
    } catch (error) {
      socket.close();
      throw error;
    }
    // Deno has no name for what the kernel says to a broadcast that was not asked for.
    const explain: Translate = (error, op, addr) => {
      const failure = translate(error, op, addr);
      const unasked = failure.code === "EUNKNOWN" && !options.broadcast && isBroadcast(addr.host);
      return unasked ? new SocketError("EACCES", op, { addr, cause: error }) : failure;
    };
    return new UdpSocket(socket, peer, explain, hasZone);
  });
}

/** Whether it is the broadcast address of a network of this machine, or that of all. */
function isBroadcast(host: string): boolean {
  if (host === "255.255.255.255") return true;
  let own;
  try {
    own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  } catch {
    return false; // Deno's permissions
  }
  const bytes = parseIP(host);
  return bytes?.length === 4 && own.some(({ address, netmask, family }) => {
    const [net, mask] = [parseIP(address), parseIP(netmask)];
    if (family !== "IPv4" || net === undefined || mask === undefined) return false;
    return bytes.every((byte, i) => byte === (net[i] & mask[i] | ~mask[i] & 0xff));
  });
}

/** Nothing to look up: `node:dgram` is given address literals only. It calls back at once. */
function lookup(
  host: string,
  _options: unknown,
  callback: (error: null, address: string, family: number) => void,
): void {
  callback(null, host, host.includes(":") ? 6 : 4);
}

/** Starts something on the socket, and waits until it tells that it is done, or failed. */
function done(socket: dgram.Socket, start: () => void, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error) => {
      socket.removeListener("error", settle).removeListener(event, settle);
      if (error === undefined) resolve();
      else reject(error);
    };
    socket.on("error", settle).on(event, settle);
    // Deno throws when its permissions forbid it.
    start();
  });
}

class UdpSocket extends BaseDatagram {
  readonly addr: UdpAddr;
  readonly remoteAddr: UdpAddr | undefined;
  readonly #socket: dgram.Socket;
  readonly #translate: Translate;
  readonly #hasZone: HasZone;
  /** Whom the datagram that is being sent is for. */
  #to: Endpoint | undefined;

  constructor(
    socket: dgram.Socket,
    peer: UdpAddr | undefined,
    translate: Translate,
    hasZone: HasZone,
  ) {
    super();
    const { address, port } = socket.address();
    this.addr = udpAddr(address, port);
    this.remoteAddr = peer;
    this.#socket = socket;
    this.#translate = translate;
    this.#hasZone = hasZone;
    socket.on("message", (data, { address, port }) => this.deliver(data, udpAddr(address, port)));
    socket.on("error", (error) => this.fail(codeOf(error)));
  }

  protected startSend(p: Uint8Array, to: Endpoint): void {
    this.#to = to;
    if (this.remoteAddr !== undefined) return this.#socket.send(p, this.#onSent);
    // From a socket for IPv6, an IPv4 address is sent to in IPv6 clothes.
    const host = isIPv6(this.addr) && !isIPv6(to) ? `::ffff:${to.host}` : to.host;
    this.#socket.send(p, to.port, host, this.#onSent);
  }

  readonly #onSent = (error: Error | null): void => {
    const { host, port } = this.#to!;
    this.sent(error ? this.#translate(error, "send", udpAddr(host, port)) : undefined);
    if (this.closed) this.#socket.close();
  };

  protected override hasZone(zone: string): boolean {
    return this.#hasZone(zone);
  }

  // Deno sends a moment later, and not at all once it is closed.
  protected destroy(): void {
    if (!this.sending) this.#socket.close();
  }
}
