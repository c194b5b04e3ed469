/**
 * The network between simulated hosts: how long things take, what is lost, and what is cut off.
 *
 * @module
 */

import { type Clock, sleep } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import type { Road } from "./link.ts";

/** The behaviour of a network. */
export interface NetworkOptions {
  /** The time that a packet takes in one direction, in milliseconds. Default: 1. */
  readonly latency?: number;
  /** The longest that it may take more, by chance, in milliseconds. Default: 0. */
  readonly jitter?: number;
  /** The probability that a packet is lost: 0 to 1. TCP sends a lost packet again. Default: 0. */
  readonly loss?: number;
}

/** The time before TCP sends a segment again, in milliseconds; it doubles each time (RFC 6298). */
const RETRANSMIT_MS = 200;

/** The most times that a segment is sent again: then it arrives. */
const MAX_RETRANSMITS = 8;

/** Hosts and what is between them. */
export class Network {
  readonly #options: Required<NetworkOptions>;
  readonly #random: Random;
  readonly #clock: Clock;
  readonly #cut = new Set<string>();
  readonly #down = new Set<string>();
  #waiting: (() => void)[] = [];

  constructor(options: NetworkOptions, random: Random, clock: Clock) {
    this.#options = { latency: 1, jitter: 0, loss: 0, ...options };
    this.#random = random;
    this.#clock = clock;
  }

  /** Cuts two hosts off from each other. */
  partition(a: string, b: string): void {
    this.#cut.add(pairOf(a, b));
    this.#notify();
  }

  /** Ends all partitions. */
  heal(): void {
    this.#cut.clear();
    this.#notify();
  }

  /** Turns a host off or on. */
  setDown(host: string, down: boolean): void {
    if (down) this.#down.add(host);
    else this.#down.delete(host);
    this.#notify();
  }

  /** Whether a packet from one host reaches another one now. */
  reaches(from: string, to: string): boolean {
    if (this.#down.has(from) || this.#down.has(to)) return false;
    return this.#cut.size === 0 || !this.#cut.has(pairOf(from, to));
  }

  /** Returns the time that a packet takes that is sent now, in milliseconds. */
  latency(from: string, to: string): number {
    if (from === to) return 0;
    const { latency, jitter } = this.#options;
    return latency + jitter * this.#random.next();
  }

  /** Whether a packet that is sent now is lost. */
  loses(from: string, to: string): boolean {
    return from !== to && this.#options.loss > 0 && this.#random.next() < this.#options.loss;
  }

  /** The way of a connection from one host to another. */
  road(from: string, to: string): Road {
    return {
      delay: () => this.#segmentDelay(from, to),
      isBlocked: () => !this.reaches(from, to),
      changed: () => this.changed(),
    };
  }

  /** Returns the time that a segment of TCP takes, with retransmissions. */
  #segmentDelay(from: string, to: string): number {
    let delay = this.latency(from, to);
    for (let i = 0; i < MAX_RETRANSMITS && this.loses(from, to); i++) {
      delay += RETRANSMIT_MS * 2 ** i;
    }
    return delay;
  }

  /** Resolves when a partition or a host has changed. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Resolves after a time of the simulation. */
  pause(ms: number): Promise<void> {
    return sleep(ms, this.#clock);
  }

  #notify(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

/** The same for both orders; without a look at the names, so that none is taken for another pair. */
function pairOf(a: string, b: string): string {
  return a < b ? `${a.length} ${a}${b}` : `${b.length} ${b}${a}`;
}
