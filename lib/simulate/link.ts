/**
 * One direction of a connection between two simulated hosts: bytes arrive in order, later.
 *
 * @module
 */

import type { Clock } from "../base/clock.ts";
import { BufferPool } from "../net/buffer_pool.ts";
import type { Conn } from "../net/transport.ts";

/** The most bytes on their way in one direction: after them the sender is held back. */
const MAX_ON_THE_WAY = 64 * 1024;

const RECEIVE_SIZE = 16 * 1024;

/** Links take their buffers of it: to make one costs more than most connections of a simulation. */
const POOL = new BufferPool(RECEIVE_SIZE);

/** The network's way for a segment. */
export interface Road {
  /** Milliseconds that a segment takes now, with what is lost sent again. */
  delay(): number;
  /** Whether nothing passes now. */
  isBlocked(): boolean;
  /** Resolves when that has changed. */
  changed(): Promise<void>;
}

interface Segment {
  readonly bytes: Uint8Array | undefined;
  readonly due: number;
}

/** See the module. */
export class Link {
  readonly #from: Conn;
  readonly #to: Conn;
  readonly #road: Road;
  readonly #clock: Clock;
  readonly #segments: Segment[] = [];
  #onTheWay = 0;
  #lastDue = 0;
  #wake: (() => void)[] = [];
  #stopped = false;
  /** Answers each segment when the other end is gone. */
  #answer: (() => void) | undefined;

  constructor(from: Conn, to: Conn, road: Road, clock: Clock) {
    this.#from = from;
    this.#to = to;
    this.#road = road;
    this.#clock = clock;
  }

  /** Carries until the end of the stream has arrived. Rejects when one end breaks. */
  async run(): Promise<void> {
    await Promise.all([this.#receive(), this.#deliver()]);
  }

  /** Stops, with what is on its way lost. */
  stop(): void {
    this.#stopped = true;
    this.#notify();
  }

  /** The other end is gone: from now on `answer` is called for what arrives. */
  answerWith(answer: () => void): void {
    this.#answer = answer;
    this.#notify();
  }

  async #receive(): Promise<void> {
    const buffer = POOL.takeAnyway();
    try {
      while (!this.#stopped) {
        if (this.#onTheWay >= MAX_ON_THE_WAY) {
          await this.#changed();
          continue;
        }
        const n = await this.#from.read(buffer);
        const due = this.#lastDue = Math.max(this.#lastDue, this.#clock.now() + this.#road.delay());
        const bytes = n === null ? undefined : new Uint8Array(buffer.subarray(0, n));
        this.#segments.push({ bytes, due });
        this.#onTheWay += n ?? 0;
        this.#notify();
        if (n === null) return;
      }
    } finally {
      POOL.give(buffer);
    }
  }

  async #deliver(): Promise<void> {
    while (!this.#stopped) {
      const segment = this.#segments[0];
      if (segment === undefined) {
        await this.#changed();
      } else if (this.#road.isBlocked()) {
        await Promise.race([this.#road.changed(), this.#changed()]);
      } else if (segment.due > this.#clock.now()) {
        const changed = this.#changed();
        const cancel = this.#clock.setTimer(segment.due - this.#clock.now(), () => this.#notify());
        await changed;
        cancel();
      } else {
        if (this.#answer !== undefined) return this.#answer();
        this.#segments.shift();
        if (segment.bytes === undefined) return await this.#to.closeWrite();
        await this.#to.write(segment.bytes);
        this.#onTheWay -= segment.bytes.length;
        this.#notify();
      }
    }
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  #notify(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
