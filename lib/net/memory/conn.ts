/**
 * Connections in memory: two ends, with a bounded pipe for each direction.
 *
 * @module
 */

import type { Addr } from "../../base/addr.ts";
import { type Deferred, deferred } from "../../base/wait.ts";
import { SocketError } from "../../base/errors.ts";
import { BaseConn, DONE } from "../conn_base.ts";
import { Pipe } from "./pipe.ts";

/** One end; {@linkcode MemoryConn.pair} makes both. */
export class MemoryConn extends BaseConn {
  readonly localAddr: Addr;
  readonly remoteAddr: Addr;
  readonly #in: Pipe;
  readonly #out: Pipe;
  #peer!: MemoryConn;
  #pendingRead: { p: Uint8Array; done: Deferred<number | null> } | undefined;
  #pendingWrite: { rest: Uint8Array; done: Deferred<void> } | undefined;

  private constructor(localAddr: Addr, remoteAddr: Addr, incoming: Pipe, outgoing: Pipe) {
    super();
    this.localAddr = localAddr;
    this.remoteAddr = remoteAddr;
    this.#in = incoming;
    this.#out = outgoing;
  }

  /** Makes a connection: the client's end, and the server's. */
  static pair(clientAddr: Addr, serverAddr: Addr): [MemoryConn, MemoryConn] {
    const [up, down] = [new Pipe(), new Pipe()];
    const client = new MemoryConn(clientAddr, serverAddr, down, up);
    const server = new MemoryConn(serverAddr, clientAddr, up, down);
    client.#peer = server;
    server.#peer = client;
    return [client, server];
  }

  protected startRead(p: Uint8Array): Promise<number | null> {
    if (!this.#in.empty) return Promise.resolve(this.#take(p));
    if (this.#in.fin || this.lost !== undefined) {
      this.reading = false;
      return this.#in.fin ? Promise.resolve(null) : Promise.reject(this.lost);
    }
    const done = deferred<number | null>();
    this.#pendingRead = { p, done };
    return done.promise;
  }

  #take(p: Uint8Array): number {
    const n = this.#in.take(p);
    this.bytesRead += n;
    this.reading = false;
    this.atOnce = 0;
    this.#peer.#pushPending();
    return n;
  }

  /** There are bytes, or FIN, for a read that waits. */
  #wakeReader(): void {
    const pending = this.#pendingRead;
    if (pending === undefined) return;
    this.#pendingRead = undefined;
    this.reading = false;
    pending.done.resolve(this.#in.empty ? null : this.#take(pending.p));
  }

  protected startWrite(p: Uint8Array): Promise<void> {
    if (this.#out.abandoned) {
      this.writing = false;
      return Promise.reject(this.#brokenPipe());
    }
    const done = deferred<void>();
    this.#pendingWrite = { rest: p, done };
    this.#pushPending();
    return this.writing ? done.promise : this.doneAtOnce();
  }

  /** There is room for more of a write that waits. */
  #pushPending(): void {
    const pending = this.#pendingWrite;
    if (pending === undefined) return;
    const n = this.#out.put(pending.rest);
    this.written += n;
    pending.rest = pending.rest.subarray(n);
    if (pending.rest.length === 0) {
      this.#pendingWrite = undefined;
      this.writing = false;
      pending.done.resolve();
    }
    if (n > 0) this.#peer.#wakeReader();
  }

  protected shutdown(): Promise<void> {
    this.#sendFin();
    return DONE;
  }

  #sendFin(): void {
    this.#out.fin = true;
    if (this.#out.empty) this.#peer.#wakeReader();
  }

  protected destroy(rst: boolean): void {
    this.#in.abandoned = true;
    this.#settlePending((op) => this.closedError(op));
    if (rst) this.#peer.#onReset();
    else {
      this.#sendFin();
      this.#peer.#rejectWrite(() => this.#peer.#brokenPipe());
    }
  }

  #onReset(): void {
    if (this.closed) return;
    const reset = new SocketError("ECONNRESET", "read", { addr: this.remoteAddr });
    this.lost = reset;
    this.#settlePending(() => reset);
  }

  #brokenPipe(): SocketError {
    return new SocketError("EPIPE", "write", { addr: this.remoteAddr });
  }

  #settlePending(errorOf: (op: "read" | "write") => Error): void {
    const read = this.#pendingRead;
    this.#pendingRead = undefined;
    this.reading = false;
    read?.done.reject(errorOf("read"));
    this.#rejectWrite(() => errorOf("write"));
  }

  #rejectWrite(errorOf: () => Error): void {
    const write = this.#pendingWrite;
    this.#pendingWrite = undefined;
    this.writing = false;
    write?.done.reject(errorOf());
  }
}
