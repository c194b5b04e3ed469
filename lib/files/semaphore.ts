/**
 * A semaphore: a fixed number of jobs run at once, and the others wait.
 *
 * @module
 */

import { type Deferred, deferred } from "../base/wait.ts";

/** See the module. Jobs that wait begin in the order in which they came. */
export class Semaphore {
  readonly #most: number;
  readonly #mostWaiting: number;
  #inside = 0;
  readonly #waiting: Deferred<void>[] = [];

  /** Runs `most` jobs at once, and lets `mostWaiting` wait. */
  constructor(most: number, mostWaiting: number = Infinity) {
    this.#most = most;
    this.#mostWaiting = mostWaiting;
  }

  /** Whether a job that comes now has to wait. */
  get isFull(): boolean {
    return this.#inside >= this.#most;
  }

  /** Runs a job. Rejects as it does, and with EBUSY if too many are waiting. */
  async run<T>(job: () => Promise<T>): Promise<T> {
    if (this.isFull) await this.#wait();
    else this.#inside++;
    try {
      return await job();
    } finally {
      // The next in line takes the place.
      const next = this.#waiting.shift();
      if (next === undefined) this.#inside--;
      else next.resolve();
    }
  }

  #wait(): Promise<void> {
    if (this.#waiting.length >= this.#mostWaiting) {
      return Promise.reject(Object.assign(new Error("Too many are waiting"), { code: "EBUSY" }));
    }
    const turn = deferred<void>();
    this.#waiting.push(turn);
    return turn.promise;
  }
}
