/**
 * One direction of a connection with faults: what comes from one end goes to the other later, in
 * other pieces, or not as it was.
 *
 * @module
 */

import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import type { Conn } from "../net/transport.ts";
import type { Fault, FaultName, Faults, Moment } from "./plan.ts";

/** The most bytes on their way: behind them the sender is held back, as by a network. */
const MAX_ON_THE_WAY = 256 * 1024;

const RECEIVE_SIZE = 16 * 1024;

/** So many pieces a second make a rate smooth. */
const PIECES_PER_SECOND = 50;

/** What ends a connection. */
export type Ending = "reset" | "close";

/** What carriers tell. */
export interface CarrierEvents {
  /** A fault was applied; `detail` says how. */
  onFault(name: FaultName, detail: string): void;
  /** The whole connection is to end. */
  onEnding(ending: Ending): void;
}

/** Something on its way. */
interface Piece {
  readonly bytes: Uint8Array;
  /** When it arrives, on the clock. */
  readonly due: number;
  /** What happens behind it. */
  readonly then: Ending | "fin" | "stall" | "failure" | undefined;
}

type Of<N extends FaultName> = Extract<Fault, { readonly name: N }>;

const NOTHING = new Uint8Array(0);

/** Carries one direction; see the module. */
export class Carrier {
  readonly #from: Conn;
  readonly #to: Conn;
  readonly #faults: Faults;
  readonly #random: Random;
  readonly #clock: Clock;
  readonly #events: CarrierEvents;
  readonly #pieces: Piece[] = [];
  readonly #told = new Set<FaultName>();
  #onTheWay = 0;
  /** How many bytes have come in. */
  #position = 0;
  #lastDue = 0;
  /** When the bytes so far have all passed at the rate. */
  #rateFree = 0;
  #stopped = false;
  #stalled = false;
  /** What has broken the stream that comes. */
  #failure: unknown;
  /** What waits for anything to change. */
  #waiting: (() => void)[] = [];
  #cancelDue: (() => void) | undefined;
  #cancelStall: (() => void) | undefined;

  constructor(
    from: Conn,
    to: Conn,
    faults: Faults,
    random: Random,
    clock: Clock,
    events: CarrierEvents,
  ) {
    this.#from = from;
    this.#to = to;
    this.#faults = faults;
    this.#random = random;
    this.#clock = clock;
    this.#events = events;
  }

  /** Carries until the stream has ended or {@linkcode stop} is called. Rejects if an end fails. */
  async run(): Promise<void> {
    const stall = this.#get("stall");
    if (stall !== undefined && "ms" in stall.at) {
      this.#cancelStall = this.#clock.setTimer(stall.at.ms, () => this.#stall(stall.at));
    }
    await Promise.all([this.#receive(), this.#deliver()]);
  }

  /** Stops: nothing more is delivered. */
  stop(): void {
    this.#stopped = true;
    this.#cancelDue?.();
    this.#cancelStall?.();
    this.#notify();
  }

  #get<N extends FaultName>(name: N): Of<N> | undefined {
    return this.#faults.get(name) as Of<N> | undefined;
  }

  #stall(at: Moment): void {
    this.#tell("stall", describe(at));
    this.#stalled = true;
  }

  async #receive(): Promise<void> {
    const buffer = new Uint8Array(RECEIVE_SIZE);
    for (let ended = this.#begin(); !ended && !this.#stopped;) {
      if (this.#onTheWay >= MAX_ON_THE_WAY || this.#stalled) {
        await this.#changed();
        continue;
      }
      const n = await this.#read(buffer);
      if (n === undefined) return;
      ended = this.#take(buffer.slice(0, n));
    }
  }

  /** Reads; the end of the stream and what breaks it are put on their way, behind what came before. */
  async #read(buffer: Uint8Array): Promise<number | undefined> {
    try {
      const n = await this.#from.read(buffer);
      if (n !== null) return n;
      this.#push(NOTHING, this.#dueOf(0), "fin");
    } catch (error) {
      this.#failure = error;
      this.#push(NOTHING, this.#dueOf(0), "failure");
    }
  }

  /** What happens after 0 bytes happens before the first. */
  #begin(): boolean {
    return this.#endsAt(NOTHING) !== undefined && this.#take(NOTHING);
  }

  /** Takes bytes in; returns true if nothing after them counts. */
  #take(bytes: Uint8Array): boolean {
    this.#corrupt(bytes);
    const end = this.#endsAt(bytes);
    const kept = this.#truncated(end === undefined ? bytes : bytes.subarray(0, end.length));
    this.#position += bytes.length;
    const due = this.#dueOf(kept.length);
    this.#cut(kept, due);
    if (end === undefined) return false;
    this.#push(NOTHING, due, end.then);
    return true;
  }

  #corrupt(bytes: Uint8Array): void {
    const fault = this.#get("corrupt");
    if (fault === undefined) return;
    const at = fault.at.bytes - this.#position;
    if (at < 0 || at >= bytes.length) return;
    const before = bytes[at];
    bytes[at] ^= 1 + this.#random.integer(255);
    const hex = (byte: number) => byte.toString(16).padStart(2, "0");
    this.#tell("corrupt", `at ${fault.at.bytes} bytes: ${hex(before)} became ${hex(bytes[at])}`);
  }

  /** How many of these bytes still pass, and what comes then. */
  #endsAt(bytes: Uint8Array): { length: number; then: Ending | "stall" } | undefined {
    for (const then of ["reset", "close", "stall"] as const) {
      const fault = this.#get(then);
      if (fault === undefined || "ms" in fault.at) continue;
      const length = fault.at.bytes - this.#position;
      if (length <= bytes.length) return { length: Math.max(0, length), then };
    }
    return undefined;
  }

  #truncated(bytes: Uint8Array): Uint8Array {
    const fault = this.#get("truncate");
    if (fault === undefined) return bytes;
    const left = Math.max(0, fault.at.bytes - this.#position);
    if (left >= bytes.length) return bytes;
    this.#tell("truncate", describe(fault.at));
    return bytes.subarray(0, left);
  }

  /** When bytes that have come now arrive. None arrives before those before it. */
  #dueOf(length: number): number {
    const now = this.#clock.now();
    let due = now;
    const delay = this.#get("delay");
    if (delay !== undefined) {
      due += delay.ms + delay.jitter * (2 * this.#random.next() - 1);
      this.#tell("delay", `of ${delay.ms} ms${delay.jitter > 0 ? ` ± ${delay.jitter}` : ""}`);
    }
    const coalesce = this.#get("coalesce");
    if (coalesce !== undefined && length > 0) {
      due = this.#pieces.length > 0 ? this.#lastDue : due + coalesce.ms;
      this.#tell("coalesce", `of what comes within ${coalesce.ms} ms`);
    }
    return this.#lastDue = Math.max(due, this.#lastDue);
  }

  /** Puts bytes on their way, in pieces where the plan says so. */
  #cut(bytes: Uint8Array, due: number): void {
    const [split, rate] = [this.#get("split"), this.#get("rate")];
    const most = Math.min(
      split?.bytes ?? Infinity,
      rate === undefined ? Infinity : Math.ceil(rate.bytes / PIECES_PER_SECOND),
    );
    if (split !== undefined && bytes.length > split.bytes) {
      this.#tell("split", `into pieces of ${split.bytes} bytes`);
    }
    for (let at = 0; at < bytes.length; at += Math.min(most, bytes.length)) {
      const piece = bytes.subarray(at, at + most);
      this.#push(
        piece,
        rate === undefined ? due : this.#paced(piece.length, due, rate.bytes),
        undefined,
      );
    }
  }

  #paced(length: number, due: number, rate: number): number {
    this.#tell("rate", `of ${rate} bytes a second`);
    this.#rateFree = Math.max(due, this.#rateFree) + length / rate * 1000;
    return this.#lastDue = this.#rateFree;
  }

  #push(bytes: Uint8Array, due: number, then: Piece["then"]): void {
    this.#pieces.push({ bytes, due: Math.max(due, this.#lastDue), then });
    this.#onTheWay += bytes.length;
    this.#notify();
  }

  async #deliver(): Promise<void> {
    while (!this.#stopped) {
      const piece = this.#pieces[0];
      const wait = piece === undefined || this.#stalled ? Infinity : piece.due - this.#clock.now();
      if (wait > 0) {
        const changed = this.#changed();
        if (wait < Infinity) this.#cancelDue = this.#clock.setTimer(wait, () => this.#notify());
        await changed;
        this.#cancelDue?.();
        continue;
      }
      const { bytes, then } = this.#next(piece);
      if (bytes.length > 0) await this.#to.write(bytes);
      this.#onTheWay -= bytes.length;
      this.#notify();
      if (then === "fin") return await this.#to.closeWrite();
      if (then === "failure") throw this.#failure;
      if (then !== undefined) this.#end(then);
    }
  }

  /** The first piece; with `coalesce`, all that are due with it. */
  #next(first: Piece): Piece {
    if (!this.#faults.has("coalesce")) {
      this.#pieces.shift();
      return first;
    }
    const count = this.#pieces.findIndex(({ due, then }) => due > first.due || then !== undefined);
    const joined = this.#pieces.splice(0, count < 0 ? this.#pieces.length : Math.max(1, count));
    if (joined.length === 1) return first;
    const bytes = new Uint8Array(joined.reduce((sum, { bytes }) => sum + bytes.length, 0));
    let at = 0;
    for (const piece of joined) {
      bytes.set(piece.bytes, at);
      at += piece.bytes.length;
    }
    return { ...first, bytes };
  }

  #end(then: Ending | "stall"): void {
    const fault = this.#get(then)!;
    if (then === "stall") return this.#stall(fault.at);
    this.#tell(then, describe(fault.at));
    this.#events.onEnding(then);
  }

  /** Tells of a fault the first time that it is applied. */
  #tell(name: FaultName, detail: string): void {
    if (this.#told.has(name)) return;
    this.#told.add(name);
    this.#events.onFault(name, detail);
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #notify(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

/** `after 4096 bytes`, `after 500 ms`. */
export function describe(at: Moment): string {
  return "bytes" in at ? `after ${at.bytes} bytes` : `after ${at.ms} ms`;
}
