/**
 * The faults that are in force on one direction of a connection, and since when.
 *
 * @module
 */

import type { Clock } from "../base/clock.ts";
import type { Fault, FaultName, Faults, Moment } from "./plan.ts";

/** A fault by its name. */
export type Of<N extends FaultName> = Extract<Fault, { readonly name: N }>;

/** A fault that happens at some moment. */
type Timed = Extract<Fault, { readonly at: unknown }>;

/** A fault that is not in force any more. */
export interface Gone {
  readonly fault: Fault;
  /**
   * The number of bytes that were left until it would have happened; 0 or less if they had come.
   */
  readonly left: number;
}

/** See the module. */
export class ActiveFaults {
  readonly #clock: Clock;
  readonly #onTime: (fault: Timed) => void;
  /** Each fault, and the number of bytes that had come when it began to be in force. */
  readonly #since = new Map<Fault, number>();
  readonly #cancels = new Map<Fault, () => void>();

  /** `onTime` is called with each fault whose time has come. */
  constructor(clock: Clock, onTime: (fault: Timed) => void) {
    this.#clock = clock;
    this.#onTime = onTime;
  }

  /**
   * Replaces the faults when `position` bytes have come. Those that are in force already stay as they
   * are. Returns those that are not in force any more, and how many bytes were left until they happen.
   */
  replace(faults: Faults, position: number): Gone[] {
    const gone = [...this.#since.keys()].filter((fault) => !faults.includes(fault))
      .map((fault) => ({ fault, left: this.#leftOf(fault, position) }));
    for (const { fault } of gone) {
      this.#since.delete(fault);
      this.#cancels.get(fault)?.();
      this.#cancels.delete(fault);
    }
    for (const fault of faults) {
      if (this.#since.has(fault)) continue;
      this.#since.set(fault, position);
      this.#startTimer(fault);
    }
    return gone;
  }

  /** All faults of this name, in order. */
  all<N extends FaultName>(name: N): Of<N>[] {
    return [...this.#since.keys()].filter((fault) => fault.name === name) as Of<N>[];
  }

  /**
   * The number of bytes that still come, of which `position` have come, until `bytes` of the fault
   * have.
   */
  left(fault: Fault, bytes: number, position: number): number {
    return (this.#since.get(fault) ?? 0) + bytes - position;
  }

  #leftOf(fault: Fault, position: number): number {
    const bytes = "at" in fault && "bytes" in fault.at ? fault.at.bytes : Infinity;
    return this.left(fault, bytes, position);
  }

  /** Stops what waits for its time. */
  stop(): void {
    for (const cancel of this.#cancels.values()) cancel();
    this.#cancels.clear();
  }

  #startTimer(fault: Fault): void {
    if (!("at" in fault) || !isTime(fault.at)) return;
    this.#cancels.set(fault, this.#clock.setTimer(fault.at.ms, () => this.#onTime(fault)));
  }
}

/** Whether something happens at a time, whatever has come. */
function isTime(at: Moment): at is { readonly ms: number } {
  return "ms" in at && !("data" in at);
}

/** `after 4096 bytes`, `after 500 ms`, `500 ms after data`. */
export function describe(at: Moment): string {
  if ("bytes" in at) return `after ${at.bytes} bytes`;
  if ("data" in at) return at.ms === 0 ? "as data came" : `${at.ms} ms after data`;
  return `after ${at.ms} ms`;
}
