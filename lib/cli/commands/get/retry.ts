/**
 * Which failures pass, and how long to wait for that.
 *
 * @module
 */

import type { Clock } from "../../../base/clock.ts";
import type { SocketErrorCode } from "../../../base/error_codes.ts";
import { SocketError } from "../../../base/errors.ts";
import type { ClientResponse } from "../../../http/client/response.ts";
import { REQUEST_ERRORS, RequestError } from "../../../http/client/errors.ts";

const PASSING: ReadonlySet<SocketErrorCode> = new Set([
  "EAI_AGAIN",
  "ECONNABORTED",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "ENETDOWN",
  "ENETUNREACH",
  "EPIPE",
  "ETIMEDOUT",
]);

/** Longer than this nobody waits who has not been asked. */
const MOST_WAIT = 3_600_000;

/** A response that says to try again later. */
export class TryLater extends Error {
  /** Always `"TryLater"`. */
  override readonly name = "TryLater";
  /** Milliseconds that the server asks for; undefined if it does not. */
  readonly wait: number | undefined;

  constructor(message: string, wait: number | undefined) {
    super(message);
    this.wait = wait;
  }
}

/** Whether a response says that it may be another one the next time. */
export function isPassing(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/**
 * Milliseconds to wait before retry number `retry`, from 1: what the server asks for, else a second,
 * then twice as long each time, up to a minute. Nothing if another try is pointless, or too far off.
 */
export function waitBefore(retry: number, error: unknown): number | undefined {
  if (error instanceof TryLater && error.wait !== undefined) {
    return error.wait <= MOST_WAIT ? error.wait : undefined;
  }
  return passes(error) ? Math.min(1000 * 2 ** (retry - 1), 60_000) : undefined;
}

/** Resolves after so many milliseconds; rejects with its reason as soon as `signal` is aborted. */
export function sleep(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      cancel();
      reject(signal.reason);
    };
    const cancel = clock.setTimer(ms, () => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    });
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
}

function passes(error: unknown): boolean {
  if (error instanceof SocketError) return PASSING.has(error.code);
  if (error instanceof RequestError) {
    return error.code === "PARTIAL" || error.code === "EMPTY_RESPONSE";
  }
  return error instanceof TryLater;
}

/** What an error says, without the advice to try again, where that is about to be done. */
export function failureOf(error: Error): string {
  const { message } = error;
  if (!(error instanceof RequestError)) return message;
  return message.replace(` ${REQUEST_ERRORS[error.code]}`, "");
}

/** What Retry-After asks for in milliseconds (RFC 9110 section 10.2.3). */
export function retryAfter(response: ClientResponse): number | undefined {
  const value = response.headers.get("retry-after") ?? "";
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}
