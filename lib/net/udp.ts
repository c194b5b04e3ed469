/**
 * The operating system's UDP sockets, through `node:dgram`, which both runtimes have: Deno's own
 * datagrams are unstable, and behind a flag.
 *
 * @module
 */

import dgram from "node:dgram";
import { networkInterfaces } from "node:os";
import { isIPv6, udpAddr } from "../base/addr.ts";
import type { Endpoint, UdpAddr } from "../base/addr.ts";
import type { Datagram, DatagramOptions } from "./datagram.ts";
import { BaseDatagram, bindDatagram } from "./datagram_base.ts";
import type { SocketOp } from "../base/error_codes.ts";
import { codeOf, SocketError } from "../base/errors.ts";
import { parseIP } from "../base/ip.ts";
import type { Transport } from "./transport.ts";
import { checkZone, inZone, missingZone, zoneIn } from "./resolve.ts";

/** Turns what `node:dgram` reports into our error, as the adapter of the runtime does. */
export type Translate = (error: unknown, op: SocketOp, addr: UdpAddr) => SocketError;

/** See {@linkcode Transport.listenDatagram}. A runtime sends into zones of IPv6 by one of these. */
export function listenUdp(
  transport: Transport,
  options: DatagramOptions,
  translate: Translate,
  zonesBy: "name" | "number" = "name",
): Promise<Datagram> {
  return bindDatagram(transport, options, async (addr, peer) => {
    const socket = dgram.createSocket({ type: isIPv6(addr) ? "udp6" : "udp4", lookup });
    try {
      const host = checkZone("listen", addr);
      await done(socket, () => socket.bind(addr.port, host), "listening")
        .catch((error) => Promise.reject(translate(error, "listen", addr)));
      if (options.broadcast) socket.setBroadcast(true);
      if (peer !== undefined) {
        const host = checkZone("connect", peer, zonesBy);
        await done(socket, () => socket.connect(peer.port, host), "connect")
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
    return new UdpSocket(socket, zoneIn(addr.host), peer, explain, zonesBy);
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

/** The lookup of `node:dgram`, which gets address literals only: it calls back at once. */
function lookup(
  host: string,
  _options: unknown,
  callback: (error: null, address: string, family: number) => void,
): void {
  callback(null, host, host.includes(":") ? 6 : 4);
}

/** Starts something on the socket, and waits until it is done, or has failed. */
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
  readonly #zonesBy: "name" | "number";
  /** The receiver of the datagram that is being sent. */
  #to: Endpoint | undefined;

  constructor(
    socket: dgram.Socket,
    zone: string | undefined,
    peer: UdpAddr | undefined,
    translate: Translate,
    zonesBy: "name" | "number",
  ) {
    super();
    const { address, port } = socket.address();
    this.addr = udpAddr(inZone(address, zone), port);
    this.remoteAddr = peer;
    this.#socket = socket;
    this.#translate = translate;
    this.#zonesBy = zonesBy;
    socket.on("message", (data, { address, port }) => {
      this.deliver(data, udpAddr(inZone(address, zone), port));
    });
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
    this.sent(error ? this.#failed(error) : undefined);
    if (this.closed) this.#socket.close();
  };

  #failed(error: Error): SocketError {
    const { host, port } = this.#to!;
    const addr = udpAddr(host, port);
    // Without a zone the kernel may find the right interface, or not.
    return missingZone("send", addr) ?? this.#translate(error, "send", addr);
  }

  protected override spelled(to: Endpoint): string {
    return checkZone("send", to, this.#zonesBy);
  }

  // Deno sends a moment later, and not at all once it is closed.
  protected destroy(): void {
    if (!this.sending) this.#socket.close();
  }
}
