/**
 * The faults that are in force on one direction of a connection, and since when.
 *
 * @module
 */

import type { Clock } from "../base/clock.ts";
import type { MessagePart } from "./web_socket_messages.ts";
import type { Fault, FaultName, Faults, Moment } from "./plan.ts";

/** A fault by its name. */
export type Of<N extends FaultName> = Extract<Fault, { readonly name: N }>;

/** A fault that happens at some moment. */
type Timed = Extract<Fault, { readonly at: unknown }>;

/** A fault that is not in force any more. */
export interface Gone {
  readonly fault: Fault;
  /** See {@linkcode ActiveFaults.left}. */
  readonly left: number;
}

/** The number of bytes that have come, and of messages of a WebSocket that have begun. */
export interface Progress {
  readonly bytes: number;
  readonly messages: number;
}

/** See the module. */
export class ActiveFaults {
  readonly #clock: Clock;
  readonly #onTime: (fault: Timed) => void;
  /** Each fault, and what had come when it began to be in force. */
  readonly #since = new Map<Fault, Progress>();
  /** The faults of messages that have come, and the number of bytes before their place. */
  readonly #places = new Map<Fault, number>();
  readonly #cancels = new Map<Fault, () => void>();

  /** `onTime` is called with each fault whose time has come. */
  constructor(clock: Clock, onTime: (fault: Timed) => void) {
    this.#clock = clock;
    this.#onTime = onTime;
  }

  /**
   * Replaces the faults when so much has come. Those that are in force already stay as they
   * are. Returns those that are not in force any more, and how many bytes were left until they happen.
   */
  replace(faults: Faults, progress: Progress): Gone[] {
    const gone = [...this.#since.keys()].filter((fault) => !faults.includes(fault))
      .map((fault) => ({ fault, left: this.left(fault, progress.bytes) }));
    for (const { fault } of gone) {
      this.#since.delete(fault);
      this.#places.delete(fault);
      this.#cancels.get(fault)?.();
      this.#cancels.delete(fault);
    }
    for (const fault of faults) {
      if (this.#since.has(fault)) continue;
      this.#since.set(fault, progress);
      this.#startTimer(fault);
    }
    return gone;
  }

  /** All faults of this name, in order. */
  all<N extends FaultName>(name: N): Of<N>[] {
    return [...this.#since.keys()].filter((fault) => fault.name === name) as Of<N>[];
  }

  /**
   * The number of bytes that still come, of which `position` have come, until the place of the fault;
   * negative after it, and `Infinity` if that is not known.
   */
  left(fault: Fault, position: number): number {
    const isAfterBytes = "at" in fault && "bytes" in fault.at;
    const place = isAfterBytes
      ? (this.#since.get(fault)?.bytes ?? 0) + fault.at.bytes
      : this.#places.get(fault) ?? Infinity;
    return place - position;
  }

  /** A part of a message has come: some faults have their place there. Returns the one that loses it. */
  meet({ message, content, from }: MessagePart): Of<"drop"> | undefined {
    let loses: Of<"drop"> | undefined;
    for (const [fault, since] of this.#since) {
      if (!("at" in fault) || !("message" in fault.at)) continue;
      if (since.messages + fault.at.message !== message) continue;
      if (fault.name === "drop") loses = fault;
      else if (content || fault.name !== "corrupt") this.#placeAt(fault, from);
    }
    return loses;
  }

  #placeAt(fault: Fault, position: number): void {
    if (!this.#places.has(fault)) this.#places.set(fault, position);
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

/** `after 4096 bytes`, `at message 3`, `after 500 ms`, `500 ms after data`. */
export function describe(at: Moment): string {
  if ("message" in at) return `at message ${at.message}`;
  if ("bytes" in at) return `after ${at.bytes} bytes`;
  if ("data" in at) return at.ms === 0 ? "as data came" : `${at.ms} ms after data`;
  return `after ${at.ms} ms`;
}
