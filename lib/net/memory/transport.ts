/**
 * A transport without an operating system: connections are pairs of bounded pipes in memory. It
 * keeps the same contract as the sockets, needs no ports and no permissions, and does nothing at a
 * time of its own, so tests on it are quick and repeatable. With a {@linkcode VirtualClock} for the
 * deadlines, minutes pass at once.
 *
 * @module
 */

import { type Deferred, deferred, orAborted } from "../../base/wait.ts";
import {
  ANYTHING,
  asksForTls,
  asksForUnix,
  checkOptions,
  isInherited,
  type Kinds,
} from "../../base/arguments.ts";
import { tcpAddr, unixAddr } from "../../base/addr.ts";
import type { Datagram, DatagramOptions } from "../datagram.ts";
import { bindDatagram } from "../datagram_base.ts";
import type { SocketOp } from "../../base/error_codes.ts";
import { refuseOptions, SocketError } from "../../base/errors.ts";
import { BaseListener } from "../conn_base.ts";
import { MemoryDatagrams } from "./datagram.ts";
import { MemoryPorts } from "./ports.ts";
import { MemoryConn } from "./conn.ts";
import { bindHost, connectAddr } from "../resolve.ts";
import type { Addr, Endpoint, TcpAddr, UnixAddr } from "../../base/addr.ts";
import type {
  Conn,
  ConnectOptions,
  InheritedListenOptions,
  Listener,
  ListenOptions,
  TcpConnectOptions,
  TcpListenOptions,
  TlsListenOptions,
  Transport,
  UnixConnectOptions,
  UnixListenOptions,
} from "../transport.ts";
import { checkConnect, checkListen, checkResolve, checkStartTls } from "../transport_arguments.ts";
import type { TlsClientOptions } from "../tls/options.ts";
import { pathAddr } from "../unix_path.ts";
import { BACKLOG } from "../backlog.ts";

/** Options of {@linkcode MemoryTransport}. */
export interface MemoryTransportOptions {
  /**
   * The names that resolve, with their addresses in order. Default: `localhost`, to `127.0.0.1` and
   * `::1`. Address literals always resolve to themselves.
   */
  readonly hosts?: Readonly<Record<string, readonly string[]>>;
}

const OPTIONS: Kinds<MemoryTransportOptions> = { hosts: ANYTHING };

/**
 * Sockets in memory; see the module.
 *
 * @example
 * ```ts
 * import { MemoryTransport } from "@plainsocket/plainsocket/testing";
 * import assert from "node:assert/strict";
 *
 * const transport = new MemoryTransport();
 * using listener = await transport.listen({ port: 7 });
 * using client = await transport.connect({ host: "localhost", port: 7 });
 * using server = await listener.accept();
 *
 * await client.write(new Uint8Array([1, 2, 3]));
 * assert.equal(await server.read(new Uint8Array(10)), 3);
 * ```
 */
export class MemoryTransport implements Transport {
  /** Always `"memory"`. */
  readonly name = "memory";
  readonly #hosts: ReadonlyMap<string, readonly string[]>;
  readonly #tcp = new MemoryPorts<MemoryListener>();
  readonly #unix = new Map<string, MemoryListener>();
  readonly #udp = new MemoryDatagrams();

  /** Makes a network of its own: nothing is shared between two of them. */
  constructor(options: MemoryTransportOptions = {}) {
    checkOptions("new MemoryTransport", options, OPTIONS);
    const { hosts = { localhost: ["127.0.0.1", "::1"] } } = options;
    this.#hosts = new Map(Object.entries(hosts));
  }

  /** See {@linkcode Transport.resolve}. */
  async resolve(endpoint: Endpoint): Promise<TcpAddr[]> {
    checkResolve(endpoint);
    const { host, port } = endpoint;
    const literal = host.includes(":") || /^[\d.]+$/.test(host);
    const found = literal ? [host] : this.#hosts.get(host);
    if (found === undefined || found.length === 0) {
      throw new SocketError("ENOTFOUND", "resolve", { addr: endpoint });
    }
    return await Promise.resolve(found.map((address) => tcpAddr(address, port)));
  }

  /** See {@linkcode Transport.startTls}: always ENOTSUP, since there is nobody to keep it secret from. */
  async startTls(conn: Conn, options: TlsClientOptions = {}): Promise<never> {
    checkStartTls(conn, options);
    conn.close();
    return await Promise.reject(noTls("startTls", conn.remoteAddr));
  }

  /** See {@linkcode Transport.listen}. The path of a Unix socket is a name here, and no file. */
  listen(options: TlsListenOptions): Promise<never>;
  /** The same without TLS. */
  listen(options?: TcpListenOptions): Promise<Listener<TcpAddr>>;
  /** The same for a Unix socket. */
  listen(options: UnixListenOptions): Promise<Listener<UnixAddr>>;
  /** Always ENOTSUP: there is nobody to inherit from. */
  listen(options: InheritedListenOptions): Promise<never>;
  /** The same for all of them. */
  listen(options: ListenOptions): Promise<Listener>;
  async listen(options: ListenOptions = {}): Promise<Listener> {
    checkListen(options);
    if (isInherited(options)) throw new SocketError("ENOTSUP", "listen");
    if (asksForUnix(options)) return this.#bind(pathAddr("listen", options.path), BACKLOG);
    return await bindHost(this, options, (wanted) => {
      const { reusePort, ipv6Only } = options;
      refuseOptions("listen", wanted, { reusePort, ipv6Only }, "in memory");
      if (asksForTls(options)) throw noTls("listen", wanted);
      const addr = wanted.port === 0 ? tcpAddr(wanted.host, this.#tcp.choose()) : wanted;
      return this.#bind(addr, options.backlog ?? BACKLOG);
    });
  }

  /** See {@linkcode Transport.connect}. */
  connect(options: TcpConnectOptions): Promise<Conn<TcpAddr>>;
  /** The same for a Unix socket. */
  connect(options: UnixConnectOptions): Promise<Conn<UnixAddr>>;
  /** The same for either. */
  connect(options: ConnectOptions): Promise<Conn>;
  async connect(options: ConnectOptions): Promise<Conn> {
    checkConnect(options);
    const { signal } = options;
    const { from, addr } = asksForUnix(options)
      ? { from: unixAddr(""), addr: pathAddr("connect", options.path) }
      : await this.#route(options);
    const listener = this.#listenerAt(addr);
    if (listener === undefined) {
      const code = addr.transport === "unix" ? "ENOENT" : "ECONNREFUSED";
      throw new SocketError(code, "connect", { addr });
    }
    const connecting = listener.enqueue(from, addr);
    try {
      return await orAborted(connecting.made, signal, "connect", addr);
    } catch (error) {
      connecting.giveUp();
      connecting.made.then((conn) => conn.close(), () => {});
      throw error;
    }
  }

  async #route(options: TcpConnectOptions): Promise<{ from: TcpAddr; addr: TcpAddr }> {
    const addr = await connectAddr(this, options);
    return { from: tcpAddr(options.localAddress ?? addr.host, this.#tcp.choose()), addr };
  }

  /** See {@linkcode Transport.listenDatagram}. */
  listenDatagram(options: DatagramOptions = {}): Promise<Datagram> {
    const { broadcast } = options;
    return bindDatagram(this, options, (addr, peer) => {
      refuseOptions("listen", addr, { broadcast }, "in memory");
      return this.#udp.bind(addr, peer);
    });
  }

  #bind(addr: Addr, backlog: number): Listener {
    const listener = new MemoryListener(addr, backlog, () => {
      if (addr.transport === "unix") this.#unix.delete(addr.path);
      else this.#tcp.free(addr);
    });
    if (addr.transport === "tcp") this.#tcp.bind(addr, listener);
    else if (!this.#unix.has(addr.path)) this.#unix.set(addr.path, listener);
    else throw new SocketError("EADDRINUSE", "listen", { addr });
    return listener;
  }

  #listenerAt(addr: Addr): MemoryListener | undefined {
    return addr.transport === "unix" ? this.#unix.get(addr.path) : this.#tcp.at(addr);
  }
}

function noTls(op: SocketOp, addr: Addr): SocketError {
  return new SocketError("ENOTSUP", op, { addr, why: "there is no TLS in memory" });
}

interface Connecting {
  readonly made: Promise<Conn>;
  giveUp(): void;
}

class MemoryListener extends BaseListener {
  readonly addr: Addr;
  readonly #backlog: number;
  readonly #release: () => void;
  /** The server ends that wait to be accepted. */
  readonly #queue: MemoryConn[] = [];
  /** Clients that the backlog has no room for: as with a kernel, their connect waits. */
  readonly #outside = new Set<() => void>();
  #acceptor: Deferred<Conn> | undefined;

  constructor(addr: Addr, backlog: number, release: () => void) {
    super();
    this.addr = addr;
    this.#backlog = backlog;
    this.#release = release;
  }

  enqueue(clientAddr: Addr, serverAddr: Addr): Connecting {
    const { promise, resolve, reject } = deferred<Conn>();
    const enter = () => {
      if (this.closed || this.stopped) {
        reject(new SocketError("ECONNREFUSED", "connect", { addr: serverAddr }));
        return;
      }
      const [client, server] = MemoryConn.pair(clientAddr, serverAddr);
      resolve(client);
      if (this.#acceptor === undefined) this.#queue.push(server);
      else {
        this.#acceptor.resolve(server);
        this.#acceptor = undefined;
      }
    };
    if (this.#acceptor !== undefined || this.#queue.length < this.#backlog) enter();
    else this.#outside.add(enter);
    return { made: promise, giveUp: () => this.#outside.delete(enter) };
  }

  protected startAccept(): Promise<Conn> {
    const conn = this.#queue.shift();
    if (conn === undefined) {
      if (this.stopped) return Promise.reject(this.closedError());
      this.#acceptor = deferred<Conn>();
      return this.#acceptor.promise;
    }
    const [enter] = this.#outside;
    if (enter !== undefined) {
      this.#outside.delete(enter);
      enter();
    }
    return Promise.resolve(conn);
  }

  protected override stopListening(): void {
    this.#release();
    for (const enter of this.#outside) enter();
    this.#outside.clear();
    this.#acceptor?.reject(this.closedError());
  }

  protected destroy(): void {
    if (!this.stopped) this.stopListening();
    for (const conn of this.#queue.splice(0)) conn.reset();
  }
}
