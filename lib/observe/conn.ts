/**
 * Connections that report every step.
 *
 * @module
 */

import type { Addr } from "../base/addr.ts";
import { whyNoBytes } from "../base/arguments.ts";
import type { SocketOp } from "../base/error_codes.ts";
import type { TlsInfo } from "../net/tls/options.ts";
import type { Conn, TlsConn } from "../net/transport.ts";
import { noteObserved } from "./observed_sockets.ts";
import type { Reporter } from "./reporter.ts";

/** A connection whose every step is an event. */
export class ObservedConn<A extends Addr> implements Conn<A> {
  /** The connection that is observed. */
  readonly inner: Conn<A>;
  readonly socket: number;
  readonly #reporter: Reporter;
  #closed = false;
  #ended = false;
  /** TLS goes over what wraps this, and reports its bytes. */
  #carriesTls = false;
  /** Resolves, if TLS goes over this, when its end is to be reported here. */
  #handshakeFailed: Promise<void> | undefined;

  constructor(inner: Conn<A>, socket: number, reporter: Reporter) {
    this.inner = inner;
    this.socket = socket;
    this.#reporter = reporter;
    noteObserved(this, { reporter, socket, carryTls: (handshake) => this.#carryTls(handshake) });
  }

  get localAddr(): A {
    return this.inner.localAddr;
  }

  get remoteAddr(): A {
    return this.inner.remoteAddr;
  }

  get bytesRead(): number {
    return this.inner.bytesRead;
  }

  get bytesWritten(): number {
    return this.inner.bytesWritten;
  }

  async read(p: Uint8Array): Promise<number | null> {
    const socket = this.socket;
    const n = await this.#reportFailure("read", this.inner.read(p));
    if (this.#carriesTls) return n;
    if (n !== null) this.#reporter.emit({ type: "recv", socket, data: p.subarray(0, n) });
    // FIN comes once, however often it is read.
    else if (!this.#ended) {
      this.#ended = true;
      this.#reporter.emit({ type: "eof", socket });
    }
    return n;
  }

  async write(p: Uint8Array): Promise<void> {
    const mistake = whyNoBytes("conn.write", p);
    if (mistake !== undefined) throw mistake;
    if (!this.#carriesTls) this.#reporter.emit({ type: "send", socket: this.socket, data: p });
    await this.#reportFailure("write", this.inner.write(p));
  }

  async closeWrite(): Promise<void> {
    if (!this.#carriesTls) this.#reporter.emit({ type: "shutdown", socket: this.socket });
    await this.#reportFailure("closeWrite", this.inner.closeWrite());
  }

  #reportFailure<T>(op: SocketOp, work: Promise<T>): Promise<T> {
    return this.#carriesTls ? work : this.#reporter.reportFailure(this.socket, op, work);
  }

  close(reason?: Error): void {
    this.#reportClose(false);
    this.inner.close(reason);
  }

  reset(reason?: Error): void {
    this.#reportClose(true);
    this.inner.reset(reason);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #carryTls(handshake: Promise<unknown>): void {
    this.#carriesTls = true;
    this.#handshakeFailed = new Promise((resolve) => handshake.catch(() => resolve()));
  }

  #reportClose(reset: boolean): void {
    if (this.#closed) return;
    this.#closed = true;
    const { bytesRead, bytesWritten } = this.inner;
    const report = () =>
      this.#reporter.emit({ type: "close", socket: this.socket, bytesRead, bytesWritten, reset });
    if (this.#handshakeFailed === undefined) report();
    else void this.#handshakeFailed.then(report);
  }
}

/** The same with TLS; that the handshake is done is an event, too. */
export class ObservedTlsConn<A extends Addr> extends ObservedConn<A> implements TlsConn<A> {
  readonly tls: TlsInfo;
  readonly #inner: TlsConn<A>;

  constructor(inner: TlsConn<A>, socket: number, reporter: Reporter) {
    super(inner, socket, reporter);
    this.#inner = inner;
    this.tls = inner.tls;
    const { protocol, alpnProtocol, peerCertificate } = inner.tls;
    reporter.emit({ type: "handshake", socket, protocol, alpnProtocol, peerCertificate });
  }

  get truncated(): boolean | undefined {
    return this.#inner.truncated;
  }
}
