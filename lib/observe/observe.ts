/**
 * Every step of a connection as a typed event. `observe()` wraps a transport; without it there is
 * no wrapper and no cost.
 *
 * @module
 */

import type { EventSink } from "./events.ts";
import { unixAddr } from "../base/addr.ts";
import {
  asksForTls,
  asksForUnix,
  checkArgument,
  CLOCK,
  FUNCTION,
  type Kind,
  TRANSPORT,
} from "../base/arguments.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import type { Addr, TcpAddr, UnixAddr } from "../base/addr.ts";
import type { Datagram, DatagramOptions } from "../net/datagram.ts";
import type { SocketError } from "../base/errors.ts";
import { WrappedListener } from "../net/conn_base.ts";
import { ObservedConn, ObservedTlsConn } from "./conn.ts";
import { ObservedDatagram } from "./datagram.ts";
import { noteObserved, socketBelow } from "./observed_sockets.ts";
import { Reporter } from "./reporter.ts";
import type { TlsClientOptions } from "../net/tls/options.ts";
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
import {
  checkConnect,
  checkListen,
  checkListenDatagram,
  checkResolve,
  checkStartTls,
} from "../net/transport_arguments.ts";

const SINK: Kind = { ...FUNCTION, takes: "a function that takes events" };

/**
 * Wraps a transport so that `sink` is called with every step on it and on its connections.
 *
 * @example
 * ```ts
 * import { observe } from "@plainsocket/plainsocket";
 * import { MemoryTransport } from "@plainsocket/plainsocket/testing";
 * import assert from "node:assert/strict";
 *
 * const seen: string[] = [];
 * const transport = observe(new MemoryTransport(), (event) => seen.push(event.type));
 * using listener = await transport.listen();
 * using conn = await transport.connect(listener.addr);
 * await conn.write(new Uint8Array(3));
 * assert.deepEqual(seen, ["bind", "listen", "connect", "connected", "send"]);
 * ```
 */
export function observe(
  transport: Transport,
  sink: EventSink,
  clock: Clock = systemClock,
): Transport {
  checkObserve("observe", transport, sink, clock);
  return observeBorrowed(transport, (event) => {
    sink("data" in event ? { ...event, data: new Uint8Array(event.data) } : event);
  }, clock);
}

/**
 * Wraps a transport as {@linkcode observe} does, without a copy of the bytes: those of an event are in
 * the buffer of the reader or the writer, and the sink must be done with them when it returns.
 */
export function observeBorrowed(
  transport: Transport,
  sink: EventSink,
  clock: Clock = systemClock,
): Transport {
  checkObserve("observeBorrowed", transport, sink, clock);
  return new ObservedTransport(transport, new Reporter(sink, clock));
}

function checkObserve(where: string, transport: Transport, sink: EventSink, clock: Clock): void {
  checkArgument(where, transport, TRANSPORT);
  checkArgument(where, sink, SINK);
  checkArgument(where, clock, CLOCK);
}

/** A transport whose every step is an event. */
export class ObservedTransport implements Transport {
  readonly name: string;
  protected readonly reporter: Reporter;
  readonly #inner: Transport;

  constructor(inner: Transport, reporter: Reporter) {
    this.name = inner.name;
    this.#inner = inner;
    this.reporter = reporter;
    noteObserved(this, { reporter, socket: undefined });
  }

  async resolve(options: ResolveOptions): Promise<TcpAddr[]> {
    checkResolve(options);
    const resolving = this.#inner.resolve(options);
    const addrs = await this.reporter.reportFailure(undefined, "resolve", resolving);
    const endpoint = { host: options.host, port: options.port };
    this.reporter.emit({ type: "resolve", endpoint, addrs });
    return addrs;
  }

  listen(options: TlsListenOptions): Promise<Listener<TcpAddr, TlsConn<TcpAddr>>>;
  listen(options?: TcpListenOptions): Promise<Listener<TcpAddr>>;
  listen(options: UnixListenOptions): Promise<Listener<UnixAddr>>;
  listen(options: InheritedListenOptions): Promise<Listener>;
  listen(options: ListenOptions): Promise<Listener>;
  async listen(options: ListenOptions = {}): Promise<Listener> {
    checkListen(options);
    return await this.open(options);
  }

  /** Listens with options that are checked. */
  protected async open(options: ListenOptions): Promise<Listener> {
    const place: { socket?: number } = {};
    const listening = this.#inner.listen(
      asksForTls(options) ? this.#reportHandshakes(options, () => place.socket) : options,
    );
    const listener = await this.reporter.reportFailure(undefined, "listen", listening);
    const socket = place.socket = this.reporter.newSocket();
    // The runtimes bind and listen in one call.
    this.reporter.emit({ type: "bind", socket, addr: listener.addr });
    this.reporter.emit({ type: "listen", socket, addr: listener.addr });
    return new ObservedListener(listener, socket, this.reporter);
  }

  /** The options of a listener, and a report of each handshake that fails. */
  #reportHandshakes(
    options: TlsListenOptions,
    socketOf: () => number | undefined,
  ): TlsListenOptions {
    const { onHandshakeError } = options.tls;
    const report = (error: SocketError) => {
      this.reporter.emit({ type: "error", socket: socketOf(), op: error.op, error });
      onHandshakeError?.(error);
    };
    return { ...options, tls: { ...options.tls, onHandshakeError: report } };
  }

  connect(options: TcpConnectOptions): Promise<Conn<TcpAddr>>;
  connect(options: UnixConnectOptions): Promise<Conn<UnixAddr>>;
  connect(options: ConnectOptions): Promise<Conn>;
  async connect(options: ConnectOptions): Promise<Conn> {
    checkConnect(options);
    const socket = this.reporter.newSocket();
    const endpoint = asksForUnix(options)
      ? unixAddr(options.path)
      : { host: options.host, port: options.port };
    this.reporter.emit({ type: "connect", socket, endpoint });
    const conn = await this.reporter.reportFailure(socket, "connect", this.#inner.connect(options));
    const { localAddr, remoteAddr } = conn;
    this.reporter.emit({ type: "connected", socket, localAddr, remoteAddr });
    return new ObservedConn(conn, socket, this.reporter);
  }

  async startTls<A extends Addr>(
    conn: Conn<A>,
    options: TlsClientOptions = {},
  ): Promise<TlsConn<A>> {
    checkStartTls(conn, options);
    if (conn instanceof ObservedConn) return await this.shakeHands(conn, options);
    // A wrapper of an observed connection, such as faults, reports through that.
    const below = socketBelow(conn, this.reporter);
    const socket = below?.socket ?? this.reporter.newSocket();
    const handshake = this.shakeHands({ inner: conn, socket }, options);
    below?.carryTls?.(handshake);
    return await handshake;
  }

  /** Starts TLS on what is observed as `socket`. */
  protected async shakeHands<A extends Addr>(
    { inner, socket }: Pick<ObservedConn<A>, "inner" | "socket">,
    options: TlsClientOptions,
  ): Promise<TlsConn<A>> {
    const starting = this.#inner.startTls(inner, options);
    const tlsConn = await this.reporter.reportFailure(socket, "startTls", starting);
    return new ObservedTlsConn(tlsConn, socket, this.reporter);
  }

  async listenDatagram(options: DatagramOptions = {}): Promise<Datagram> {
    checkListenDatagram(options);
    const { remote } = options;
    const binding = this.#inner.listenDatagram(options);
    if (remote === undefined) {
      const datagram = await this.reporter.reportFailure(undefined, "listen", binding);
      const socket = this.reporter.newSocket();
      this.reporter.emit({ type: "bind", socket, addr: datagram.addr });
      return new ObservedDatagram(datagram, socket, this.reporter);
    }
    const socket = this.reporter.newSocket();
    const endpoint = { host: remote.host, port: remote.port };
    this.reporter.emit({ type: "connect", socket, endpoint });
    const datagram = await this.reporter.reportFailure(socket, "connect", binding);
    const { addr: localAddr, remoteAddr } = datagram;
    this.reporter.emit({ type: "connected", socket, localAddr, remoteAddr: remoteAddr! });
    return new ObservedDatagram(datagram, socket, this.reporter);
  }
}

class ObservedListener extends WrappedListener {
  readonly #socket: number;
  readonly #reporter: Reporter;

  constructor(inner: Listener, socket: number, reporter: Reporter) {
    super(inner);
    this.#socket = socket;
    this.#reporter = reporter;
  }

  protected async startAccept(): Promise<Conn> {
    const listener = this.#socket;
    const conn = await this.#reporter.reportFailure(listener, "accept", this.inner.accept());
    const socket = this.#reporter.newSocket();
    const { localAddr, remoteAddr } = conn;
    this.#reporter.emit({ type: "accept", socket, listener, localAddr, remoteAddr });
    return isTls(conn)
      ? new ObservedTlsConn(conn, socket, this.#reporter)
      : new ObservedConn(conn, socket, this.#reporter);
  }

  protected override stopListening(): void {
    this.#emitClose();
    super.stopListening();
  }

  protected override destroy(): void {
    if (!this.stopped) this.#emitClose();
    super.destroy();
  }

  #emitClose(): void {
    const socket = this.#socket;
    this.#reporter.emit({ type: "close", socket, bytesRead: 0, bytesWritten: 0, reset: false });
  }
}

function isTls(conn: Conn): conn is TlsConn {
  return "tls" in conn;
}
