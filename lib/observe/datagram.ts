/**
 * Sockets for datagrams that report every step.
 *
 * @module
 */

import type { Endpoint, UdpAddr } from "../base/addr.ts";
import type { Datagram, Received } from "../net/datagram.ts";
import { noteObserved } from "./observed_sockets.ts";
import type { Reporter } from "./reporter.ts";

/** A socket for datagrams that reports every step. */
export class ObservedDatagram implements Datagram {
  readonly addr: UdpAddr;
  readonly remoteAddr: UdpAddr | undefined;
  readonly #inner: Datagram;
  readonly #socket: number;
  readonly #reporter: Reporter;
  #bytesRead = 0;
  #bytesWritten = 0;
  #closed = false;

  /** `socket` is its number. */
  constructor(inner: Datagram, socket: number, reporter: Reporter) {
    this.addr = inner.addr;
    this.remoteAddr = inner.remoteAddr;
    this.#inner = inner;
    this.#socket = socket;
    this.#reporter = reporter;
    noteObserved(this, { reporter, socket });
  }

  get dropped(): number {
    return this.#inner.dropped;
  }

  async receive(p: Uint8Array): Promise<Received> {
    const socket = this.#socket;
    const received = await this.#reporter.reportFailure(socket, "receive", this.#inner.receive(p));
    const { size, from } = received;
    this.#bytesRead += size;
    this.#reporter.emit({ type: "recv", socket, data: p.subarray(0, size), from });
    return received;
  }

  async send(p: Uint8Array, to: Endpoint | undefined = this.remoteAddr): Promise<void> {
    const socket = this.#socket;
    this.#reporter.emit({ type: "send", socket, data: p, to });
    await this.#reporter.reportFailure(socket, "send", this.#inner.send(p, to));
    this.#bytesWritten += p.length;
  }

  close(reason?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    const counts = { bytesRead: this.#bytesRead, bytesWritten: this.#bytesWritten };
    this.#reporter.emit({ type: "close", socket: this.#socket, ...counts, reset: false });
    this.#inner.close(reason);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
