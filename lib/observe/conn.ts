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
import { noteObserved, type Recorder } from "./report.ts";

/** A connection whose every step is an event. */
export class ObservedConn<A extends Addr> implements Conn<A> {
  /** The connection that is observed. */
  readonly inner: Conn<A>;
  readonly socket: number;
  readonly #recorder: Recorder;
  #closed = false;
  #ended = false;
  /** TLS goes over what wraps this, and reports its bytes. */
  #carriesTls = false;
  /** Resolves, if TLS goes over this, when its end is to be reported here. */
  #handshakeFailed: Promise<void> | undefined;

  constructor(inner: Conn<A>, socket: number, recorder: Recorder) {
    this.inner = inner;
    this.socket = socket;
    this.#recorder = recorder;
    noteObserved(this, { recorder, socket, carryTls: (handshake) => this.#carryTls(handshake) });
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
    const n = await this.#tellFailure("read", this.inner.read(p));
    if (this.#carriesTls) return n;
    if (n !== null) this.#recorder.emit({ type: "recv", socket, data: p.subarray(0, n) });
    // FIN comes once, however often it is read.
    else if (!this.#ended) {
      this.#ended = true;
      this.#recorder.emit({ type: "eof", socket });
    }
    return n;
  }

  async write(p: Uint8Array): Promise<void> {
    const mistake = whyNoBytes("conn.write", p);
    if (mistake !== undefined) throw mistake;
    if (!this.#carriesTls) this.#recorder.emit({ type: "send", socket: this.socket, data: p });
    await this.#tellFailure("write", this.inner.write(p));
  }

  async closeWrite(): Promise<void> {
    if (!this.#carriesTls) this.#recorder.emit({ type: "shutdown", socket: this.socket });
    await this.#tellFailure("closeWrite", this.inner.closeWrite());
  }

  #tellFailure<T>(op: SocketOp, work: Promise<T>): Promise<T> {
    return this.#carriesTls ? work : this.#recorder.tellFailure(this.socket, op, work);
  }

  close(reason?: Error): void {
    this.#tellClose(false);
    this.inner.close(reason);
  }

  reset(reason?: Error): void {
    this.#tellClose(true);
    this.inner.reset(reason);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #carryTls(handshake: Promise<unknown>): void {
    this.#carriesTls = true;
    this.#handshakeFailed = new Promise((resolve) => handshake.catch(() => resolve()));
  }

  #tellClose(reset: boolean): void {
    if (this.#closed) return;
    this.#closed = true;
    const { bytesRead, bytesWritten } = this.inner;
    const tell = () =>
      this.#recorder.emit({ type: "close", socket: this.socket, bytesRead, bytesWritten, reset });
    if (this.#handshakeFailed === undefined) tell();
    else void this.#handshakeFailed.then(tell);
  }
}

/** The same with TLS; that the handshake is done is an event, too. */
export class ObservedTlsConn<A extends Addr> extends ObservedConn<A> implements TlsConn<A> {
  readonly tls: TlsInfo;
  readonly #inner: TlsConn<A>;

  constructor(inner: TlsConn<A>, socket: number, recorder: Recorder) {
    super(inner, socket, recorder);
    this.#inner = inner;
    this.tls = inner.tls;
    const { protocol, alpnProtocol, peerCertificate } = inner.tls;
    recorder.emit({ type: "handshake", socket, protocol, alpnProtocol, peerCertificate });
  }

  get truncated(): boolean | undefined {
    return this.#inner.truncated;
  }
}
