/**
 * The operating system's sockets, through `Deno.listen` and `Deno.connect`. Its twin for Node is
 * `transport.node.ts`, with the same export names; the npm build swaps the one for the other.
 *
 * @module
 */

import { formatAddr, tcpAddr } from "./addr.ts";
import { BaseConn } from "./conn_base.ts";
import { BaseListener } from "./listener_base.ts";
import { abortError, codeOf, SocketError, type SocketOp } from "./errors.ts";
import { bindHost, connectAddr, resolve } from "./resolve.ts";
import type {
  Addr,
  Conn,
  ConnectOptions,
  Listener,
  ListenOptions,
  Transport,
} from "./transport.ts";

/** Turns what Deno throws into our error: the one place where this adapter does so. */
function translate(error: unknown, op: SocketOp, addr: Addr): SocketError {
  if (error instanceof Deno.errors.NotCapable) {
    const flag = `--allow-net=${formatAddr(addr)}`;
    return new SocketError("ENOTCAPABLE", op, {
      addr,
      cause: error,
      why: `Deno's permissions forbid it without ${flag}`,
    });
  }
  // Deno's own deadline on a connection attempt has a name but no errno.
  const code = error instanceof Deno.errors.TimedOut ? "ETIMEDOUT" : codeOf(error);
  return new SocketError(code, op, { addr, cause: error });
}

class DenoConn extends BaseConn {
  readonly #conn: Deno.TcpConn;
  #localAddr: Addr | undefined;
  #remoteAddr: Addr | undefined;
  #outgoing: Uint8Array | undefined;

  constructor(conn: Deno.TcpConn) {
    super();
    this.#conn = conn;
    conn.setNoDelay(true);
  }

  get localAddr(): Addr {
    const { hostname, port } = this.#conn.localAddr;
    return this.#localAddr ??= tcpAddr(hostname, port);
  }

  get remoteAddr(): Addr {
    const { hostname, port } = this.#conn.remoteAddr;
    return this.#remoteAddr ??= tcpAddr(hostname, port);
  }

  // The handlers of both operations are made once for each connection, and chained with then():
  // an async function around each call costs several percent of a 64-byte echo.
  protected startRead(p: Uint8Array): Promise<number | null> {
    return this.#conn.read(p).then(this.#readDone, this.#readFailed);
  }

  readonly #readDone = (n: number | null): number | null => {
    this.reading = false;
    if (n !== null) this.bytesRead += n;
    // The kernel tells of a reset once, and answers EOF after that; the connection remembers.
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
    this.bytesWritten += n;
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

class DenoListener extends BaseListener {
  readonly addr: Addr;
  readonly #listener: Deno.TcpListener;

  constructor(listener: Deno.TcpListener) {
    super();
    this.#listener = listener;
    this.addr = tcpAddr(listener.addr.hostname, listener.addr.port);
  }

  protected async startAccept(): Promise<Conn> {
    try {
      return new DenoConn(await this.#listener.accept());
    } catch (error) {
      // Deno has thrown BadResource and Interrupted for a closed listener.
      throw this.closed ? this.closedError() : translate(error, "accept", this.addr);
    }
  }

  protected destroy(): void {
    this.#listener.close();
  }
}

function listen(options: ListenOptions = {}): Promise<Listener> {
  return bindHost(systemTransport, options, (addr) => {
    try {
      const { host: hostname, port } = addr;
      return new DenoListener(Deno.listen({ hostname, port, tcpBacklog: options.backlog ?? 511 }));
    } catch (error) {
      throw translate(error, "listen", addr);
    }
  });
}

async function connect(options: ConnectOptions): Promise<Conn> {
  const { signal } = options;
  const addr = await connectAddr(systemTransport, options);
  try {
    return new DenoConn(await Deno.connect({ hostname: addr.host, port: addr.port, signal }));
  } catch (error) {
    if (signal?.aborted) throw abortError("connect", addr, signal);
    throw translate(error, "connect", addr);
  }
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
export const systemTransport: Transport = { name: "deno", resolve, listen, connect };
