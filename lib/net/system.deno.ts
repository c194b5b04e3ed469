/**
 * The operating system's sockets, through `Deno.listen` and `Deno.connect`. Its twin for Node is
 * `system.node.ts`, with the same export names; the npm build swaps the one for the other.
 *
 * @module
 */

import { isAbsolute } from "node:path";
import { getSystemErrorName } from "node:util";
import { formatAddr, tcpAddr, unixAddr } from "../base/addr.ts";
import { asksForTls, asksForUnix, isInherited } from "../base/arguments.ts";
import { BACKLOG, MOST_HELD } from "./backlog.ts";
import { withCallerStacks } from "./caller_stack.ts";
import { BaseConn, BaseListener } from "./conn_base.ts";
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
import type { SocketErrorCode, SocketOp } from "../base/error_codes.ts";
import { abortError, codeOf, refuseOptions, SocketError } from "../base/errors.ts";
import type { Addr, TcpAddr, UdpAddr, UnixAddr } from "../base/addr.ts";
import { listenTls, startTls } from "./tls/system.deno.ts";
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

// Deno ends the process when it formats its first stack while no descriptor is left: its Rust looks at
// the thread's own stack then, in a file. The later ones need none.
void new Error().stack;

/** Turns what Deno throws into our error: the one place where this adapter does so. */
function translate(error: unknown, op: SocketOp, addr: Addr | UdpAddr): SocketError {
  if (error instanceof Deno.errors.NotCapable || op === "send" && isForbidden(addr)) {
    return new SocketError("ENOTCAPABLE", op, {
      addr,
      cause: error,
      why: `Deno's permissions forbid it without ${flagsFor(addr)}`,
    });
  }
  // Deno's own deadline on a connection attempt has a name but no errno.
  if (error instanceof Deno.errors.TimedOut) {
    return new SocketError("ETIMEDOUT", op, { addr, cause: error });
  }
  const named = withErrno(error as Error);
  const known = addr.transport === "unix" ? fileCode(named.code, addr.path) : undefined;
  const code = known ?? codeOf(named);
  // Deno asks for the addresses of the new connection, and a peer that has reset it has none.
  const lost = op === "connect" && code === "ENOTCONN";
  const fault = addr.transport === "unix" ? pathFault(code, op, addr.path) : {};
  return new SocketError(lost ? "ECONNRESET" : code, op, { addr, cause: error, ...fault });
}

/** The error with its code. Errors without a class in Deno have the errno in their message only. */
function withErrno(error: Error & { code?: unknown }): { readonly code?: unknown } {
  const errno = /\(os error (\d+)\)/.exec(error.message ?? "")?.[1];
  if (error.code !== undefined || errno === undefined) return error;
  return { code: getSystemErrorName(-Number(errno)) };
}

/** Whether a datagram was not sent for lack of permission, which `node:dgram` does not tell. */
function isForbidden(addr: Addr | UdpAddr): boolean {
  return Deno.permissions.querySync({ name: "net", host: formatAddr(addr) }).state !== "granted";
}

function flagsFor(addr: Addr | UdpAddr): string {
  const where = formatAddr(addr);
  if (addr.transport !== "unix") return `--allow-net=${where}`;
  // Deno takes no other path there.
  const absolute = isAbsolute(where) ? where : `$PWD/${where}`;
  return `--allow-read=${where} --allow-write=${where} --allow-net=unix:${absolute}`;
}

/** Without that permission, looking for zones would prompt the user of a server, for each client. */
function seesInterfaces(): boolean {
  const permission = { name: "sys", kind: "networkInterfaces" } as const;
  return Deno.permissions.querySync(permission).state === "granted";
}

/** The zone of a connection that came to a socket for any address. */
function zoneOf({ localAddr: { hostname } }: Deno.TcpConn): string | undefined {
  return isLinkLocal(hostname) && seesInterfaces() ? zoneOfOwn(hostname) : undefined;
}

/** The host to hand to Deno: its zone is checked where that can be done. */
function hostOf(op: SocketOp, addr: TcpAddr): string {
  return zoneIn(addr.host) !== undefined && seesInterfaces() ? checkZone(op, addr) : addr.host;
}

/** Deno leaves the zone of an address out, which is `zone`. */
function fromDeno(addr: Deno.Addr, zone?: string): Addr {
  if ("hostname" in addr) {
    const { hostname, port } = addr;
    return tcpAddr(inZone(hostname, zone), port);
  }
  // The type has no null, which stands for an end without a name.
  return unixAddr("path" in addr ? addr.path ?? "" : "");
}

class DenoConn extends BaseConn {
  readonly #conn: Deno.Conn;
  /** The zone of both addresses; Deno leaves it out. */
  readonly #zone: string | undefined;
  #localAddr: Addr | undefined;
  #remoteAddr: Addr | undefined;
  #outgoing: Uint8Array | undefined;

  constructor(conn: Deno.Conn, zone?: string) {
    super();
    this.#conn = conn;
    this.#zone = zone;
  }

  get localAddr(): Addr {
    return this.#localAddr ??= fromDeno(this.#conn.localAddr, this.#zone);
  }

  get remoteAddr(): Addr {
    return this.#remoteAddr ??= fromDeno(this.#conn.remoteAddr, this.#zone);
  }

  // The handlers of both operations are made once for each connection, and chained with then():
  // an async function around each call costs several percent of a 64-byte echo.
  protected startRead(p: Uint8Array): Promise<number | null> {
    return this.#conn.read(p).then(this.#readDone, this.#readFailed);
  }

  readonly #readDone = (n: number | null): number | null => {
    this.reading = false;
    if (n !== null) this.bytesRead += n;
    // The kernel reports a reset once, and EOF after that; the connection remembers.
    else if (this.lost !== undefined) throw this.lost;
    return n;
  };

  readonly #readFailed = (error: unknown): never => {
    this.reading = false;
    throw this.#fail(error, "read");
  };

  protected startWrite(p: Uint8Array): Promise<void> {
    this.#outgoing = p;
    return this.#conn.write(p).then(this.#writeDone, this.#writeFailed);
  }

  // Deno.Conn.write() is write(2): it may take only a part.
  readonly #writeDone = (n: number): void | Promise<void> => {
    this.written += n;
    const p = this.#outgoing!;
    if (n < p.length) {
      this.#outgoing = p.subarray(n);
      return this.#conn.write(this.#outgoing).then(this.#writeDone, this.#writeFailed);
    }
    this.#outgoing = undefined;
    this.writing = false;
  };

  readonly #writeFailed = (error: unknown): never => {
    this.#outgoing = undefined;
    this.writing = false;
    throw this.#fail(error, "write");
  };

  protected async shutdown(): Promise<void> {
    try {
      await this.#conn.closeWrite();
    } catch (error) {
      const failure = this.#fail(error, "closeWrite");
      // ENOTCONN: the peer reset the connection, which reading tells; there is nothing to send.
      if (failure instanceof SocketError && failure.code === "ENOTCONN") return;
      throw failure;
    }
  }

  // Deno cannot set SO_LINGER, so RST is not to be had: both ways close alike.
  protected destroy(): void {
    try {
      this.#conn.close();
    } catch {
      // Nothing to free.
    }
  }

  #fail(error: unknown, op: SocketOp): Error {
    if (this.closed) return this.closedError(op);
    const failure = translate(error, op, this.remoteAddr);
    if (failure.code === "ECONNRESET" || failure.code === "ETIMEDOUT") this.lost ??= failure;
    return failure;
  }
}

function tcpConn(
  conn: Deno.TcpConn,
  { noDelay = true, keepAlive }: TcpSocketOptions,
  zone: string | undefined,
): DenoConn {
  try {
    if (noDelay) conn.setNoDelay(true);
    if (keepAlive) conn.setKeepAlive(true);
  } catch {
    // Some kernels (macOS: EINVAL) take no options once the peer has reset it. Reading reports that.
  }
  return new DenoConn(conn, zone);
}

/** Deno ends the process when an unstable option is used without its flag, so that is looked for. */
const HAS_REUSE_PORT = "listenDatagram" in Deno;

/**
 * When the peer has reset the connection already: Deno's accept() asks for its address, and there is
 * none any more (on macOS, EINVAL). The next in the backlog knows nothing of that.
 */
const PEER_GONE: ReadonlySet<SocketErrorCode> = new Set(["ENOTCONN", "EINVAL"]);

class DenoListener<C> extends BaseListener {
  readonly addr: Addr;
  readonly #listener: { accept(): Promise<C>; close(): void };
  readonly #adopt: (conn: C) => Conn;
  readonly #file: SocketFile | undefined;

  constructor(
    addr: Addr,
    listener: { accept(): Promise<C>; close(): void },
    adopt: (conn: C) => Conn,
    file?: SocketFile,
  ) {
    super();
    this.addr = addr;
    this.#listener = listener;
    this.#adopt = adopt;
    this.#file = file;
  }

  protected async startAccept(): Promise<Conn> {
    for (;;) {
      try {
        return this.#adopt(await this.#listener.accept());
      } catch (error) {
        // Deno has thrown BadResource and Interrupted for a closed listener.
        if (this.closed) throw this.closedError();
        const failure = translate(error, "accept", this.addr);
        if (!PEER_GONE.has(failure.code)) throw failure;
      }
    }
  }

  protected destroy(): void {
    const close = () => this.#listener.close();
    if (this.#file === undefined) close();
    else this.#file.close(close);
  }
}

async function listenTcp(options: TcpListenOptions | TlsListenOptions): Promise<Listener> {
  const { backlog, reusePort, ipv6Only } = options;
  const listener = await bindHost(systemTransport, options, (addr) => {
    refuseOptions("listen", addr, { ipv6Only }, "on Deno");
    if (!HAS_REUSE_PORT) {
      refuseOptions("listen", addr, { reusePort }, "on Deno without --unstable-net");
    }
    const hostname = hostOf("listen", addr);
    const zone = zoneIn(hostname);
    try {
      const tcpBacklog = backlog ?? BACKLOG;
      const listener = Deno.listen({ hostname, port: addr.port, tcpBacklog, reusePort });
      const real = fromDeno(listener.addr, zone);
      return new DenoListener(real, listener, (conn) => {
        return tcpConn(conn, options, zone ?? zoneOf(conn));
      });
    } catch (error) {
      throw translate(error, "listen", addr);
    }
  });
  if (!asksForTls(options)) return listener;
  return listenTls(listener, options.tls, {
    backlog: backlog ?? MOST_HELD,
    metrics: options.metrics,
  });
}

async function listenUnix(options: UnixListenOptions): Promise<Listener> {
  const { path, mode } = options;
  const bind = (addr: UnixAddr) => {
    let listener: Deno.UnixListener | undefined;
    try {
      listener = Deno.listen({ transport: "unix", path });
      const file = new SocketFile(path, mode);
      return new DenoListener(addr, listener, (conn) => new DenoConn(conn), file);
    } catch (error) {
      listener?.close();
      throw translate(error, "listen", addr);
    }
  };
  try {
    return await bindPath(options, bind, connectUnix);
  } catch (error) {
    throw error instanceof SocketError ? error : translate(error, "listen", unixAddr(path));
  }
}

async function connectTcp(options: TcpConnectOptions): Promise<Conn> {
  const { signal, localAddress } = options;
  const addr = await connectAddr(systemTransport, options);
  refuseOptions("connect", addr, { localAddress }, "on Deno");
  const hostname = hostOf("connect", addr);
  return await notToItself(addr, async () => {
    try {
      const conn = await Deno.connect({ hostname, port: addr.port, signal });
      return tcpConn(conn, options, zoneIn(hostname));
    } catch (error) {
      if (signal?.aborted) throw abortError("connect", addr, signal);
      throw translate(error, "connect", addr);
    }
  });
}

/** The kernel answers at once, so there is a signal to heed before and none while it is asked. */
async function connectUnix({ path, signal }: UnixConnectOptions): Promise<Conn> {
  const addr = pathAddr("connect", path);
  if (signal?.aborted) throw abortError("connect", addr, signal);
  try {
    return new DenoConn(await Deno.connect({ transport: "unix", path }));
  } catch (error) {
    throw translate(error, "connect", addr);
  }
}

function listen(options: TlsListenOptions): Promise<Listener<TcpAddr, TlsConn<TcpAddr>>>;
function listen(options: UnixListenOptions): Promise<Listener<UnixAddr>>;
function listen(options: InheritedListenOptions): Promise<Listener>;
function listen(options?: TcpListenOptions): Promise<Listener<TcpAddr>>;
function listen(options: ListenOptions): Promise<Listener>;
async function listen(options: ListenOptions = {}): Promise<Listener> {
  checkListen(options);
  if (isInherited(options)) {
    throw new SocketError("ENOTSUP", "listen", {
      why: "Deno cannot listen on a socket that it inherits",
      next: "Use Node, or have systemd-socket-proxyd pass connections on to a port of its own.",
    });
  }
  return await (asksForUnix(options) ? listenUnix(options) : listenTcp(options));
}

function connect(options: UnixConnectOptions): Promise<Conn<UnixAddr>>;
function connect(options: TcpConnectOptions): Promise<Conn<TcpAddr>>;
function connect(options: ConnectOptions): Promise<Conn>;
async function connect(options: ConnectOptions): Promise<Conn> {
  checkConnect(options);
  return await (asksForUnix(options) ? connectUnix(options) : connectTcp(options));
}

/**
 * The sockets of the operating system, as the runtime gives them.
 *
 * @example An echo server that answers one client
 * ```ts
 * import { systemTransport } from "@plainsocket/plainsocket";
 *
 * using listener = await systemTransport.listen({ host: "127.0.0.1" });
 * using client = await systemTransport.connect(listener.addr);
 * using server = await listener.accept();
 *
 * await client.write(new TextEncoder().encode("hello"));
 * const buffer = new Uint8Array(1024);
 * const n = await server.read(buffer);
 * await server.write(buffer.subarray(0, n!));
 * ```
 */
export const systemTransport: Transport = withCallerStacks({
  name: "deno",
  resolve,
  listen,
  connect,
  startTls,
  listenDatagram: (options = {}) => listenUdp(systemTransport, options, translate, "number"),
});
