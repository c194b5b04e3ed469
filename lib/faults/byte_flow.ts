/**
 * One direction of a connection with faults: the bytes of one end arrive at the other later, in other
 * pieces, changed, or not at all.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import type { Conn } from "../net/transport.ts";
import { ActiveFaults, describe, type Of } from "./active_faults.ts";
import { type MessagePart, MessageScanner } from "./web_socket_messages.ts";
import type { Fault, FaultName, Faults } from "./plan.ts";
import { Queue } from "./queue.ts";

/** The most bytes on their way: after them the sender is held back, as by a network. */
const MAX_ON_THE_WAY = 256 * 1024;

const RECEIVE_SIZE = 16 * 1024;

/** The number of pieces a second that makes a rate smooth. */
const PIECES_PER_SECOND = 50;

/** The ways to end a connection. */
export type Ending = "reset" | "close";

/** The callbacks of a flow. */
export interface ByteFlowEvents {
  /** A fault was applied; `detail` says how. */
  onFault(name: FaultName, detail: string): void;
  /** The whole connection is to end. */
  onEnding(ending: Ending): void;
}

/** A fault that ends a connection, or holds it. */
type EndingFault = Extract<Fault, { readonly name: Ending | "stall" }>;

/** Something on its way. */
interface Piece {
  readonly bytes: Uint8Array;
  /** When it came, and when it arrives, on the clock. */
  readonly came: number;
  readonly due: number;
  /** The event after it. */
  readonly then: EndingFault | "fin" | "failure" | undefined;
}

/** A fault that happens at a place in what has come. */
interface Place {
  /** The number of bytes that pass before it. */
  readonly length: number;
  readonly fault: EndingFault;
}

const NOTHING = new Uint8Array(0);

/** Carries bytes from one connection to another; see the module. */
export class ByteFlow {
  readonly #from: Conn;
  readonly #to: Conn;
  readonly #active: ActiveFaults;
  readonly #random: Random;
  readonly #clock: Clock;
  readonly #events: ByteFlowEvents;
  readonly #pieces = new Queue<Piece>();
  readonly #reported = new Set<Fault>();
  /** The faults whose place in what comes was reached. */
  readonly #placed = new Set<Fault>();
  /** The faults for which nothing passes now. */
  readonly #stalls = new Set<Fault>();
  #onTheWay = 0;
  /** The number of bytes that have come in. */
  #position = 0;
  readonly #messages = new MessageScanner();
  /** The parts of lost messages among the last bytes. */
  #lost: MessagePart[] = [];
  #dropped = 0;
  #lastDue = 0;
  /** When the bytes so far have all passed at the rate. */
  #rateFree = 0;
  #stopped = false;
  /** Whether further input is ignored. */
  #ended = false;
  /** The error that has broken the incoming stream. */
  #failure: unknown;
  /** Callbacks that wait for a change. */
  #waiting: (() => void)[] = [];
  #cancelDue: (() => void) | undefined;
  #delayed = false;
  #delivered = 0;

  constructor(from: Conn, to: Conn, random: Random, clock: Clock, events: ByteFlowEvents) {
    this.#from = from;
    this.#to = to;
    this.#random = random;
    this.#clock = clock;
    this.#events = events;
    this.#active = new ActiveFaults(clock, (fault) => this.#happen(fault as EndingFault));
  }

  /** Carries until the stream has ended or {@linkcode stop} is called. Rejects if an end fails. */
  async run(): Promise<void> {
    await Promise.all([this.#receive(), this.#deliver()]);
  }

  /**
   * Replaces the faults. Bytes on their way go on under the new ones. The connection is closed if a
   * fault is taken away that has lost bytes: the rest would be of no use.
   */
  setFaults(faults: Faults): void {
    const progress = { bytes: this.#position, messages: this.#messages.begun };
    const gone = this.#active.replace(faults, progress);
    for (const { fault, left } of gone) {
      for (const faults of [this.#stalls, this.#reported, this.#placed]) faults.delete(fault);
      if (fault.name === "truncate" && left <= 0) return this.#events.onEnding("close");
    }
    this.#delayAgain(gone.map(({ fault }) => fault));
    // Faults after 0 bytes happen before the next byte.
    if (!this.#ended) this.#take(NOTHING);
    this.#notify();
  }

  /** The most bytes that may arrive at once. */
  get mostAtOnce(): number {
    const [split] = this.#active.all("split");
    return split === undefined ? Infinity : split.bytes + split.variation;
  }

  /** Whether what comes next waits for a time that is known. */
  get delayed(): boolean {
    return this.#delayed;
  }

  /** The number of pieces that have arrived. */
  get delivered(): number {
    return this.#delivered;
  }

  /** Stops: nothing more is delivered. */
  stop(): void {
    this.#stopped = true;
    this.#cancelDue?.();
    this.#active.stop();
    this.#notify();
  }

  async #receive(): Promise<void> {
    const buffer = new Uint8Array(RECEIVE_SIZE);
    while (!this.#ended && !this.#stopped) {
      if (this.#onTheWay >= MAX_ON_THE_WAY || this.#stalls.size > 0) {
        await this.#changed();
        continue;
      }
      const n = await this.#read(buffer);
      if (n === undefined || this.#ended) return;
      const bytes = buffer.slice(0, n);
      this.#lost = [];
      this.#messages.scan(bytes, this.#position, (part) => this.#meet(part));
      this.#corrupt(bytes);
      this.#take(bytes);
    }
  }

  /** Reads; the end of the stream and what breaks it are put on their way, after what came before. */
  async #read(buffer: Uint8Array): Promise<number | undefined> {
    try {
      const n = await this.#from.read(buffer);
      if (n !== null) return n;
      const [fault] = this.#atData();
      if (fault !== undefined) this.#pushEnd(fault);
      else this.#pushEnd("fin");
    } catch (error) {
      this.#failure = error;
      this.#pushEnd("failure");
    }
  }

  #meet(part: MessagePart): void {
    const fault = this.#active.meet(part);
    if (fault !== undefined) this.#report(fault, describe(fault.at));
    // Half a message would be of no use, so one is lost to its end under another plan, too.
    if (fault !== undefined) this.#dropped = part.message;
    if (part.message === this.#dropped) this.#lost.push(part);
  }

  /** Takes bytes in. */
  #take(bytes: Uint8Array): void {
    const place = this.#firstPlace(bytes);
    if (place === undefined) return this.#pass(bytes);
    const { length, fault } = place;
    this.#placed.add(fault);
    this.#pass(bytes.subarray(0, length));
    this.#pushEnd(fault);
    this.#ended = fault.name !== "stall";
    if (!this.#ended) this.#take(bytes.subarray(length));
  }

  #pass(bytes: Uint8Array): void {
    const kept = this.#withoutLost(this.#truncated(bytes));
    this.#position += bytes.length;
    const now = this.#clock.now();
    if (kept.length > 0) this.#cut(kept, now, this.#dueOf(kept.length, now));
  }

  #corrupt(bytes: Uint8Array): void {
    for (const fault of this.#active.all("corrupt")) {
      const at = this.#active.left(fault, this.#position);
      if (at < 0 || at >= bytes.length) continue;
      const before = bytes[at];
      bytes[at] ^= 1 + this.#random.integer(255);
      const hex = (byte: number) => byte.toString(16).padStart(2, "0");
      const where = "bytes" in fault.at ? `at ${fault.at.bytes} bytes` : describe(fault.at);
      this.#report(fault, `${where}: ${hex(before)} became ${hex(bytes[at])}`);
    }
  }

  /** The first fault that happens in these bytes, or right after them. */
  #firstPlace(bytes: Uint8Array): Place | undefined {
    if (bytes.length > 0) {
      const [fault] = this.#atData();
      if (fault !== undefined) return { length: 0, fault };
    }
    let first: Place | undefined;
    for (const fault of this.#endings()) {
      const length = Math.max(0, this.#active.left(fault, this.#position));
      if (length <= bytes.length && length < (first?.length ?? Infinity)) first = { length, fault };
    }
    return first;
  }

  #endings(): EndingFault[] {
    return (["reset", "close", "stall"] as const).flatMap((name) => this.#active.all(name))
      .filter((fault) => !this.#placed.has(fault));
  }

  /** The faults that happen when data comes. */
  #atData(): EndingFault[] {
    return this.#endings().filter(({ at }) => "data" in at);
  }

  #truncated(bytes: Uint8Array): Uint8Array {
    let kept = bytes;
    for (const fault of this.#active.all("truncate")) {
      const left = Math.max(0, this.#active.left(fault, this.#position));
      if (left >= kept.length) continue;
      this.#report(fault, describe(fault.at));
      kept = kept.subarray(0, left);
    }
    return kept;
  }

  #withoutLost(bytes: Uint8Array): Uint8Array {
    if (this.#lost.length === 0) return bytes;
    const kept: Uint8Array[] = [];
    let at = 0;
    for (const { from, to } of this.#lost) {
      kept.push(bytes.subarray(at, Math.max(at, from - this.#position)));
      at = Math.max(at, to - this.#position);
    }
    return Buffer.concat([...kept, bytes.subarray(at)]);
  }

  /** When bytes that have come at `came` arrive. None arrives before those before it. */
  #dueOf(length: number, came: number): number {
    let due = came;
    for (const fault of this.#active.all("delay")) {
      due += fault.ms + fault.jitter * (2 * this.#random.next() - 1);
      this.#report(fault, `of ${fault.ms} ms${fault.jitter > 0 ? ` ± ${fault.jitter}` : ""}`);
    }
    const [coalesce] = this.#active.all("coalesce");
    if (coalesce !== undefined && length > 0) {
      due = this.#pieces.length > 0 ? this.#lastDue : due + coalesce.ms;
      this.#report(coalesce, `of what comes within ${coalesce.ms} ms`);
    }
    return this.#lastDue = Math.max(due, this.#lastDue);
  }

  /** Puts bytes on their way, in pieces where the plan says so. */
  #cut(bytes: Uint8Array, came: number, due: number): void {
    const [split] = this.#active.all("split");
    if (split !== undefined && bytes.length > split.bytes + split.variation) {
      const varied = split.variation > 0 ? ` ± ${split.variation}` : "";
      this.#report(split, `into pieces of ${split.bytes}${varied} bytes`);
    }
    const [rate] = this.#active.all("rate").toSorted((a, b) => a.bytes - b.bytes);
    const smooth = rate && Math.ceil(rate.bytes / PIECES_PER_SECOND) || Infinity;
    for (let at = 0; at < bytes.length;) {
      const most = Math.min(split === undefined ? Infinity : this.#varied(split), smooth);
      const piece = bytes.subarray(at, at + most);
      if (rate !== undefined) due = this.#paced(piece.length, due, rate);
      this.#push({ bytes: piece, came, due, then: undefined });
      due = this.#lastDue = Math.max(due, this.#lastDue) + (split?.pause ?? 0);
      at += piece.length;
    }
  }

  /** The size of the next piece. */
  #varied({ bytes, variation }: Of<"split">): number {
    if (variation === 0) return bytes;
    return Math.max(1, bytes + Math.round(variation * (2 * this.#random.next() - 1)));
  }

  #paced(length: number, due: number, rate: Of<"rate">): number {
    this.#report(rate, rate.bytes === 0 ? "of nothing" : `of ${rate.bytes} bytes a second`);
    this.#rateFree = Math.max(due, this.#rateFree) + length / rate.bytes * 1000;
    return this.#rateFree;
  }

  /** Puts an end on its way. */
  #pushEnd(then: NonNullable<Piece["then"]>, came = this.#clock.now()): void {
    let due = this.#dueOf(0, came);
    if (typeof then !== "string" && "data" in then.at) due += then.at.ms;
    if (then === "fin") {
      for (const fault of this.#active.all("slowclose")) {
        due += fault.ms;
        this.#report(fault, `by ${fault.ms} ms`);
      }
    }
    this.#push({ bytes: NOTHING, came, due, then });
  }

  #push(piece: Piece): void {
    this.#pieces.push({ ...piece, due: Math.max(piece.due, this.#lastDue) });
    this.#onTheWay += piece.bytes.length;
    this.#notify();
  }

  /** Gives what is on its way the times of other faults than those that are gone. */
  #delayAgain(gone: readonly Fault[]): void {
    const pieces = this.#pieces.takeAll();
    this.#lastDue = this.#rateFree = this.#clock.now();
    for (const { bytes, came, then } of pieces) {
      this.#onTheWay -= bytes.length;
      if (typeof then === "object" && then.name === "stall" && gone.includes(then)) continue;
      if (then === undefined) this.#cut(bytes, came, this.#dueOf(bytes.length, came));
      else this.#pushEnd(then, came);
    }
  }

  async #deliver(): Promise<void> {
    while (!this.#stopped) {
      const piece = this.#pieces.first;
      const wait = piece === undefined || this.#stalls.size > 0
        ? Infinity
        : piece.due - this.#clock.now();
      if (piece === undefined || wait > 0) {
        const changed = this.#changed();
        this.#delayed = wait < Infinity;
        if (this.#delayed) this.#cancelDue = this.#clock.setTimer(wait, () => this.#notify());
        await changed;
        this.#cancelDue?.();
        this.#delayed = false;
        continue;
      }
      const { bytes, then } = this.#next(piece);
      if (bytes.length > 0) await this.#to.write(bytes);
      this.#delivered++;
      this.#onTheWay -= bytes.length;
      this.#notify();
      if (then === "fin") return await this.#to.closeWrite();
      if (then === "failure") throw this.#failure;
      if (then !== undefined) this.#happen(then);
    }
  }

  /** The first piece; with `coalesce`, all that are due with it. */
  #next(first: Piece): Piece {
    const joins = first.then === undefined && this.#active.all("coalesce").length > 0;
    const joined = this.#pieces.take(({ due, then }) =>
      joins && due <= first.due && then === undefined
    );
    if (joined.length === 1) return first;
    return { ...first, bytes: Buffer.concat(joined.map(({ bytes }) => bytes)) };
  }

  /** Applies a fault whose bytes have passed, or whose time has come. */
  #happen(fault: EndingFault): void {
    this.#report(fault, describe(fault.at));
    if (fault.name === "stall") this.#stalls.add(fault);
    else this.#events.onEnding(fault.name);
  }

  /** Reports a fault the first time that it is applied. */
  #report(fault: Fault, detail: string): void {
    if (this.#reported.has(fault)) return;
    this.#reported.add(fault);
    this.#events.onFault(fault.name, detail);
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #notify(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
