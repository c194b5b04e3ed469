/**
 * The {@linkcode Conn} contract over a stream of Node's, which both runtimes have.
 *
 * @module
 */

import type { Duplex } from "node:stream";
import { BaseConn } from "./conn_base.ts";
import type { SocketOp } from "../base/error_codes.ts";
import { codeOf, SocketError } from "../base/errors.ts";
import type { Receiver } from "./shared_read_buffer.ts";
import type { Addr } from "../base/addr.ts";

const NOTHING = new Uint8Array(0);

/** The state of a stream's writes in libuv. */
interface Writes {
  /** Bytes that were handed to it, whether they have left or not. */
  readonly bytesWritten: number;
  /** The number of written bytes that have not left. */
  readonly writeQueueSize: number;
}

function writesOf(stream: Duplex): Writes | undefined {
  const { _handle: handle } = stream as unknown as { _handle?: Partial<Writes> | null };
  // Not all runtimes tell.
  return typeof handle?.writeQueueSize === "number" ? handle as Writes : undefined;
}

/** The number of bytes that have left a stream so far; 0 where nobody can tell. */
export function movedBy(stream: Duplex): number {
  const writes = writesOf(stream);
  return writes === undefined ? 0 : writes.bytesWritten - writes.writeQueueSize;
}

/**
 * A connection over a stream of Node's: {@linkcode Duplex} and what comes of it. The stream allows
 * half-open connections, and nothing else reads from it or writes to it.
 */
export class StreamConn<A extends Addr = Addr> extends BaseConn implements Receiver {
  readonly localAddr: A;
  readonly remoteAddr: A;
  protected readonly socket: Duplex;
  /** The pending read. */
  #p: Uint8Array | undefined;
  #resolveRead!: (n: number | null) => void;
  #rejectRead!: (error: Error) => void;
  #rejectWrite: ((error: Error) => void) | undefined;
  /** The number of bytes that were written to the stream and are not known to be sent. */
  protected piece = 0;
  room = 0;
  /** Bytes that arrived while nobody read: one inbox at most. The socket is paused then. */
  #early: Uint8Array | undefined;
  #eof = false;

  constructor(socket: Duplex, localAddr: A, remoteAddr: A) {
    super();
    this.socket = socket;
    this.localAddr = localAddr;
    this.remoteAddr = remoteAddr;
    // With `onread` there are no data events; without it, where a runtime lacks it, there are.
    socket.on("data", (chunk: Uint8Array) => {
      if (!this.onData(chunk)) socket.pause();
    });
    socket.on("end", () => this.#onEnd());
    socket.on("error", (error) => this.#onGone(error));
    socket.on("close", () => this.#onGone());
  }

  /** Hands over the stream, and is of no more use itself. Throws if that cannot be done just now. */
  release(): Duplex {
    if (this.#early !== undefined || this.#eof) {
      throw new SocketError("ETLS", "startTls", {
        addr: this.remoteAddr,
        why: this.#eof ? "the peer has ended the stream" : "the peer spoke first, and not TLS",
      });
    }
    this.giveUp();
    return this.socket;
  }

  /** A write is handed to the stream in pieces of this many bytes, so that it queues no more. */
  protected get pieceSize(): number {
    return 256 * 1024;
  }

  /**
   * The number of bytes of {@linkcode piece} that were sent all the same, where that can be seen.
   */
  protected partWritten(): number {
    return Math.max(0, this.piece - (writesOf(this.socket)?.writeQueueSize ?? this.piece));
  }

  // It is read once a second at most, so it must not slow writes down.
  override get bytesWritten(): number {
    return this.piece === 0 ? this.written : this.written + this.partWritten();
  }

  /** Asks, at the end of the stream, whether it was a reset and no FIN. */
  protected wasReset(): boolean {
    return false;
  }

  /** Makes the kernel send RST, where that is possible. */
  protected sendReset(): void {}

  /** Turns what the stream reports into our error. */
  protected translate(error: unknown, op: SocketOp): SocketError {
    return new SocketError(codeOf(error), op, { addr: this.remoteAddr, cause: error });
  }

  onData(bytes: Uint8Array): boolean {
    const p = this.#p;
    let taken = 0;
    this.atOnce = 0;
    if (p !== undefined) {
      taken = Math.min(bytes.length, p.length);
      p.set(taken === bytes.length ? bytes : bytes.subarray(0, taken));
      this.#settleRead(taken);
      if (taken === bytes.length) return true;
    }
    this.#early = new Uint8Array(bytes.subarray(taken));
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
    this.room = p.length;
    return new Promise((resolve, reject) => {
      this.#resolveRead = resolve;
      this.#rejectRead = reject;
    });
  }

  #takeEarly(early: Uint8Array, p: Uint8Array): number {
    const n = Math.min(early.length, p.length);
    p.set(n < early.length ? early.subarray(0, n) : early);
    this.#early = n < early.length ? early.subarray(n) : undefined;
    if (this.#early === undefined) this.socket.resume();
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
    // kernel knows better.
    if (!this.finSent && this.wasReset()) return this.#onGone();
    this.#eof = true;
    if (this.#p !== undefined) this.#settleRead(null);
  }

  protected startWrite(p: Uint8Array): Promise<void> {
    const socket = this.socket;
    if (p.length <= this.pieceSize) {
      socket.write(p);
      // Nothing queued: write(2) took it all and no callback has to tell. This is the common case.
      if (socket.writableLength === 0 && !socket.destroyed) {
        this.written += p.length;
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
          handed = Math.min(left + this.pieceSize, p.length);
          this.socket.write(p.subarray(left, handed));
        }
        this.piece = handed - left;
        // An empty write is done when all before it was sent.
        await this.hand(NOTHING);
        this.written += this.piece;
        this.piece = 0;
      }
    } finally {
      this.piece = 0;
      this.writing = false;
    }
  }

  /** Gives the stream some bytes, and waits until it has got rid of them and all before. */
  protected hand(p: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#rejectWrite = reject;
      this.socket.write(p, (error) => {
        this.#rejectWrite = undefined;
        if (error) reject(this.#writeError(error, "write"));
        else resolve();
      });
    });
  }

  /** Settles as `leaving` does, which is part of a write, or rejects when the socket is freed. */
  protected orFreed(leaving: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#rejectWrite = reject;
      leaving.then(() => {
        this.#rejectWrite = undefined;
        resolve();
      }, reject);
    });
  }

  protected shutdown(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.end((error?: Error | null) => {
        // A socket that is gone has nothing to send; reading reports why it is gone.
        if (!error || this.lost !== undefined || this.socket.errored) resolve();
        else reject(this.#writeError(error, "closeWrite"));
      });
    });
  }

  /** Frees the stream; what was written still leaves. */
  protected destroyStream(): void {
    this.socket.destroy();
  }

  protected destroy(rst: boolean): void {
    this.#early = undefined;
    if (rst) {
      this.sendReset();
      this.socket.destroy();
    } else this.destroyStream();
    this.#settlePending();
  }

  /** The socket is gone: by an error, or without one. Reads report it after the bytes that came before. */
  #onGone(error?: Error): void {
    if (this.closed || this.lost !== undefined) return;
    if (error === undefined && this.#eof) return;
    // At EPIPE Node gives up what it has not read, too: unless FIN came, readers must know.
    const failure = error === undefined ? undefined : this.translate(error, "read");
    this.lost = failure === undefined || failure.code === "EPIPE" && !this.#eof
      ? new SocketError("ECONNRESET", "read", { addr: this.remoteAddr, cause: error })
      : failure;
    this.#settlePending();
  }

  #settlePending(): void {
    if (this.#p !== undefined) {
      this.#p = undefined;
      this.reading = false;
      this.#rejectRead(this.closed ? this.closedError("read") : this.lost!);
    }
    // The callback of a write that fails by itself has the better error.
    if (this.closed) this.#rejectWrite?.(this.closedError("write"));
  }

  #writeError(error: Error, op: SocketOp): Error {
    if (this.closed) return this.closedError(op);
    const failure = this.translate(this.socket.errored ?? error, op);
    // Without FIN it was a reset, which a write before this one has met.
    if (failure.code !== "EPIPE" || this.#eof || this.socket.writableEnded) return failure;
    return new SocketError("ECONNRESET", op, { addr: this.remoteAddr, cause: error });
  }
}
