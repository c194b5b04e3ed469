/**
 * What a server does while the system is out of something.
 *
 * @module
 */

import type { SocketErrorCode } from "./error_codes.ts";
import { SocketError } from "./errors.ts";

const FIRST_MS = 5;
const LAST_MS = 1000;

/** The system is out of something; trying again at once would spin. */
const EXHAUSTED: ReadonlySet<SocketErrorCode> = new Set(["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"]);

/** Whether it is a code of what goes away by waiting, or by closing something. */
export function isExhausted(code: SocketErrorCode): boolean {
  return EXHAUSTED.has(code);
}

/** How long to wait before trying again: twice as long each time, until it goes well. */
export class Backoff {
  #ms = FIRST_MS;

  /** Milliseconds to wait after this error; undefined if waiting does not help against it. */
  after(error: unknown): number | undefined {
    if (!(error instanceof SocketError) || !isExhausted(error.code)) return undefined;
    const ms = this.#ms;
    this.#ms = Math.min(ms * 2, LAST_MS);
    return ms;
  }

  /** It went well. */
  reset(): void {
    this.#ms = FIRST_MS;
  }
}
