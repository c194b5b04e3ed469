/**
 * The part of the {@linkcode Datagram} contract that does not depend on where the datagrams go: which
 * calls are refused, what waits to be received, and which address a socket is bound to.
 *
 * @module
 */

import { type Endpoint, formatAddr, isIPv6, type UdpAddr, udpAddr } from "../base/addr.ts";
import { whyNoBuffer, whyNoBytes } from "../base/arguments.ts";
import { type Deferred, deferred } from "../base/wait.ts";
import type { SocketErrorCode, SocketOp } from "../base/error_codes.ts";
import { SocketError } from "../base/errors.ts";
import { formatIP, parseScopedIP } from "../base/ip.ts";
import { inNextTurn } from "../base/clock.ts";
import type { Datagram, DatagramOptions, Received } from "./datagram.ts";
import { bindHost, connectAddr, metItself } from "./resolve.ts";
import type { Transport } from "./transport.ts";
import { checkDestination, checkListenDatagram } from "./transport_arguments.ts";

/** The most bytes that may wait to be received, with an overhead for each datagram. */
const QUEUE_BYTES = 1024 * 1024;
const COST_OF_ONE = 256;

/** The number of sends after which the event loop gets a turn: most sends are done at once. */
const MOST_IN_A_ROW = 32;

/** See the module. */
export abstract class BaseDatagram implements Datagram {
  abstract readonly addr: UdpAddr;
  abstract readonly remoteAddr: UdpAddr | undefined;
  dropped = 0;

  /** {@linkcode close} was called. */
  protected closed = false;
  readonly #queue: { readonly data: Uint8Array; readonly from: UdpAddr }[] = [];
  #queued = 0;
  #receiving: { readonly p: Uint8Array; readonly done: Deferred<Received> } | undefined;
  #sending: Deferred<void> | undefined;
  /** The number of sends that wait for those before them. */
  #waiting = 0;
  /** The last send that was begun or waits. */
  #last: Promise<void> = Promise.resolve();
  /** An error of the socket that no call has reported yet, such as a refusal by the peer's host. */
  #failure: SocketErrorCode | undefined;
  #inARow = 0;
  #closeReason: Error | undefined;
  /** The last host sent to that was found to be an address literal, and how the runtime wants it. */
  #literal: string | undefined;
  #spelled = "";

  /** Starts sending one datagram; {@linkcode sent} is called when that is done. */
  protected abstract startSend(p: Uint8Array, to: Endpoint): void;
  /** Frees the socket, once what is being sent has left; called once. */
  protected abstract destroy(): void;

  /** The host of an address literal as the runtime wants it. Throws EINVAL for a zone that is not valid. */
  protected spelled({ host }: Endpoint): string {
    return host;
  }

  /** A send is under way: the kernel has not taken it yet. */
  protected get sending(): boolean {
    return this.#sending !== undefined;
  }

  receive(p: Uint8Array): Promise<Received> {
    if (this.closed) return Promise.reject(this.#closedError("receive"));
    const mistake = whyNoBuffer("datagram.receive", p);
    if (mistake !== undefined) return Promise.reject(mistake);
    if (this.#receiving !== undefined) return Promise.reject(this.#error("EBUSY", "receive"));
    const first = this.#queue.shift();
    if (first !== undefined) {
      this.#queued -= first.data.length + COST_OF_ONE;
      return Promise.resolve(put(first.data, first.from, p));
    }
    if (this.#failure !== undefined) return Promise.reject(this.#takeFailure("receive"));
    const done = deferred<Received>();
    this.#receiving = { p, done };
    return done.promise;
  }

  send(p: Uint8Array, to?: Endpoint): Promise<void> {
    const mistake = whyNoBytes("datagram.send", p) ?? whyNoEndpoint(to);
    if (mistake !== undefined) return Promise.reject(mistake);
    if (this.#sending === undefined && this.#waiting === 0) {
      return this.#last = this.#sendNow(p, to);
    }
    this.#waiting++;
    const next = () => {
      this.#waiting--;
      return this.#sendNow(p, to);
    };
    return this.#last = this.#last.then(next, next);
  }

  #sendNow(p: Uint8Array, to?: Endpoint): Promise<void> {
    let where: Endpoint;
    try {
      if (this.closed) throw this.#closedError("send");
      where = this.#checkAddr(to);
      if (this.#failure !== undefined) throw this.#takeFailure("send");
    } catch (error) {
      return Promise.reject(error);
    }
    const sending = this.#sending = deferred();
    this.startSend(p, where);
    return sending.promise;
  }

  close(reason?: Error): void {
    if (this.closed) return;
    this.closed = true;
    this.#closeReason = reason;
    this.#queue.length = 0;
    this.#receiving?.done.reject(this.#closedError("receive"));
    this.#receiving = undefined;
    this.#sending?.reject(this.#closedError("send"));
    this.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** The datagram of {@linkcode startSend} has left, or has failed to. */
  protected sent(error?: SocketError): void {
    const sending = this.#sending!;
    this.#sending = undefined;
    if (error !== undefined) sending.reject(error);
    else if (++this.#inARow < MOST_IN_A_ROW) sending.resolve();
    else {
      this.#inARow = 0;
      // Sends that come meanwhile wait, so that all settle in order.
      this.#waiting++;
      inNextTurn(() => {
        this.#waiting--;
        sending.resolve();
      });
    }
  }

  /** A datagram has come; `data` is the caller's again when this returns. */
  protected deliver(data: Uint8Array, from: UdpAddr): void {
    const peer = this.remoteAddr;
    // The kernel has seen to that, if it knows of the peer, but not for what came before it did.
    if (peer !== undefined) {
      if (!isSame(from, peer)) return;
      from = peer;
    }
    const waiting = this.#receiving;
    if (waiting !== undefined) {
      this.#receiving = undefined;
      waiting.done.resolve(put(data, from, waiting.p));
    } else if (this.#queued + data.length + COST_OF_ONE > QUEUE_BYTES) {
      this.dropped++;
    } else {
      this.#queued += data.length + COST_OF_ONE;
      // A copy, since the runtimes' buffers may be far larger than what is in them.
      this.#queue.push({ data: new Uint8Array(data), from });
    }
  }

  /** The socket has got an error (SO_ERROR), such as that nobody listens at the peer's. */
  protected fail(code: SocketErrorCode): void {
    this.#failure = code;
    const waiting = this.#receiving;
    if (waiting === undefined) return;
    this.#receiving = undefined;
    waiting.done.reject(this.#takeFailure("receive"));
  }

  #takeFailure(op: "receive" | "send"): SocketError {
    const code = this.#failure!;
    this.#failure = undefined;
    if (code !== "ECONNREFUSED" || this.remoteAddr === undefined) return this.#error(code, op);
    return this.#error(code, op, `nobody listens on ${formatAddr(this.remoteAddr)}, says its host`);
  }

  /** The receiver. Throws unless a datagram can be sent there. */
  #checkAddr(to: Endpoint | undefined): Endpoint {
    const peer = this.remoteAddr;
    if (to === undefined || to === peer) {
      if (peer !== undefined) return peer;
      throw invalid(this.addr, "the socket has no peer: name the address to send to");
    }
    if (peer !== undefined) {
      if (to.host === peer.host && to.port === peer.port) return peer;
      throw invalid(to, `the socket has a peer of its own, ${formatAddr(peer)}, and no other`);
    }
    if (to.port === 0) throw invalid(to, "nobody can have port 0");
    if (to.host === this.#literal) return this.#withZone(to);
    if (parseScopedIP(to.host) === undefined) {
      throw invalid(to, `'${to.host}' is not an IP address`);
    }
    // A socket for any IPv6 address is one for IPv4, too.
    if (isIPv6(to) !== isIPv6(this.addr) && this.addr.host !== "::") {
      const [ours, other] = isIPv6(to) ? ["IPv4", "IPv6"] : ["IPv6", "IPv4"];
      const why = `the socket is one for ${ours}, and the address is ${other}`;
      throw new SocketError("EAFNOSUPPORT", "send", { addr: to, why });
    }
    this.#spelled = this.spelled(to);
    this.#literal = to.host;
    return this.#withZone(to);
  }

  #withZone(to: Endpoint): Endpoint {
    return this.#spelled === to.host ? to : { host: this.#spelled, port: to.port };
  }

  #closedError(op: SocketOp): Error {
    return this.#closeReason ?? this.#error("ECLOSED", op);
  }

  #error(code: SocketErrorCode, op: SocketOp, why?: string): SocketError {
    const addr = op === "send" ? this.remoteAddr ?? this.addr : this.addr;
    return new SocketError(code, op, { addr, why });
  }
}

/** Whether it is one address: runtimes write its zone as a name, as a number, or leave it out. */
function isSame(a: UdpAddr, b: UdpAddr): boolean {
  return a.port === b.port && (a.host === b.host || withoutZone(a.host) === withoutZone(b.host));
}

function withoutZone(host: string): string {
  return host.split("%", 1)[0];
}

function put(data: Uint8Array, from: UdpAddr, p: Uint8Array): Received {
  const size = Math.min(data.length, p.length);
  p.set(size === data.length ? data : data.subarray(0, size));
  return { size, truncated: data.length - size, from };
}

function whyNoEndpoint(to: Endpoint | undefined): Error | undefined {
  try {
    if (to !== undefined) checkDestination(to);
  } catch (error) {
    return error as Error;
  }
}

function invalid(to: Endpoint, why: string): SocketError {
  return new SocketError("EINVAL", "send", { addr: to, why });
}

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

/** The address as the kernel writes it. An unspecified one is this machine's, as in connect(2). */
function peerHost({ host }: Endpoint): string {
  const bytes = parseScopedIP(host)!;
  const zone = host.indexOf("%");
  if (zone >= 0) return formatIP(bytes) + host.slice(zone);
  if (bytes.some((byte) => byte !== 0)) return formatIP(bytes);
  return bytes.length === 4 ? "127.0.0.1" : "::1";
}

/** The host that a socket for `peer` only is bound to. */
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
