/**
 * The datagram interface: a UDP socket (RFC 768), and the contract every implementation keeps. Types
 * only; {@linkcode Transport.listenDatagram} makes them. Each rule below is a test in the contract
 * suite for datagrams, which runs on all transports.
 *
 * @module
 */

import type { UdpAddr } from "../base/addr.ts";
import type { Endpoint } from "../base/addr.ts";

/** Options of {@linkcode Transport.listenDatagram}. */
export interface DatagramOptions {
  /**
   * The address to bind, as that of {@linkcode TcpListenOptions}: `""` is any address, IPv6 and IPv4
   * on one socket. Default: `"localhost"`; or, with `remote`, any address of its family, and of
   * loopback if it is there, so that nobody else can send to the socket.
   */
  readonly host?: string;
  /**
   * The port to bind; 0 lets the kernel choose, and {@linkcode Datagram.addr} has it. Default: 0.
   */
  readonly port?: number;
  /**
   * The one peer of the socket: of a name's addresses, the one that `host` would bind. The socket
   * sends to it and receives from it only, and it learns when the peer's host says that nobody
   * listens there (ICMP port unreachable; not on Deno). Default: any peer.
   */
  readonly remote?: Endpoint;
  /**
   * Allows sending to broadcast addresses (SO_BROADCAST), which is EACCES without it. In memory there
   * are none. Default: false.
   */
  readonly broadcast?: boolean;
  /** Gives up looking up the name of `remote` when aborted, as {@linkcode TcpConnectOptions} has it. */
  readonly signal?: AbortSignal;
}

/** The result of {@linkcode Datagram.receive}. */
export interface Received {
  /** The number of bytes that are in the buffer; 0 for a datagram that is empty. */
  readonly size: number;
  /**
   * The number of bytes that did not fit into the buffer and are lost. 0 if the datagram is whole.
   */
  readonly truncated: number;
  /** The address of the sender. */
  readonly from: UdpAddr;
}

/**
 * A UDP socket: messages with boundaries, which may get lost, come twice, or in another order.
 *
 * Every method rejects with a {@linkcode SocketError}, and for a wrong argument with a `TypeError` or
 * `RangeError` that names it. Receiving and sending go on at the same time. A second receive while one is under way rejects EBUSY. Sends queue: each
 * begins when those before it have settled.
 *
 * @example
 * ```ts
 * import { systemTransport } from "@plainsocket/plainsocket";
 * import assert from "node:assert/strict";
 *
 * using server = await systemTransport.listenDatagram({ host: "127.0.0.1" });
 * using client = await systemTransport.listenDatagram({ remote: server.addr });
 *
 * await client.send(new TextEncoder().encode("hello"));
 * const buffer = new Uint8Array(65_535);
 * const { size, from } = await server.receive(buffer);
 * await server.send(buffer.subarray(0, size), from);
 * assert.equal((await client.receive(buffer)).size, 5);
 * ```
 */
export interface Datagram extends Disposable {
  /** The address really bound (getsockname(2)): with port 0, the port the kernel chose. */
  readonly addr: UdpAddr;
  /** The one peer, if {@linkcode DatagramOptions.remote} named one. */
  readonly remoteAddr: UdpAddr | undefined;
  /**
   * The number of datagrams that were dropped since they came faster than they were received. About
   * 1 MiB of them waits to be received. Datagrams that the kernel drops before are not counted.
   */
  readonly dropped: number;

  /**
   * Waits for a datagram and puts it into `p`. One that is longer than `p` is cut, and `truncated`
   * tells; none is longer than 65,535 bytes.
   *
   * `p` belongs to the socket until the promise settles, and to the caller from then on.
   *
   * Rejects: ECONNREFUSED, once, after what came before, if the host of the one peer says that nobody
   * listens there: the socket goes on, and may be used again; ECLOSED after {@linkcode close};
   * EBUSY if a receive is under way. `p` must not be empty.
   */
  receive(p: Uint8Array): Promise<Received>;

  /**
   * Sends `p` as one datagram, which may be empty, to `to` or else to the one peer. Resolves when the
   * kernel has taken it, which says nothing of whether it arrives. `to.host` is an address literal:
   * {@linkcode Transport.resolve} finds that of a name.
   *
   * `p` belongs to the socket until the promise settles, and to the caller from then on.
   *
   * Rejects: EMSGSIZE if `p` has more than 65,507 bytes on IPv4, or 65,527 on IPv6; ECONNREFUSED as
   * {@linkcode receive}, to whichever is called next, and then nothing is sent; EINVAL for a host
   * that is not an IP address, for port 0, for a zone of IPv6 that does not exist (`%eth0`, or its
   * number `%2`), without `to` on a socket that has no peer, and for another than the peer on one
   * that has; EAFNOSUPPORT if `to` is IPv6 and the socket is IPv4, or the reverse; EACCES,
   * EHOSTUNREACH, ENETUNREACH; ENOTCAPABLE if Deno's permissions forbid it; ECLOSED after
   * {@linkcode close}.
   */
  send(p: Uint8Array, to?: Endpoint): Promise<void>;

  /**
   * Frees the socket. Datagrams that were sent are still delivered; those that wait to be received
   * are dropped. A pending receive or send, and every later call, rejects with `reason`, by default
   * ECLOSED. A second call does nothing, and it never throws.
   */
  close(reason?: Error): void;
}
