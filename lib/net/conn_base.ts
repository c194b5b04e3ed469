/**
 * The part of the {@linkcode Conn} and {@linkcode Listener} contracts that does not depend on where the
 * bytes go: which calls are refused, and with what. Every transport builds on it, so they refuse alike.
 *
 * @module
 */

import type { Addr } from "../base/addr.ts";
import { isBytes, whyNoBuffer, whyNoBytes } from "../base/arguments.ts";
import type { SocketOp } from "../base/error_codes.ts";
import { SocketError } from "../base/errors.ts";
import { afterPause, inNextTurn } from "../base/clock.ts";
import type { Conn, Listener } from "./transport.ts";

/** Shared by every write that is done at once. */
export const DONE: Promise<void> = Promise.resolve();

/**
 * The number of writes in a row, each done at once, after which the event loop gets a turn: with a fast
 * reader, a loop of writes would otherwise keep every other socket and every signal waiting.
 */
const MOST_AT_ONCE = 32;

/** The most bytes that a close waits for: no kernel takes more at once. */
const MOST_AT_CLOSE = 256 * 1024;

/**
 * The milliseconds, and the number of looks, without progress after which a write counts as one that
 * waits for the peer. On a machine that is busy with others, a process may not run at all for longer than that.
 */
const [MOST_STILL_MS, MOST_STILL_LOOKS] = [10, 20];

/** A connection. Subclasses start operations and settle them; this class admits or refuses them. */
export abstract class BaseConn implements Conn {
  abstract readonly localAddr: Addr;
  abstract readonly remoteAddr: Addr;
  bytesRead = 0;

  /** A read is under way; the subclass clears it when it settles. */
  protected reading = false;
  /** A write is under way; the subclass clears it when it settles. */
  protected writing = false;
  /** The number of bytes of the writes that have settled. */
  protected written = 0;
  /** {@linkcode close} or {@linkcode reset} was called. */
  protected closed = false;
  /** FIN is sent, or about to be. */
  protected finSent = false;
  /** The connection broke: writes reject with this, and reads once all that arrived is read. */
  protected lost: SocketError | undefined;
  /** The number of writes that were done at once since the event loop last brought something. */
  protected atOnce = 0;
  #closeReason: Error | undefined;
  /** The socket is freed, or about to be: nothing more is written. */
  #freed = false;
  /** {@linkcode closeWrite} was called: no more is written after what waits. */
  #ending = false;
  /** The last write that was begun or waits. The next one waits for it. */
  #last: Promise<void> = DONE;
  /** The number of writes and half-closes that wait for those before them. */
  #waiting = 0;
  /** The sizes, in bytes, of the write under way and of the writes that wait. */
  #current = 0;
  #queued = 0;

  /** Starts a read; `p` is not empty and no read is under way. */
  protected abstract startRead(p: Uint8Array): Promise<number | null>;
  /** Starts a write; `p` is not empty and no write is under way. */
  protected abstract startWrite(p: Uint8Array): Promise<void>;
  /** Sends FIN; called once. */
  protected abstract shutdown(): Promise<void>;
  /** Frees the socket and settles what is pending; called once. */
  protected abstract destroy(rst: boolean): void;

  get bytesWritten(): number {
    return this.written;
  }

  read(p: Uint8Array): Promise<number | null> {
    if (this.reading || this.closed || !isBytes(p) || p.length === 0) {
      return Promise.reject(this.#refuseRead(p));
    }
    this.reading = true;
    return this.startRead(p);
  }

  write(p: Uint8Array): Promise<void> {
    if (this.closed || this.lost !== undefined || this.#ending || !isBytes(p)) {
      return Promise.reject(this.#refuseWrite(p));
    }
    if (p.length === 0) return DONE;
    if (this.writing || this.#waiting > 0) {
      this.#queued += p.length;
      return this.#behind(() => this.#writeNext(p));
    }
    this.writing = true;
    this.#current = p.length;
    return this.#last = this.startWrite(p);
  }

  closeWrite(): Promise<void> {
    if (this.closed) return Promise.reject(this.closedError("closeWrite"));
    if (this.#ending || this.lost !== undefined) return DONE;
    this.#ending = true;
    return this.writing || this.#waiting > 0
      ? this.#behind(() => this.#shutdownNext())
      : this.#shutdownNext();
  }

  close(reason?: Error): void {
    this.#end(false, reason);
  }

  reset(reason?: Error): void {
    this.#end(true, reason);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Makes it as if closed, but frees nothing: the socket has another owner from now on. */
  protected giveUp(): void {
    if (this.closed) throw this.closedError("startTls");
    if (this.reading || this.writing || this.#waiting > 0) throw this.#error("EBUSY", "startTls");
    if (this.lost !== undefined) throw this.lost;
    if (this.#ending) throw this.#error("EPIPE", "startTls");
    this.closed = true;
  }

  /** The promise of a write that was done at once. */
  protected doneAtOnce(): Promise<void> {
    if (++this.atOnce < MOST_AT_ONCE) return DONE;
    this.atOnce = 0;
    // Writes that come meanwhile wait, so that all settle in order.
    this.#waiting++;
    return new Promise((resolve) =>
      inNextTurn(() => {
        this.#waiting--;
        resolve();
      })
    );
  }

  /** The error of an operation on a connection closed on this side. */
  protected closedError(op: SocketOp): Error {
    return this.#closeReason ?? this.#error("ECLOSED", op);
  }

  /** Calls `start` when all that was written so far has been taken, or has failed. */
  #behind(start: () => Promise<void>): Promise<void> {
    this.#waiting++;
    const next = () => {
      this.#waiting--;
      return start();
    };
    return this.#last = this.#last.then(next, next);
  }

  #writeNext(p: Uint8Array): Promise<void> {
    this.#queued -= p.length;
    if (this.#freed) return Promise.reject(this.closedError("write"));
    if (this.lost !== undefined) return Promise.reject(this.lost);
    this.writing = true;
    this.#current = p.length;
    return this.startWrite(p);
  }

  #shutdownNext(): Promise<void> {
    if (this.#freed) return Promise.reject(this.closedError("closeWrite"));
    if (this.lost !== undefined) return DONE;
    this.finSent = true;
    return this.shutdown();
  }

  #end(rst: boolean, reason: Error | undefined): void {
    if (this.closed) return;
    this.closed = true;
    this.#closeReason = reason;
    const left = this.#queued + (this.writing ? this.#current : 0);
    if (!rst && left <= MOST_AT_CLOSE && (this.writing || this.#waiting > 0)) this.#freeSoon();
    else this.#free(rst);
  }

  #free(rst: boolean): void {
    this.#freed = true;
    this.destroy(rst);
  }

  /**
   * Frees the socket when the kernel has taken all that was written so far. Some runtimes report that
   * some turns later. Bytes that the kernel does not take at once are not waited for.
   */
  #freeSoon(): void {
    let [before, since, looks] = [NaN, 0, 0];
    const look = () => {
      const progress = this.bytesWritten - this.#waiting;
      const now = performance.now();
      if (progress !== before) [before, since, looks] = [progress, now, 0];
      const done = !this.writing && this.#waiting === 0;
      const still = ++looks > MOST_STILL_LOOKS && now - since > MOST_STILL_MS;
      if (done || still) this.#free(false);
      else if (looks % 2 === 0) afterPause(look);
      else inNextTurn(look);
    };
    inNextTurn(look);
  }

  #refuseRead(p: Uint8Array): Error {
    if (this.closed) return this.closedError("read");
    return whyNoBuffer("conn.read", p) ?? this.#error("EBUSY", "read");
  }

  #refuseWrite(p: Uint8Array): Error {
    if (this.closed) return this.closedError("write");
    const mistake = whyNoBytes("conn.write", p);
    if (mistake !== undefined) return mistake;
    return this.#ending ? this.#error("EPIPE", "write") : this.lost!;
  }

  #error(code: "EBUSY" | "ECLOSED" | "EPIPE", op: SocketOp): SocketError {
    return new SocketError(code, op, { addr: this.remoteAddr });
  }
}

/** A listener. Subclasses wait for connections; this class admits or refuses who asks for one. */
export abstract class BaseListener<C extends Conn = Conn> implements Listener<Addr, C> {
  abstract readonly addr: Addr;
  /** {@linkcode close} was called. */
  protected closed = false;
  /** {@linkcode stop} was called. */
  protected stopped = false;
  #accepting = false;

  /** Waits for a connection; no accept is under way. */
  protected abstract startAccept(): Promise<C>;
  /** Frees the socket and settles what is pending; called once. */
  protected abstract destroy(): void;

  /**
   * Takes no more connections; called at most once, before `destroy`. A listener that takes connections
   * before they are accepted overrides it. Default: closes.
   */
  protected stopListening(): void {
    this.close();
  }

  async accept(): Promise<C> {
    if (this.closed) throw this.closedError();
    if (this.#accepting) throw new SocketError("EBUSY", "accept", { addr: this.addr });
    this.#accepting = true;
    try {
      return await this.startAccept();
    } finally {
      this.#accepting = false;
    }
  }

  stop(): void {
    if (this.closed || this.stopped) return;
    this.stopped = true;
    this.stopListening();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<C> {
    try {
      for (;;) yield await this.accept();
    } catch (error) {
      if (!this.closed && !(this.stopped && isClosed(error))) throw error;
    } finally {
      this.close();
    }
  }

  /** The error of an accept on a listener closed on this side. */
  protected closedError(): SocketError {
    return new SocketError("ECLOSED", "accept", { addr: this.addr });
  }
}

/** A listener over another one. Subclasses accept from {@linkcode inner}. */
export abstract class WrappedListener extends BaseListener {
  readonly addr: Addr;
  readonly fd: number | undefined;
  protected readonly inner: Listener;

  constructor(inner: Listener) {
    super();
    this.addr = inner.addr;
    this.fd = inner.fd;
    this.inner = inner;
  }

  protected override stopListening(): void {
    this.inner.stop();
  }

  protected destroy(): void {
    this.inner.close();
  }
}

/** Whether an accept has rejected because there will be no more connections. */
export function isClosed(error: unknown): boolean {
  return error instanceof SocketError && error.code === "ECLOSED";
}
