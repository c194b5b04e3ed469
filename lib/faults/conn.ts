/**
 * A connection with faults: the user holds one in memory, and a flow for each direction carries bytes
 * between it and the real one.
 *
 * @module
 */

import type { Addr } from "../base/addr.ts";
import type { Clock } from "../base/clock.ts";
import { SocketError } from "../base/errors.ts";
import { Random } from "../base/random.ts";
import { MemoryConn } from "../net/memory/conn.ts";
import type { Conn } from "../net/transport.ts";
import { ByteFlow, type Ending } from "./byte_flow.ts";
import type { Direction, FaultName } from "./plan.ts";
import type { ConnFaults } from "./select_faults.ts";

/**
 * The time that a connection which this side has closed waits for its bytes to arrive, in
 * milliseconds, while nothing arrives and no delay says when it will: it is stalled, or the peer
 * does not read.
 */
const MAX_LINGER_MS = 60_000;

/** The end of the connection that is on this side. */
export type Role = "client" | "server";

/** The context of a connection with faults. */
export interface FaultyContext {
  readonly seed: number;
  /** The number of the connection, from 1. */
  readonly number: number;
  readonly role: Role;
  readonly clock: Clock;
  /** Called for each fault that is applied. */
  readonly onFault: (direction: Direction | undefined, name: FaultName, detail: string) => void;
  /** Called when the connection has ended, which may be at once. */
  readonly onEnd: (conn: FaultyConn<Addr>) => void;
}

/** See the module. */
export class FaultyConn<A extends Addr> implements Conn<A> {
  readonly localAddr: A;
  readonly remoteAddr: A;
  readonly #inner: Conn<A>;
  readonly #near: MemoryConn;
  readonly #far: MemoryConn;
  readonly #incoming: ByteFlow;
  readonly #outgoing: ByteFlow;
  readonly #context: FaultyContext;
  /** Whether this side has closed it. */
  #closed = false;
  /** Whether all bytes of this side have arrived, and FIN after them. */
  #sent = false;
  #ended = false;
  /** Whether a fault has reset it. */
  #wasReset = false;
  #cancelLinger: (() => void) | undefined;

  constructor(inner: Conn<A>, faults: ConnFaults, context: FaultyContext) {
    this.localAddr = inner.localAddr;
    this.remoteAddr = inner.remoteAddr;
    this.#inner = inner;
    this.#context = context;
    [this.#near, this.#far] = MemoryConn.pair(inner.localAddr, inner.remoteAddr);
    const [comes, goes]: Direction[] = context.role === "server" ? ["up", "down"] : ["down", "up"];
    this.#incoming = this.#flow(inner, this.#far, comes);
    this.#outgoing = this.#flow(this.#far, inner, goes);
    this.setFaults(faults);
    void this.#run();
  }

  /** Whether it has ended. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Replaces the faults; those that stay the same go on. */
  setFaults({ up, down }: Pick<ConnFaults, "up" | "down">): void {
    const [incoming, outgoing] = this.#context.role === "server" ? [up, down] : [down, up];
    this.#incoming.setFaults(incoming);
    this.#outgoing.setFaults(outgoing);
  }

  get bytesRead(): number {
    return this.#near.bytesRead;
  }

  get bytesWritten(): number {
    return this.#near.bytesWritten;
  }

  read(p: Uint8Array): Promise<number | null> {
    const most = this.#incoming.mostAtOnce;
    return this.#near.read(p.length > most ? p.subarray(0, most) : p).catch(this.#explain);
  }

  write(p: Uint8Array): Promise<void> {
    return this.#near.write(p).catch(this.#explain);
  }

  closeWrite(): Promise<void> {
    return this.#near.closeWrite().catch(this.#explain);
  }

  /** Throws an error that says so if it is the fault's doing and not the peer's. */
  readonly #explain = (error: unknown): never => {
    if (!this.#wasReset || !(error instanceof SocketError) || error.code !== "ECONNRESET") {
      throw error;
    }
    const { code, op } = error;
    throw new SocketError(code, op, { addr: this.remoteAddr, why: "a fault reset it" });
  };

  close(reason?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#near.close(reason);
    // Incoming bytes have no reader any more.
    this.#incoming.stop();
    if (this.#sent) return this.#end("close");
    // The written bytes are still on their way.
    this.#linger();
  }

  /** Resets a closed connection on which nothing arrives any more; see {@linkcode MAX_LINGER_MS}. */
  #linger(before?: number): void {
    if (this.#ended) return;
    const { delivered, delayed } = this.#outgoing;
    if (delivered === before && !delayed) return this.#end("reset");
    this.#cancelLinger = this.#context.clock.setTimer(
      MAX_LINGER_MS,
      () => this.#linger(delivered),
    );
  }

  reset(reason?: Error): void {
    this.#near.reset(reason);
    this.#end("reset");
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #flow(from: Conn, to: Conn, direction: Direction): ByteFlow {
    const { seed, number, clock, onFault } = this.#context;
    const random = new Random(seed, number, direction === "up" ? 1 : 2);
    return new ByteFlow(from, to, random, clock, {
      onFault: (name, detail) => onFault(direction, name, detail),
      onEnding: (ending) => {
        this.#wasReset ||= ending === "reset";
        this.#end(ending);
      },
    });
  }

  /** Carries both ways until both have ended, or one fails. */
  async #run(): Promise<void> {
    const [incoming, outgoing] = [this.#incoming.run(), this.#outgoing.run()];
    // After a close of this side, incoming bytes are not awaited.
    const closed = outgoing.then(() => {
      this.#sent = true;
      return this.#closed ? this.#end("close") : incoming;
    });
    await Promise.all([incoming, closed]).then(
      () => this.#end("close"),
      () => this.#end("reset"),
    );
  }

  /** Ends the connection on both sides. */
  #end(ending: Ending): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancelLinger?.();
    this.#context.onEnd(this as FaultyConn<Addr>);
    this.#incoming.stop();
    this.#outgoing.stop();
    if (ending === "reset") {
      this.#far.reset();
      this.#inner.reset();
    } else {
      this.#far.close();
      this.#inner.close();
    }
  }
}
