/**
 * The transport interface: the nouns of socket programs, and the contract every
 * implementation keeps. Types only; the implementations are `systemTransport` (Deno or Node) and
 * `MemoryTransport`. Each rule below is a test in the contract suite, which runs on all of them.
 *
 * @module
 */

import type { Addr, Endpoint, TcpAddr, UnixAddr } from "../base/addr.ts";
import type { Datagram, DatagramOptions } from "./datagram.ts";
import type { MetricsSink } from "./metrics_sink.ts";
import type { TlsClientOptions, TlsInfo, TlsServerOptions } from "./tls/options.ts";

/** Options of {@linkcode Transport.resolve}. */
export interface ResolveOptions extends Endpoint {
  /** Gives up when aborted: ETIMEDOUT if the reason is a `TimeoutError`, else ECANCELED. */
  readonly signal?: AbortSignal;
}

/**
 * Options of a TCP socket, of one end or the other. docs/sockets.md has a table of the runtimes.
 */
export interface TcpSocketOptions {
  /**
   * Small writes leave at once (TCP_NODELAY); with false they may wait until what left before is
   * acknowledged, to leave together (Nagle's algorithm). Default: true.
   */
  readonly noDelay?: boolean;
  /**
   * The kernel asks a silent peer now and then whether it is still there (SO_KEEPALIVE), and ends the
   * connection with ETIMEDOUT if not; on Linux first after two hours, unless it is set otherwise.
   * Default: false.
   */
  readonly keepAlive?: boolean;
}

/**
 * Options of {@linkcode Transport.listen} for a TCP socket. The connections have its socket
 * options.
 */
export interface TcpListenOptions extends TcpSocketOptions {
  /**
   * The address to bind: a literal, a name, or `""` for any address, IPv6 and IPv4 on one socket
   * where the system has both. Of a name's addresses 127.0.0.1 is bound if it is among them, else
   * the first. Default: `"localhost"`.
   */
  readonly host?: string;
  /**
   * The port to bind; 0 lets the kernel choose, and {@linkcode Listener.addr} has it. Default: 0.
   */
  readonly port?: number;
  /**
   * The number of connections that may wait to be accepted (listen(2)). The kernel bounds its queue by
   * `net.core.somaxconn`. As many more may wait in this process: with TLS during the handshake, and on
   * Node until `accept()` is called. Default: 4096 in the kernel, 511 in this process.
   */
  readonly backlog?: number;
  /**
   * Lets several sockets listen on the same address and port, each with a queue of its own among which
   * the kernel divides the connections (SO_REUSEPORT). Not on Node before 22.12 and 23.1, on Deno with
   * `--unstable-net` only, not in memory: ENOTSUP. Default: false.
   */
  readonly reusePort?: boolean;
  /**
   * `::` and the empty host then mean IPv6 only (IPV6_V6ONLY). On Node only: ENOTSUP elsewhere. Default:
   * false.
   */
  readonly ipv6Only?: boolean;
  /**
   * Counts the connections that wait to be accepted, those that are rejected here, and the handshakes of
   * TLS. {@linkcode serve} counts all else: give the same to both. Default: nothing is counted.
   */
  readonly metrics?: MetricsSink;
}

/** Options of {@linkcode Transport.listen} for TLS on a TCP socket. */
export interface TlsListenOptions extends TcpListenOptions {
  /** The certificate and key for clients, and further options of TLS. */
  readonly tls: TlsServerOptions;
}

/**
 * Options of {@linkcode Transport.listen} for a Unix socket. There is no backlog to choose, since
 * Deno has none.
 */
export interface UnixListenOptions {
  /**
   * The path of the socket file: absolute or relative, at most 107 bytes (on Linux; sun_path).
   * {@linkcode Listener.close} removes it.
   *
   * A socket file that is there already, and that nobody listens on any more, is replaced. One that
   * a program listens on stays, and so does a file that is not a socket: EADDRINUSE.
   */
  readonly path: string;
  /**
   * The permissions of the file, such as `0o600`; who may write to it may connect. They are set right
   * after it is made, so where that moment matters, put it into a folder that is closed to others.
   * Default: what the umask leaves.
   */
  readonly mode?: number;
  /** As that of {@linkcode TcpListenOptions}. */
  readonly metrics?: MetricsSink;
}

/**
 * Options of {@linkcode Transport.listen} for a socket that is bound already: one that the process
 * has inherited from its parent, from systemd for instance. On Node only; ENOTSUP elsewhere.
 */
export interface InheritedListenOptions extends TcpSocketOptions {
  /**
   * The descriptor of the socket, of TCP or Unix. It is the listener's from now on. Node does not
   * know the path of a Unix socket, so that of {@linkcode Listener.addr} is `""`, and its file
   * stays.
   */
  readonly fd: number;
  /** As that of {@linkcode TcpListenOptions}. */
  readonly backlog?: number;
  /** Options of TLS, for a socket of TCP. Default: no TLS. */
  readonly tls?: TlsServerOptions;
  /** As that of {@linkcode TcpListenOptions}. */
  readonly metrics?: MetricsSink;
}

/** Options of {@linkcode Transport.listen}. */
export type ListenOptions =
  | TcpListenOptions
  | TlsListenOptions
  | UnixListenOptions
  | InheritedListenOptions;

/** Options of a TCP socket that connects. */
export interface TcpClientOptions extends TcpSocketOptions {
  /**
   * The IP address of this machine to connect from (bind(2)); it must be of the family that is
   * connected to. On Node and in memory only: ENOTSUP elsewhere. Default: the kernel chooses.
   */
  readonly localAddress?: string;
}

/** Options of {@linkcode Transport.connect} for a TCP socket. */
export interface TcpConnectOptions extends Endpoint, TcpClientOptions {
  /**
   * Gives up connecting when aborted: ETIMEDOUT if the reason is a `TimeoutError`, else ECANCELED.
   * It has no effect on the connection once that is made.
   */
  readonly signal?: AbortSignal;
}

/** Options of {@linkcode Transport.connect} for a Unix socket. */
export interface UnixConnectOptions {
  /** The socket file of the listener. */
  readonly path: string;
  /** As that of {@linkcode TcpConnectOptions}. */
  readonly signal?: AbortSignal;
}

/** Options of {@linkcode Transport.connect}. */
export type ConnectOptions = TcpConnectOptions | UnixConnectOptions;

/**
 * One end of a connection: a reliable stream of bytes in each direction.
 *
 * Every method rejects with a {@linkcode SocketError}, and for a wrong argument with a `TypeError` or
 * `RangeError` that names it. Reading and writing go on at the same time. A second read while one is
 * under way rejects EBUSY. Writes queue: each begins when those before it have settled. Await them to
 * keep memory bounded when the peer reads slowly.
 */
export interface Conn<A extends Addr = Addr> extends Disposable {
  /** The address of this end (getsockname(2)). The kernel chooses the port of a TCP client. */
  readonly localAddr: A;
  /** The address of the other end. */
  readonly remoteAddr: A;
  /** The number of bytes that {@linkcode read} has delivered. */
  readonly bytesRead: number;
  /**
   * The number of bytes of {@linkcode write} that the kernel has taken. For a write under way, as
   * far as the kernel reports it.
   */
  readonly bytesWritten: number;

  /**
   * Waits for bytes and puts as many into `p` as have arrived, at least one and at most `p.length`.
   * Resolves to the number of bytes, or to `null` once the peer has sent FIN and all before it is
   * read: from then on always `null`. Bytes that arrived before a reset are delivered before its error.
   *
   * `p` belongs to the connection until the promise settles, and to the caller from then on.
   *
   * Rejects: ECONNRESET when the peer reset the connection, from then on always; ECLOSED after
   * {@linkcode close}; EBUSY if a read is under way. `p` must not be empty.
   */
  read(p: Uint8Array): Promise<number | null>;

  /**
   * Sends all of `p`. Resolves when the kernel has taken the last byte, so a peer that does not read
   * holds the promise back and memory stays bounded. Says nothing of what the peer has received.
   *
   * `p` belongs to the connection until the promise settles, and to the caller from then on. An
   * empty `p` sends nothing.
   *
   * Rejects: EPIPE after {@linkcode closeWrite} or when the peer is gone; ECONNRESET when the peer
   * reset the connection; ECLOSED after {@linkcode close}. How much of `p` was sent is then
   * unknown.
   */
  write(p: Uint8Array): Promise<void>;

  /**
   * Half-close: sends FIN after all that was written, writes that still wait included, so the peer
   * reads `null`. Reading goes on. A second call does nothing.
   *
   * Rejects: ECLOSED after {@linkcode close}.
   */
  closeWrite(): Promise<void>;

  /**
   * Frees the socket. Written bytes are still delivered, then FIN. That includes up to 256 KiB of
   * writes that nobody has awaited, as far as the kernel takes them without waiting for the peer. A
   * pending read, a write that has to wait for the peer, and every later call reject with `reason`, by
   * default ECLOSED. A second call does nothing, and it never throws.
   */
  close(reason?: Error): void;

  /**
   * Frees the socket with RST instead of FIN: what the peer has not read yet is lost, and it reads
   * ECONNRESET. Where there is no RST (on Deno, and on Unix sockets), as {@linkcode close}.
   */
  reset(reason?: Error): void;
}

/**
 * A connection over TLS. It keeps the contract of {@linkcode Conn}, on the bytes that are encrypted:
 *
 * - {@linkcode Conn.closeWrite} sends TLS's own end, close_notify, and FIN; reading goes on.
 *   {@linkcode Conn.close} sends both, too, unless a write is under way.
 * - A FIN without close_notify may come from an attacker who cuts the stream short. Reading gives
 *   `null`, as at an end in good order, since many peers end so. {@linkcode truncated} distinguishes
 *   one from the other. It matters to protocols whose messages have no visible end.
 * - What breaks TLS (a record that was tampered with, an alert of the peer) rejects ETLS.
 */
export interface TlsConn<A extends Addr = Addr> extends Conn<A> {
  /** The result of the handshake. */
  readonly tls: TlsInfo;
  /**
   * Whether the peer's stream has ended without close_notify, so that somebody in between may have cut
   * it off (RFC 8446 section 6.1): where only the end says that a message is whole, it may not be.
   * Undefined until the end has come, and where nobody can tell: on Node unless `detectTruncation` asked for
   * it, and there at a listener's connections.
   */
  readonly truncated: boolean | undefined;
}

/**
 * A socket that waits for connections. Iterating it accepts until it is closed; leaving the loop
 * closes it.
 */
export interface Listener<A extends Addr = Addr, C extends Conn<A> = Conn<A>>
  extends AsyncIterable<C>, Disposable {
  /** The address really bound (getsockname(2)): with port 0, the port the kernel chose. */
  readonly addr: A;

  /**
   * The descriptor of its socket, which a child process can inherit and listen on: see
   * {@linkcode InheritedListenOptions}. Undefined on Deno, on Bun, and where there is no socket.
   */
  readonly fd?: number | undefined;

  /**
   * Waits for the next connection. With TLS, for one that has shaken hands: handshakes go on beside
   * it, and a client that takes its time holds nobody else up. `handshakeTimeout` ends them; when as
   * many are under way as the backlog says, the oldest is closed to make room for the next client.
   *
   * Rejects: ECLOSED after {@linkcode close}, and after {@linkcode stop} when none is left; EMFILE, ENFILE, ENOBUFS or ENOMEM when the system is
   * out of something (a later call may succeed); EBUSY if an accept is under way.
   */
  accept(): Promise<C>;

  /**
   * Stops listening, and keeps the connections that it has taken from the system: {@linkcode accept} goes
   * on until it has returned all of them, and then rejects ECLOSED. With TLS, handshakes under way
   * finish; `handshakeTimeout` bounds that. Those that wait in the system's backlog are reset, as by
   * {@linkcode close}; on Node nobody waits there, since it takes each at once. {@linkcode close} resets those
   * that are left. A second call does nothing, nor does one after {@linkcode close}; it never throws.
   */
  stop(): void;

  /**
   * Stops listening. A pending {@linkcode accept} rejects ECLOSED. Connections already accepted live
   * on; those still in the backlog are reset. The file of a Unix socket is removed, unless another
   * has taken its place. A second call does nothing, and it never throws.
   */
  close(): void;
}

/** A way to make connections: the operating system's sockets, or pipes in memory. */
export interface Transport {
  /** The implementation: `"deno"`, `"node"`, `"memory"`. */
  readonly name: string;

  /**
   * Finds the addresses of an endpoint (getaddrinfo(3)), in the order the system prefers. An address
   * literal gives itself. When the addresses of one family are known and the answer for the other has
   * not come 50 ms later, they are all there is (RFC 8305 section 3).
   *
   * Rejects: ENOTFOUND if there is no such name; EAI_AGAIN if it could not be looked up now;
   * ETIMEDOUT or ECANCELED.
   */
  resolve(endpoint: ResolveOptions): Promise<TcpAddr[]>;

  /**
   * Binds an address, or makes a socket file, and listens on it.
   *
   * Rejects: EADDRINUSE, EADDRNOTAVAIL, EACCES, ENOTFOUND, ENOENT if the folder of a socket file does
   * not exist, EINVAL for a path, certificate or key that is not valid, ENOTCAPABLE if Deno's
   * permissions forbid it, ENOTSUP for TLS where there is none (in memory) and for a socket option
   * that this transport does not have.
   */
  listen(options: TlsListenOptions): Promise<Listener<TcpAddr, TlsConn<TcpAddr>>>;
  /** The same without TLS. */
  listen(options?: TcpListenOptions): Promise<Listener<TcpAddr>>;
  /** The same for a Unix socket. */
  listen(options: UnixListenOptions): Promise<Listener<UnixAddr>>;
  /** Listens on a socket that is bound already. Rejects ENOTSUP, except on Node. */
  listen(options: InheritedListenOptions): Promise<Listener>;
  /** The same for all of them. */
  listen(options: ListenOptions): Promise<Listener>;

  /**
   * Connects to one address. For a name, it is the one that {@linkcode listen} binds;
   * {@linkcode dial} tries all of them. A socket that the kernel connects to itself is closed, and it is tried again:
   * where nobody listens that is ECONNREFUSED.
   *
   * Rejects: ECONNREFUSED, ETIMEDOUT, ECANCELED, EHOSTUNREACH, ENETUNREACH, ENOTFOUND, ENOENT or
   * EACCES for a socket file, EAGAIN if so many wait there already that it takes no more,
   * EADDRNOTAVAIL or EINVAL for a `localAddress` that is not this machine's, EINVAL for a path
   * that is not valid, ENOTSUP for a socket option that this transport does not have, ENOTCAPABLE if Deno's permissions forbid it.
   */
  connect(options: TcpConnectOptions): Promise<Conn<TcpAddr>>;
  /** The same for a Unix socket. */
  connect(options: UnixConnectOptions): Promise<Conn<UnixAddr>>;
  /** The same for either. */
  connect(options: ConnectOptions): Promise<Conn>;

  /**
   * Shakes hands with the peer, as the client, and makes TLS of a connection. The certificate of the
   * peer is verified. `conn` is given up: it is the TLS connection's, and closed if this rejects.
   *
   * Rejects: ECERT if the certificate is not to be trusted; ETLS if the handshake fails otherwise, as
   * when the peer does not speak TLS; ETIMEDOUT, ECANCELED; ECONNRESET if the peer goes away; EINVAL
   * for a certificate or key that is not valid; EBUSY if a read or write is under way; ENOTSUP where there
   * is no TLS (in memory).
   *
   * @example
   * ```ts
   * import { selfSigned, systemTransport } from "@plainsocket/plainsocket";
   * import assert from "node:assert/strict";
   *
   * const { cert, key } = await selfSigned(["localhost"]);
   * using listener = await systemTransport.listen({ tls: { cert, key } });
   * const conn = await systemTransport.connect(listener.addr);
   * const options = { servername: "localhost", caCerts: [cert] };
   * using client = await systemTransport.startTls(conn, options);
   * using server = await listener.accept();
   *
   * await server.write(new TextEncoder().encode("secret"));
   * assert.equal(await client.read(new Uint8Array(64)), 6);
   * assert.equal(client.tls.protocol, "TLSv1.3");
   * ```
   */
  startTls<A extends Addr>(conn: Conn<A>, options?: TlsClientOptions): Promise<TlsConn<A>>;
  /**
   * Binds an address for datagrams (UDP).
   *
   * Rejects as {@linkcode listen} without TLS does, and as {@linkcode connect} for `remote`.
   */
  listenDatagram(options?: DatagramOptions): Promise<Datagram>;
}
