/**
 * A connection with faults: one in memory for whoever uses it, and a carrier for each direction
 * between that and the real one.
 *
 * @module
 */

import type { Addr } from "../base/addr.ts";
import type { Clock } from "../base/clock.ts";
import { Random } from "../base/random.ts";
import { MemoryConn } from "../net/memory/conn.ts";
import type { Conn } from "../net/transport.ts";
import { Carrier, describe, type Ending } from "./carrier.ts";
import type { Direction, FaultName, Faults } from "./plan.ts";
import type { ConnFaults } from "./select.ts";

/** Which end of the connection is on this side. */
export type Role = "client" | "server";

/** What a connection with faults needs. */
export interface FaultyContext {
  readonly seed: number;
  /** The number of the connection, from 1. */
  readonly number: number;
  readonly role: Role;
  readonly clock: Clock;
  /** Is told of each fault that is applied. */
  readonly onFault: (direction: Direction | undefined, name: FaultName, detail: string) => void;
}

/** See the module. */
export class FaultyConn<A extends Addr> implements Conn<A> {
  readonly localAddr: A;
  readonly remoteAddr: A;
  readonly #inner: Conn<A>;
  readonly #near: MemoryConn;
  readonly #far: MemoryConn;
  readonly #carriers: readonly Carrier[];
  readonly #context: FaultyContext;
  readonly #cancels: (() => void)[] = [];
  /** The most bytes that a read delivers. */
  readonly #split: number;
  /** This side has closed it. */
  #closed = false;
  #ended = false;

  constructor(inner: Conn<A>, { up, down }: ConnFaults, context: FaultyContext) {
    this.localAddr = inner.localAddr;
    this.remoteAddr = inner.remoteAddr;
    this.#inner = inner;
    this.#context = context;
    [this.#near, this.#far] = MemoryConn.pair(inner.localAddr, inner.remoteAddr);
    const [incoming, outgoing] = context.role === "server" ? [up, down] : [down, up];
    const split = incoming.get("split");
    this.#split = split?.name === "split" ? split.bytes : Infinity;
    const [comes, goes]: Direction[] = context.role === "server" ? ["up", "down"] : ["down", "up"];
    this.#carriers = [
      this.#carrier(inner, this.#far, incoming, comes),
      this.#carrier(this.#far, inner, outgoing, goes),
    ];
    for (const [faults, direction] of [[incoming, comes], [outgoing, goes]] as const) {
      this.#endLater(faults, direction);
    }
    void this.#run();
  }

  get bytesRead(): number {
    return this.#near.bytesRead;
  }

  get bytesWritten(): number {
    return this.#near.bytesWritten;
  }

  read(p: Uint8Array): Promise<number | null> {
    return this.#near.read(p.length > this.#split ? p.subarray(0, this.#split) : p);
  }

  write(p: Uint8Array): Promise<void> {
    return this.#near.write(p);
  }

  closeWrite(): Promise<void> {
    return this.#near.closeWrite();
  }

  close(reason?: Error): void {
    this.#closed = true;
    this.#near.close(reason);
    // What was written is still on its way; nobody reads what comes.
    this.#carriers[0].stop();
  }

  reset(reason?: Error): void {
    this.#near.reset(reason);
    this.#end("reset");
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #carrier(from: Conn, to: Conn, faults: Faults, direction: Direction): Carrier {
    const { seed, number, clock, onFault } = this.#context;
    const random = new Random(seed, number, direction === "up" ? 1 : 2);
    return new Carrier(from, to, faults, random, clock, {
      onFault: (name, detail) => onFault(direction, name, detail),
      onEnding: (ending) => this.#end(ending),
    });
  }

  #endLater(faults: Faults, direction: Direction): void {
    for (const name of ["reset", "close"] as const) {
      const fault = faults.get(name);
      if (fault === undefined || !("at" in fault) || !("ms" in fault.at)) continue;
      const { at } = fault;
      this.#cancels.push(this.#context.clock.setTimer(at.ms, () => {
        this.#context.onFault(direction, name, describe(at));
        this.#end(name);
      }));
    }
  }

  /** Carries both ways until both have ended, or one fails. */
  async #run(): Promise<void> {
    const [incoming, outgoing] = this.#carriers.map((carrier) => carrier.run());
    // Who has closed this side does not wait for what comes.
    const closed = outgoing.then(() => this.#closed ? this.#end("close") : incoming);
    await Promise.all([incoming, closed]).then(
      () => this.#end("close"),
      () => this.#end("reset"),
    );
  }

  /** Ends the connection on both sides. */
  #end(ending: Ending): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const cancel of this.#cancels) cancel();
    for (const carrier of this.#carriers) carrier.stop();
    if (ending === "reset") {
      this.#far.reset();
      this.#inner.reset();
    } else {
      this.#far.close();
      this.#inner.close();
    }
  }
}
