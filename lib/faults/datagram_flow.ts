/**
 * One direction of a UDP socket with faults: datagrams are lost, doubled, delayed or reordered.
 *
 * @module
 */

import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import type { FaultName, Faults } from "./plan.ts";

/** The number of datagrams that may be delayed; more are lost, as in a network. */
const MAX_WAITING = 1024;

/** The time that a datagram waits to be overtaken by another one, in milliseconds. */
const MAX_REORDER_MS = 100;

/** The callbacks of a flow. */
export interface DatagramFlowEvents {
  /** A fault was applied; `detail` says how. */
  onFault(name: FaultName, detail: string): void;
}

/** Passes datagrams on; see the module. */
export class DatagramFlow<P extends { readonly bytes: Uint8Array }> {
  readonly #random: Random;
  readonly #clock: Clock;
  readonly #events: DatagramFlowEvents;
  /** The sends that wait for their time, and the functions that end the wait. */
  readonly #waiting = new Map<() => void, () => void>();
  /** Lets go of what waits to be overtaken. */
  #held: (() => void) | undefined;
  /** The number of datagrams that were lost since too many waited. */
  dropped = 0;

  constructor(random: Random, clock: Clock, events: DatagramFlowEvents) {
    this.#random = random;
    this.#clock = clock;
    this.#events = events;
  }

  /** Puts a datagram in. `out` gets it at once, or a copy of it later, twice, or never. */
  put(packet: P, faults: Faults, out: (packet: P) => void): void {
    const { length } = packet.bytes;
    const happens = (name: "loss" | "dup" | "reorder") => this.#happens(name, faults, length);
    if (happens("loss")) return;
    const delay = this.#delayOf(faults, length);
    const times = happens("dup") ? 2 : 1;
    if (happens("reorder") && this.#held === undefined) {
      const copy = copyOf(packet);
      const letGo = this.#later(delay + MAX_REORDER_MS, () => {
        if (this.#held === letGo) this.#held = undefined;
        for (let i = 0; i < times; i++) out(copy);
      });
      this.#held = letGo;
      return;
    }
    for (let i = 0; i < times; i++) {
      if (delay === 0) out(packet);
      else this.#delay(copyOf(packet), delay, out);
    }
    if (delay === 0) this.#held?.();
    else if (this.#held !== undefined) this.#later(delay, this.#held);
  }

  /** Lets everything out at once. */
  flush(): void {
    for (const letGo of [...this.#waiting.keys()]) letGo();
  }

  /** Drops what waits. */
  clear(): void {
    for (const cancel of this.#waiting.values()) cancel();
    this.#waiting.clear();
    this.#held = undefined;
  }

  #delay(packet: P, ms: number, out: (packet: P) => void): void {
    if (this.#waiting.size < MAX_WAITING) return void this.#later(ms, () => out(packet));
    this.dropped++;
    const { length } = packet.bytes;
    this.#events.onFault("loss", `of a datagram of ${length} bytes, since ${MAX_WAITING} wait`);
  }

  /** Calls `fn` after a time, or when what it returns is called; once. */
  #later(ms: number, fn: () => void): () => void {
    const letGo = () => {
      const cancel = this.#waiting.get(letGo);
      if (cancel === undefined) return;
      this.#waiting.delete(letGo);
      cancel();
      fn();
    };
    this.#waiting.set(letGo, this.#clock.setTimer(ms, letGo));
    return letGo;
  }

  #happens(name: "loss" | "dup" | "reorder", faults: Faults, size: number): boolean {
    const happens = faults.some((fault) =>
      fault.name === name && this.#random.next() < fault.probability
    );
    if (happens) this.#events.onFault(name, `of a datagram of ${size} bytes`);
    return happens;
  }

  /** Returns the delay, in milliseconds. */
  #delayOf(faults: Faults, size: number): number {
    let ms = 0;
    for (const fault of faults) {
      if (fault.name !== "delay") continue;
      ms += fault.ms + fault.jitter * (2 * this.#random.next() - 1);
      this.#events.onFault("delay", `of a datagram of ${size} bytes by ${Math.round(ms)} ms`);
    }
    return Math.max(0, ms);
  }
}

function copyOf<P extends { readonly bytes: Uint8Array }>(packet: P): P {
  return { ...packet, bytes: new Uint8Array(packet.bytes) };
}
