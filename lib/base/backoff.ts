/**
 * Backoff: the wait before the next try, twice as long each time.
 *
 * @module
 */

import type { SocketErrorCode } from "./error_codes.ts";
import { SocketError } from "./errors.ts";

/** Waits that double. */
export class Backoff {
  readonly #first: number;
  readonly #last: number;
  #ms: number;

  /** The first wait, and the longest one, in milliseconds. */
  constructor(first: number, last: number) {
    this.#first = this.#ms = first;
    this.#last = last;
  }

  /** The next wait, in milliseconds. */
  get ms(): number {
    return this.#ms;
  }

  /** Returns the next wait, and doubles it. */
  next(): number {
    const ms = this.#ms;
    this.#ms = Math.min(ms * 2, this.#last);
    return ms;
  }

  /** Begins anew with the first wait. */
  reset(): void {
    this.#ms = this.#first;
  }
}

/** The system is out of something; trying again at once would spin. */
const EXHAUSTED: ReadonlySet<SocketErrorCode> = new Set(["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"]);

/** Whether errors with this code go away by waiting, or by closing something. */
export function isExhausted(code: SocketErrorCode): boolean {
  return EXHAUSTED.has(code);
}

/** The waits while the system is out of something: 5 ms at first, a second at most. */
export class ExhaustionBackoff extends Backoff {
  constructor() {
    super(5, 1000);
  }

  /** Milliseconds to wait after this error; undefined if waiting does not help against it. */
  after(error: unknown): number | undefined {
    return error instanceof SocketError && isExhausted(error.code) ? this.next() : undefined;
  }
}
