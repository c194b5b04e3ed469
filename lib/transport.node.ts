/**
 * The operating system's sockets, through `node:net`. Its twin for Deno is `transport.deno.ts`, with
 * the same export names; the npm build swaps the one for the other.
 *
 * @module
 */

import net from "node:net";
import { tcpAddr } from "./addr.ts";
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

/** Turns what node:net reports into our error: the one place where this adapter does so. */
function translate(error: unknown, op: SocketOp, addr: Addr): SocketError {
  return new SocketError(codeOf(error), op, { addr, cause: error });
}

/**
 * Every socket reads into this buffer. libuv fills it and calls back before it reads anything else,
 * and by the end of that call the bytes are in the reader's buffer or in a copy of their own, so
 * an idle connection holds no buffer at all.
 */
const inbox = new Uint8Array(64 * 1024);

/** A write is handed to the socket in pieces of this size, so that its progress can be seen. */
const PIECE = 256 * 1024;

const NOTHING = new Uint8Array(0);

class NodeConn extends BaseConn {
  readonly localAddr: Addr;
  readonly remoteAddr: Addr;
  readonly #socket: net.Socket;
  /** The pending read. */
  #p: Uint8Array | undefined;
  #resolveRead!: (n: number | null) => void;
  #rejectRead!: (error: Error) => void;
  #rejectWrite: ((error: Error) => void) | undefined;
  /** What arrived while nobody was reading: at most one inbox of bytes; the socket is then paused. */
  #early: Uint8Array | undefined;
  #eof = false;

  constructor(socket: net.Socket, remoteAddr: Addr) {
    super();
    this.#socket = socket;
    this.localAddr = tcpAddr(socket.localAddress!, socket.localPort!);
    this.remoteAddr = remoteAddr;
    // With `onread` there are no data events; without it, where a runtime lacks it, there are.
    socket.on("data", (chunk: Uint8Array) => {
      if (!this.onData(chunk.length, chunk)) socket.pause();
    });
    socket.on("end", () => this.#onEnd());
    socket.on("error", (error) => this.#onGone(error));
    socket.on("close", () => this.#onGone());
  }

  /** Takes the first `n` bytes of `buffer`, which is the socket's; false asks it to pause. */
  onData(n: number, buffer: Uint8Array): boolean {
    const p = this.#p;
    let taken = 0;
    this.atOnce = 0;
    if (p !== undefined) {
      taken = Math.min(n, p.length);
      p.set(n === buffer.length && taken === n ? buffer : buffer.subarray(0, taken));
      this.#settleRead(taken);
      if (taken === n) return true;
    }
    this.#early = new Uint8Array(buffer.subarray(taken, n));
    return false;
  }

  protected startRead(p: Uint8Array): Promise<number | null> {
    const early = this.#early;
    if (early !== undefined) return Promise.resolve(this.#takeEarly(early, p));
    if (this.#eof) {
      this.reading = false;
      return Promise.resolve(null);
    }
    if (this.lost !== undefined) {
      this.reading = false;
      return Promise.reject(this.lost);
    }
    this.#p = p;
    return new Promise((resolve, reject) => {
      this.#resolveRead = resolve;
      this.#rejectRead = reject;
    });
  }

  #takeEarly(early: Uint8Array, p: Uint8Array): number {
    const n = Math.min(early.length, p.length);
    p.set(n < early.length ? early.subarray(0, n) : early);
    this.#early = n < early.length ? early.subarray(n) : undefined;
    if (this.#early === undefined) this.#socket.resume();
    this.reading = false;
    this.bytesRead += n;
    return n;
  }

  #settleRead(n: number | null): void {
    this.#p = undefined;
    this.reading = false;
    if (n !== null) this.bytesRead += n;
    this.#resolveRead(n);
  }

  #onEnd(): void {
    // When bytes and RST come together libuv reads the bytes and reports the end of the stream. The
    // kernel knows better: it has forgotten the peer. (It forgets after both FINs, too; and the
    // socket has been asked for its peer only now, since it remembers the answer.)
    if (!this.finSent && this.#socket.remoteAddress === undefined) return this.#onGone();
    this.#eof = true;
    if (this.#p !== undefined) this.#settleRead(null);
  }

  protected startWrite(p: Uint8Array): Promise<void> {
    const socket = this.#socket;
    if (p.length <= PIECE) {
      socket.write(p);
      // Nothing queued: write(2) took it all and no callback has to tell. This is the common case.
      if (socket.writableLength === 0 && !socket.destroyed) {
        this.bytesWritten += p.length;
        this.writing = false;
        return this.doneAtOnce();
      }
      return this.#finishWrite(p, p.length);
    }
    return this.#finishWrite(p, 0);
  }

  /** Waits for the first `handed` bytes to leave, then sends the rest piece by piece. */
  async #finishWrite(p: Uint8Array, handed: number): Promise<void> {
    try {
      for (let left = 0; left < p.length; left = handed) {
        if (handed === left) {
          handed = Math.min(left + PIECE, p.length);
          this.#socket.write(p.subarray(left, handed));
        }
        await this.#flushed();
        this.bytesWritten += handed - left;
      }
    } finally {
      this.writing = false;
    }
  }

  /** Waits until the kernel has taken all that the socket was given; an empty write tells. */
  #flushed(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#rejectWrite = reject;
      this.#socket.write(NOTHING, (error) => {
        this.#rejectWrite = undefined;
        if (error) reject(this.#writeError(error, "write"));
        else resolve();
      });
    });
  }

  protected shutdown(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.end((error?: Error | null) => {
        // A socket that is gone has nothing to send; reading tells why it is gone.
        if (!error || this.lost !== undefined || this.#socket.errored) resolve();
        else reject(this.#writeError(error, "closeWrite"));
      });
    });
  }

  protected destroy(rst: boolean): void {
    this.#early = undefined;
    // On its own, resetAndDestroy() waits until all that was written has left.
    if (rst) this.#socket.resetAndDestroy();
    this.#socket.destroy();
    this.#settlePending();
  }

  /** The socket is gone: by an error, or without one. Reads tell it after what came before. */
  #onGone(error?: Error): void {
    if (this.closed || this.lost !== undefined) return;
    if (error === undefined && this.#eof) return;
    // At EPIPE Node gives up what it has not read, too: unless FIN came, readers must know.
    const code = error === undefined ? "ECONNRESET" : codeOf(error);
    this.lost = new SocketError(code === "EPIPE" && !this.#eof ? "ECONNRESET" : code, "read", {
      addr: this.remoteAddr,
      cause: error,
    });
    this.#settlePending();
  }

  #settlePending(): void {
    if (this.#p !== undefined) {
      this.#p = undefined;
      this.reading = false;
      this.#rejectRead(this.closed ? this.closedError("read") : this.lost!);
    }
    // A write that fails by itself is told by its callback, with the better error.
    if (this.closed) this.#rejectWrite?.(this.closedError("write"));
  }

  #writeError(error: Error, op: SocketOp): Error {
    if (this.closed) return this.closedError(op);
    return translate(this.#socket.errored ?? error, op, this.remoteAddr);
  }
}

class NodeListener extends BaseListener {
  readonly addr: Addr;
  readonly #server: net.Server;
  readonly #backlog: number;
  /** Accepted by libuv, which cannot be told to wait, and not yet asked for. */
  readonly #queue: NodeConn[] = [];
  #resolveAccept: ((conn: Conn) => void) | undefined;
  #rejectAccept: ((error: Error) => void) | undefined;

  constructor(server: net.Server, backlog: number) {
    super();
    const { address, port } = server.address() as net.AddressInfo;
    this.addr = tcpAddr(address, port);
    this.#server = server;
    this.#backlog = backlog;
    server.on("connection", (socket) => this.#onConnection(socket));
    server.on("error", (error) => this.#settle()?.reject(translate(error, "accept", this.addr)));
  }

  #onConnection(accepted: net.Socket): void {
    const { remoteAddress, remotePort } = accepted;
    // Reset before it was accepted: it has no address any more, and nobody to talk to.
    if (remoteAddress === undefined) {
      accepted.destroy();
      return;
    }
    const conn = adopt(accepted, tcpAddr(remoteAddress, remotePort!));
    const waiting = this.#settle();
    if (waiting !== undefined) waiting.resolve(conn);
    else if (this.#queue.length < this.#backlog) this.#queue.push(conn);
    else conn.reset();
  }

  #settle() {
    if (this.#resolveAccept === undefined) return undefined;
    const waiting = { resolve: this.#resolveAccept, reject: this.#rejectAccept! };
    this.#resolveAccept = this.#rejectAccept = undefined;
    return waiting;
  }

  protected startAccept(): Promise<Conn> {
    const conn = this.#queue.shift();
    if (conn !== undefined) return Promise.resolve(conn);
    return new Promise((resolve, reject) => {
      this.#resolveAccept = resolve;
      this.#rejectAccept = reject;
    });
  }

  protected destroy(): void {
    this.#server.close();
    for (const conn of this.#queue.splice(0)) conn.reset();
    this.#settle()?.reject(this.closedError());
  }
}

/**
 * net.Server makes its sockets itself and without `onread`, so a second one takes over the handle,
 * in the way Node's own tls and child_process do. Handles that cannot (Bun's) stay where they are.
 */
function adopt(accepted: net.Socket, remoteAddr: Addr): NodeConn {
  const owner = accepted as unknown as { _handle: { useUserBuffer?: unknown } | null };
  const handle = owner._handle;
  if (handle?.useUserBuffer === undefined) {
    return new NodeConn(accepted.resume(), remoteAddr);
  }
  owner._handle = null;
  const onread = { buffer: inbox, callback: (n: number): boolean => conn.onData(n, inbox) };
  const options = { handle, allowHalfOpen: true, onread };
  const conn = new NodeConn(new net.Socket(options as net.SocketConstructorOpts), remoteAddr);
  return conn;
}

function listen(options: ListenOptions = {}): Promise<Listener> {
  const { backlog = 511 } = options;
  return bindHost(systemTransport, options, (addr) =>
    new Promise((resolve, reject) => {
      const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
      server.once("error", (error) => reject(translate(error, "listen", addr)));
      server.listen({ host: addr.host, port: addr.port, backlog }, () => {
        server.removeAllListeners("error");
        resolve(new NodeListener(server, backlog));
      });
    }));
}

async function connect(options: ConnectOptions): Promise<Conn> {
  const { signal } = options;
  const addr = await connectAddr(systemTransport, options);
  return await new Promise((resolve, reject) => {
    let conn: NodeConn | undefined;
    const socket = net.connect({
      host: addr.host,
      port: addr.port,
      allowHalfOpen: true,
      noDelay: true,
      onread: { buffer: inbox, callback: (n) => conn!.onData(n, inbox) },
    });
    const fail = (error: Error) => {
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
      if (socket.localAddress === undefined) {
        fail(new SocketError("ECONNRESET", "connect", { addr }));
        return;
      }
      conn = new NodeConn(socket, addr);
      resolve(conn);
    });
  });
}

/** The sockets of the operating system, as the runtime gives them. */
export const systemTransport: Transport = { name: "node", resolve, listen, connect };
