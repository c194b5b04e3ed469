/**
 * The operating system's sockets, through `node:net`. Its twin for Deno is `system.deno.ts`, with
 * the same export names; the npm build swaps the one for the other.
 *
 * @module
 */

import { readSync } from "node:fs";
import net from "node:net";
import process from "node:process";
import { tcpAddr, unixAddr } from "../base/addr.ts";
import { asksForTls, asksForUnix, isInherited } from "../base/arguments.ts";
import { BACKLOG, MOST_HELD } from "./backlog.ts";
import { withCallerStacks } from "./caller_stack.ts";
import { hasLastDescriptor, heedDescriptors, reportNoneLeft } from "./descriptors.ts";
import type { SocketOp } from "../base/error_codes.ts";
import { abortError, codeOf, refuseOptions, SocketError } from "../base/errors.ts";
import { checkNetwork, forbiddenOnNode } from "./node_permission.ts";
import { onInherited } from "./inherited_descriptor.ts";
import { receiveFor } from "./shared_read_buffer.ts";
import {
  bindHost,
  checkZone,
  connectAddr,
  inZone,
  isLinkLocal,
  notToItself,
  resolve,
  zoneIn,
  zoneOfOwn,
} from "./resolve.ts";
import { QueueListener, type QueueSource } from "./queue_listener.ts";
import { StreamConn } from "./duplex_to_conn.ts";
import { listenTls, startTls } from "./tls/system.node.ts";
import type { Addr, TcpAddr, UdpAddr, UnixAddr } from "../base/addr.ts";
import type { MetricsSink } from "./metrics_sink.ts";
import type {
  Conn,
  ConnectOptions,
  InheritedListenOptions,
  Listener,
  ListenOptions,
  TcpConnectOptions,
  TcpListenOptions,
  TcpSocketOptions,
  TlsConn,
  TlsListenOptions,
  Transport,
  UnixConnectOptions,
  UnixListenOptions,
} from "./transport.ts";
import { checkConnect, checkListen } from "./transport_arguments.ts";
import { listenUdp } from "./udp.ts";
import { bindPath, fileCode, pathAddr, pathFault, SocketFile } from "./unix_path.ts";

/** Turns what node:net reports into our error: the one place where this adapter does so. */
function translate(error: unknown, op: SocketOp, addr: Addr | UdpAddr | undefined): SocketError {
  const forbidden = forbiddenOnNode(op, addr, error);
  if (forbidden !== undefined) return forbidden;
  const known = addr?.transport === "unix"
    ? fileCode((error as { code?: unknown }).code, addr.path)
    : undefined;
  const code = known ?? codeOf(error);
  const fault = addr?.transport === "unix" ? pathFault(code, op, addr.path) : {};
  return new SocketError(code, op, { addr, cause: error, ...fault });
}

class TcpConn extends StreamConn {
  declare protected readonly socket: net.Socket;

  constructor(socket: net.Socket, remoteAddr: Addr) {
    super(socket, ownAddr(socket), remoteAddr);
  }

  // After RST the kernel has forgotten the peer. (After both FINs, too; and the socket has been asked
  // for its peer only now, since it remembers the answer.)
  protected override wasReset(): boolean {
    return this.socket.remoteAddress === undefined;
  }

  // On its own, resetAndDestroy() waits until all that was written has left. While FIN is being sent
  // libuv refuses to reset (EINVAL), and Node never closes the socket then: destroy() alone does.
  protected override sendReset(): void {
    const { writableEnded, writableFinished, writableLength } = this.socket;
    const isSendingFin = writableEnded && !writableFinished && writableLength === 0;
    if (!isSendingFin) this.socket.resetAndDestroy();
  }
}

class UnixConn extends StreamConn {
  declare protected readonly socket: net.Socket;

  /** The kernel's buffer is smaller than TCP's. */
  protected override get pieceSize(): number {
    return 64 * 1024;
  }

  // The peer's pointer stays, but what libuv has not read is there to be read: nothing, or an error.
  protected override wasReset(): boolean {
    const { _handle: handle } = this.socket as unknown as { _handle: { fd?: number } | null };
    if (handle?.fd === undefined || handle.fd < 0) return false;
    try {
      readSync(handle.fd, new Uint8Array(1));
      return false;
    } catch (error) {
      return codeOf(error) === "ECONNRESET";
    }
  }
}

function adoptTcp(accepted: net.Socket): TcpConn | undefined {
  const peer = peerOf(accepted);
  if (peer !== undefined) return adopt(accepted, (socket) => new TcpConn(socket, peer));
  accepted.destroy();
  return undefined;
}

/**
 * net.Server makes its sockets itself and without `onread`, so a second one takes over the handle,
 * in the way Node's own tls and child_process do. Handles that cannot (Bun's) stay where they are.
 */
function adopt<C extends StreamConn>(accepted: net.Socket, make: (socket: net.Socket) => C): C {
  const owner = accepted as unknown as { _handle: { useUserBuffer?: unknown } | null };
  const handle = owner._handle;
  if (handle?.useUserBuffer === undefined) return make(accepted.resume());
  owner._handle = null;
  const onread = receiveFor(() => conn);
  const options = { handle, allowHalfOpen: true, onread };
  const conn = make(new net.Socket(options as net.SocketConstructorOpts));
  return conn;
}

/** Options of net.Server.listen(). */
type Where = net.ListenOptions & { readonly fd?: number; readonly reusePort?: boolean };

/** Options of {@linkcode startServer}. */
interface StartOptions extends Pick<QueueSource, "underWay"> {
  readonly mode?: number;
  readonly metrics?: MetricsSink;
}

/** Listens where `where` says; `addr` is that, unless it is a socket that is bound already. */
function startServer(
  server: net.Server,
  addr: Addr | undefined,
  where: Where,
  { underWay, mode, metrics }: StartOptions,
): Promise<QueueListener> {
  const { backlog = BACKLOG } = where;
  const most = where.backlog ?? MOST_HELD;
  return new Promise((resolve, reject) => {
    checkNetwork("listen", addr);
    server.once("error", (error) => reject(translate(error, "listen", addr)));
    server.listen({ ...where, backlog }, () => {
      server.removeAllListeners("error");
      const bound = server.address();
      // Of a Unix socket that was inherited Node says nothing, and Bun gives an empty object.
      const real = bound !== null && typeof bound === "object" && bound.port !== undefined
        ? tcpAddr(inZone(bound.address, where.host && zoneIn(where.host)), bound.port)
        : addr ?? unixAddr(typeof bound === "string" ? bound : "");
      try {
        const file = addr?.transport === "unix" ? new SocketFile(addr.path, mode) : undefined;
        const stop = () => {
          unheed();
          const close = () => void server.close();
          if (file === undefined) close();
          else file.close(close);
        };
        const source = { stop, underWay };
        const listener = new QueueListener(real, most, source, {
          metrics,
          fd: descriptorOf(server),
        });
        const unheed = heedDescriptors(listener);
        server.on("error", (error) => listener.fail(translate(error, "accept", real)));
        resolve(listener);
      } catch (error) {
        server.close();
        reject(translate(error, "listen", addr));
      }
    });
  });
}

/** The descriptor of a server's socket. Bun does not tell it. */
function descriptorOf(server: net.Server): number | undefined {
  const { _handle: handle } = server as unknown as { _handle: { fd?: unknown } | null };
  return typeof handle?.fd === "number" && handle.fd >= 0 ? handle.fd : undefined;
}

/** Options of net.Server. Accepted sockets are paused: see adopt(). */
function accepting({ noDelay = true, keepAlive }: TcpSocketOptions): net.ServerOpts {
  return { allowHalfOpen: true, pauseOnConnect: true, noDelay, keepAlive };
}

/** Older Nodes do not say that they do not know it. Bun has always had it. */
const HAS_REUSE_PORT = (() => {
  const [major, minor] = process.versions.node.split(".").map(Number);
  return major > 23 || major === 23 && minor >= 1 || major === 22 && minor >= 12;
})();

function listenTcp(options: TcpListenOptions | TlsListenOptions): Promise<Listener> {
  return bindHost(systemTransport, options, async (addr) => {
    const { backlog, reusePort, ipv6Only } = options;
    if (!HAS_REUSE_PORT) {
      refuseOptions("listen", addr, { reusePort }, `on Node ${process.versions.node}`);
    }
    const host = checkZone("listen", addr);
    const at = { host, port: addr.port, backlog, reusePort, ipv6Only };
    if (asksForTls(options)) return await listenSecure(addr, at, options);
    return await listenPlain(addr, at, options);
  });
}

/** Listens without TLS, on a socket of either kind. */
async function listenPlain(
  addr: Addr | undefined,
  at: Where,
  options: TcpSocketOptions & Pick<UnixListenOptions, "mode" | "metrics">,
): Promise<Listener> {
  const server = net.createServer(accepting(options));
  const { mode, metrics } = options;
  const listener = await startServer(server, addr, at, { mode, metrics });
  const { addr: real } = listener;
  server.on("connection", (socket) => {
    const noneLeft = hasLastDescriptor(socket);
    const conn = real.transport === "tcp"
      ? adoptTcp(socket)
      : adopt(socket, (own) => new UnixConn(own, real, unixAddr("")));
    if (conn !== undefined) listener.deliver(conn);
    if (noneLeft) reportNoneLeft();
  });
  return listener;
}

async function listenInherited(options: InheritedListenOptions): Promise<Listener> {
  const { fd, backlog, tls } = options;
  const at = { fd, backlog };
  return await onInherited(fd, () => {
    if (tls !== undefined) return listenSecure(undefined, at, { ...options, tls });
    return listenPlain(undefined, at, options);
  });
}

/** Listens with TLS, on a socket of TCP. */
function listenSecure(
  addr: TcpAddr | undefined,
  at: Where,
  { tls, metrics, noDelay = true, keepAlive }:
    & TcpSocketOptions
    & Pick<TlsListenOptions, "tls" | "metrics">,
): Promise<Listener> {
  return listenTls(
    async (accepted, underWay) => {
      const server = net.createServer({ allowHalfOpen: true, noDelay, keepAlive });
      const listener = await startServer(server, addr, at, { underWay, metrics });
      server.on("connection", (socket: net.Socket) => {
        const peer = peerOf(socket);
        const noneLeft = hasLastDescriptor(socket);
        if (peer === undefined) socket.destroy();
        else accepted(socket, peer);
        if (noneLeft) reportNoneLeft();
      });
      return listener;
    },
    tls,
    addr,
    { most: at.backlog ?? MOST_HELD, metrics },
  );
}

/** Bun leaves the zone of an address out. */
function withZone(host: string, own: string): string {
  return isLinkLocal(host) && zoneIn(host) === undefined ? inZone(host, zoneOfOwn(own)) : host;
}

function ownAddr({ localAddress, localPort }: net.Socket): TcpAddr {
  return tcpAddr(withZone(localAddress!, localAddress!), localPort!);
}

/** The address of a socket's peer. Undefined once the connection was reset. */
function peerOf({ localAddress, remoteAddress, remotePort }: net.Socket): TcpAddr | undefined {
  if (remoteAddress === undefined) return undefined;
  return tcpAddr(withZone(remoteAddress, localAddress!), remotePort!);
}

async function listenUnix(options: UnixListenOptions): Promise<Listener> {
  const { path } = options;
  try {
    return await bindPath(options, (addr) => listenPlain(addr, { path }, options), connectUnix);
  } catch (error) {
    throw error instanceof SocketError ? error : translate(error, "listen", unixAddr(path));
  }
}

async function connectTcp(options: TcpConnectOptions): Promise<Conn> {
  const addr = await connectAddr(systemTransport, options);
  const host = checkZone("connect", addr);
  const { port } = addr;
  const { noDelay = true, keepAlive, localAddress } = options;
  const make = (socket: net.Socket) => {
    if (socket.localAddress === undefined) throw new SocketError("ECONNRESET", "connect", { addr });
    return new TcpConn(socket, addr);
  };
  const where = { host, port, noDelay, keepAlive, localAddress };
  return await notToItself(addr, () => open(where, addr, options.signal, make));
}

async function connectUnix({ path, signal }: UnixConnectOptions): Promise<Conn> {
  const addr = pathAddr("connect", path);
  return await open({ path }, addr, signal, (socket) => new UnixConn(socket, unixAddr(""), addr));
}

/** Connects with what net.connect() takes, and makes a connection of the socket. */
function open(
  options: net.NetConnectOpts,
  addr: Addr,
  signal: AbortSignal | undefined,
  make: (socket: net.Socket) => StreamConn,
): Promise<Conn> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(abortError("connect", addr, signal));
    let conn: StreamConn | undefined;
    const socket = net.connect({
      ...options,
      allowHalfOpen: true,
      onread: receiveFor(() => conn!),
    });
    const fail = (error: unknown) => {
      signal?.removeEventListener("abort", onAbort);
      socket.destroy();
      reject(error);
    };
    const onAbort = () => fail(abortError("connect", addr, signal!));
    const onError = (error: Error) => fail(translate(error, "connect", addr));
    signal?.addEventListener("abort", onAbort);
    socket.once("error", onError);
    socket.once("connect", () => {
      signal?.removeEventListener("abort", onAbort);
      socket.removeListener("error", onError);
      if (hasLastDescriptor(socket)) reportNoneLeft();
      try {
        resolve(conn = make(socket));
      } catch (error) {
        fail(error);
      }
    });
  });
}

function listen(options: TlsListenOptions): Promise<Listener<TcpAddr, TlsConn<TcpAddr>>>;
function listen(options: UnixListenOptions): Promise<Listener<UnixAddr>>;
function listen(options: InheritedListenOptions): Promise<Listener>;
function listen(options?: TcpListenOptions): Promise<Listener<TcpAddr>>;
function listen(options: ListenOptions): Promise<Listener>;
async function listen(options: ListenOptions = {}): Promise<Listener> {
  checkListen(options);
  if (isInherited(options)) return await listenInherited(options);
  return await (asksForUnix(options) ? listenUnix(options) : listenTcp(options));
}

function connect(options: UnixConnectOptions): Promise<Conn<UnixAddr>>;
function connect(options: TcpConnectOptions): Promise<Conn<TcpAddr>>;
function connect(options: ConnectOptions): Promise<Conn>;
async function connect(options: ConnectOptions): Promise<Conn> {
  checkConnect(options);
  return await (asksForUnix(options) ? connectUnix(options) : connectTcp(options));
}

/** The sockets of the operating system, as the runtime gives them. */
export const systemTransport: Transport = withCallerStacks({
  name: "node",
  resolve,
  listen,
  connect,
  startTls,
  listenDatagram: (options = {}) => listenUdp(systemTransport, options, translate),
});
