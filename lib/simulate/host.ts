/**
 * A simulated host: a transport whose sockets reach those of the other hosts of its world.
 *
 * @module
 */

import type { Addr, Endpoint, TcpAddr, UdpAddr, UnixAddr } from "../base/addr.ts";
import { tcpAddr } from "../base/addr.ts";
import type { Clock } from "../base/clock.ts";
import { abortError, SocketError } from "../base/errors.ts";
import { orAborted } from "../base/wait.ts";
import type { Datagram, DatagramOptions, Received } from "../net/datagram.ts";
import { MemoryConn } from "../net/memory/conn.ts";
import { MemoryTransport } from "../net/memory/transport.ts";
import { asksForUnix } from "../base/arguments.ts";
import type {
  Conn,
  ConnectOptions,
  InheritedListenOptions,
  Listener,
  ListenOptions,
  ResolveOptions,
  TcpConnectOptions,
  TcpListenOptions,
  TlsConn,
  TlsListenOptions,
  Transport,
  UnixConnectOptions,
  UnixListenOptions,
} from "../net/transport.ts";
import { checkConnect, checkListenDatagram, checkResolve } from "../net/transport_arguments.ts";
import { Link } from "./link.ts";
import type { Network } from "./network.ts";

/** When the first packet of a connection is sent anew, in milliseconds, and when it is given up. */
const SYN_TIMES = [1000, 3000, 7000, 15_000, 31_000, 63_000, 127_000];

/** The hosts of a simulation. */
export interface Hosts {
  /** The host with a name or an address. */
  find(nameOrAddress: string): SimulatedHost | undefined;
}

/** See the module. */
export class SimulatedHost implements Transport {
  readonly name: string;
  readonly address: string;
  readonly #network: Network;
  readonly #hosts: Hosts;
  readonly #clock: Clock;
  /** The sockets of this host. */
  #sockets = new MemoryTransport();
  /** The sockets that end with the host. */
  readonly #open = new Set<{ crash(): void }>();

  constructor(name: string, address: string, network: Network, hosts: Hosts, clock: Clock) {
    this.name = name;
    this.address = address;
    this.#network = network;
    this.#hosts = hosts;
    this.#clock = clock;
  }

  /** Turns it off: all of its sockets are gone, and no peer gets a packet about it. */
  crash(): void {
    for (const each of this.#open) each.crash();
    this.#open.clear();
    this.#sockets = new MemoryTransport();
  }

  async resolve(options: ResolveOptions): Promise<TcpAddr[]> {
    checkResolve(options);
    const { host, port } = options;
    const found = this.#hosts.find(host);
    if (found !== undefined) return [tcpAddr(found.address, port)];
    return await this.#sockets.resolve(options);
  }

  listen(options: TlsListenOptions): Promise<Listener<TcpAddr, TlsConn<TcpAddr>>>;
  listen(options?: TcpListenOptions): Promise<Listener<TcpAddr>>;
  listen(options: UnixListenOptions): Promise<Listener<UnixAddr>>;
  listen(options: InheritedListenOptions): Promise<Listener>;
  listen(options: ListenOptions): Promise<Listener>;
  async listen(options: ListenOptions = {}): Promise<Listener> {
    const own = "host" in options && this.#hosts.find(options.host ?? "") === this;
    const listener = await this.#sockets.listen(own ? { ...options, host: this.address } : options);
    this.#open.add({ crash: () => listener.close() });
    return listener;
  }

  connect(options: TcpConnectOptions): Promise<Conn<TcpAddr>>;
  connect(options: UnixConnectOptions): Promise<Conn<UnixAddr>>;
  connect(options: ConnectOptions): Promise<Conn>;
  async connect(options: ConnectOptions): Promise<Conn> {
    checkConnect(options);
    if (asksForUnix(options)) return await this.#sockets.connect(options);
    const peer = this.#hosts.find(options.host);
    if (peer === undefined || peer === this) {
      const host = peer === undefined ? options.host : this.address;
      return await this.#sockets.connect({ ...options, host });
    }
    const addr = tcpAddr(peer.address, options.port);
    const { signal } = options;
    const connecting = this.#connectTo(peer, addr, signal);
    try {
      return await orAborted(connecting, signal, "connect", addr);
    } catch (error) {
      // If it is made after all, nobody waits for it any more.
      connecting.then((conn) => conn.reset(), () => {});
      throw error;
    }
  }

  async #connectTo(peer: SimulatedHost, addr: TcpAddr, signal?: AbortSignal): Promise<Conn> {
    await this.#handshake(peer, addr, signal);
    let far: Conn;
    try {
      far = await peer.#sockets.connect({ ...addr, localAddress: this.address });
    } catch (error) {
      // The refusal takes as long as any packet.
      await this.#network.pause(this.#network.latency(peer.name, this.name));
      throw error;
    }
    const [near, end] = MemoryConn.pair(far.localAddr, far.remoteAddr);
    this.#join(end, far, peer);
    await this.#network.pause(this.#network.latency(peer.name, this.name));
    return near;
  }

  /**
   * Waits until a first packet has reached the peer. Rejects with ETIMEDOUT if none does; once `signal`
   * is aborted, no more are sent.
   */
  async #handshake(peer: SimulatedHost, addr: TcpAddr, signal?: AbortSignal): Promise<void> {
    const began = this.#clock.now();
    for (const time of SYN_TIMES) {
      if (signal?.aborted) throw abortError("connect", addr, signal);
      const passes = !this.#network.loses(this.name, peer.name) &&
        this.#network.reaches(this.name, peer.name);
      if (passes) return await this.#network.pause(this.#network.latency(this.name, peer.name));
      await this.#network.pause(began + time - this.#clock.now());
    }
    throw new SocketError("ETIMEDOUT", "connect", { addr });
  }

  /** Carries both ways between an end here and an end at the peer. */
  #join(here: Conn, there: Conn, peer: SimulatedHost): void {
    const up = new Link(here, there, this.#network.road(this.name, peer.name), this.#clock);
    const down = new Link(there, here, this.#network.road(peer.name, this.name), this.#clock);
    const connection = new Connection({ conn: here, link: up }, { conn: there, link: down });
    const own = { crash: () => connection.lose(here) };
    const other = { crash: () => connection.lose(there) };
    this.#open.add(own);
    peer.#open.add(other);
    void connection.run().then(() => {
      this.#open.delete(own);
      peer.#open.delete(other);
    });
  }

  async startTls<A extends Addr>(conn: Conn<A>): Promise<TlsConn<A>> {
    return await this.#sockets.startTls(conn);
  }

  async listenDatagram(options: DatagramOptions = {}): Promise<Datagram> {
    checkListenDatagram(options);
    const { remote } = options;
    const peer = remote === undefined ? undefined : this.#hosts.find(remote.host);
    const socket = await this.#sockets.listenDatagram(
      peer === undefined ? options : { ...options, remote: { ...remote!, host: peer.address } },
    );
    const datagram = new HostDatagram(socket, (p, to) => this.#route(socket, p, to));
    this.#open.add({ crash: () => socket.close() });
    return datagram;
  }

  /** Sends a datagram to another host; returns false if it is for this one. */
  #route(socket: Datagram, p: Uint8Array, to: Endpoint): boolean {
    const peer = this.#hosts.find(to.host);
    if (peer === undefined || peer === this) return false;
    if (this.#network.loses(this.name, peer.name)) return true;
    const bytes = new Uint8Array(p);
    this.#clock.setTimer(this.#network.latency(this.name, peer.name), () => {
      if (this.#network.reaches(this.name, peer.name)) {
        void peer.#deliver(bytes, { host: this.address, port: socket.addr.port }, to.port);
      }
    });
    return true;
  }

  /** Hands a datagram to the socket at a port, as if from the host that sent it. */
  async #deliver(bytes: Uint8Array, from: Endpoint, port: number): Promise<void> {
    const sender = await this.#sockets.listenDatagram(from);
    // There may be no socket, or its buffer may be full.
    await sender.send(bytes, { host: this.address, port }).catch(() => {});
    sender.close();
  }
}

/** One end of a connection, and the link that carries what it sends. */
interface ConnectionEnd {
  readonly conn: Conn;
  readonly link: Link;
}

/** A connection between two hosts. */
class Connection {
  readonly #ends: readonly ConnectionEnd[];
  #lost = false;

  constructor(...ends: readonly ConnectionEnd[]) {
    this.#ends = ends;
  }

  /** Carries until both directions have ended, or one end is reset. */
  async run(): Promise<void> {
    const failed = await Promise.all(this.#ends.map(({ link }) => link.run())).then(
      () => false,
      () => true,
    );
    if (this.#lost) return;
    for (const { conn, link } of this.#ends) {
      link.stop();
      if (failed) conn.reset();
      else conn.close();
    }
  }

  /**
   * The host of one end is gone without a word. The other end waits; what it sends is answered with a
   * reset, once the host is there again.
   */
  lose(gone: Conn): void {
    this.#lost = true;
    for (const { conn, link } of this.#ends) {
      if (conn !== gone) link.answerWith(() => conn.reset());
      else link.stop();
    }
    gone.reset();
  }
}

/** A socket for datagrams that reaches other hosts. */
class HostDatagram implements Datagram {
  readonly addr: UdpAddr;
  readonly remoteAddr: UdpAddr | undefined;
  readonly #inner: Datagram;
  readonly #route: (p: Uint8Array, to: Endpoint) => boolean;

  constructor(inner: Datagram, route: (p: Uint8Array, to: Endpoint) => boolean) {
    this.addr = inner.addr;
    this.remoteAddr = inner.remoteAddr;
    this.#inner = inner;
    this.#route = route;
  }

  get dropped(): number {
    return this.#inner.dropped;
  }

  receive(p: Uint8Array): Promise<Received> {
    return this.#inner.receive(p);
  }

  async send(p: Uint8Array, to: Endpoint | undefined = this.remoteAddr): Promise<void> {
    if (to !== undefined && this.#route(p, to)) return;
    await this.#inner.send(p, to);
  }

  close(reason?: Error): void {
    this.#inner.close(reason);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
