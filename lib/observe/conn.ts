/**
 * Connections that report every step.
 *
 * @module
 */

import type { Addr } from "../base/addr.ts";
import { whyNoBytes } from "../base/arguments.ts";
import type { TlsInfo } from "../net/tls/options.ts";
import type { Conn, TlsConn } from "../net/transport.ts";
import type { Recorder } from "./recorder.ts";
import { noteObserved } from "./report.ts";

/** A connection whose every step is an event. */
export class ObservedConn<A extends Addr> implements Conn<A> {
  /** What is observed. */
  readonly inner: Conn<A>;
  readonly socket: number;
  readonly #recorder: Recorder;
  #closed = false;
  #ended = false;

  constructor(inner: Conn<A>, socket: number, recorder: Recorder) {
    this.inner = inner;
    this.socket = socket;
    this.#recorder = recorder;
    noteObserved(this, { recorder, socket });
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
    const n = await this.#recorder.tellFailure(socket, "read", this.inner.read(p));
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
    const socket = this.socket;
    this.#recorder.emit({ type: "send", socket, data: p });
    await this.#recorder.tellFailure(socket, "write", this.inner.write(p));
  }

  async closeWrite(): Promise<void> {
    const socket = this.socket;
    this.#recorder.emit({ type: "shutdown", socket });
    await this.#recorder.tellFailure(socket, "closeWrite", this.inner.closeWrite());
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

  #tellClose(reset: boolean): void {
    if (this.#closed) return;
    this.#closed = true;
    const { bytesRead, bytesWritten } = this.inner;
    this.#recorder.emit({ type: "close", socket: this.socket, bytesRead, bytesWritten, reset });
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
